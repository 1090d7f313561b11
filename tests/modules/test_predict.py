import asyncio
import logging
import typing

import pytest

import dspx
from dspx.core.candidate import LeafValues, bound
from dspx.errors import AdapterParseError, UsageError
from dspx.lm.base import BaseLM


class Scripted(BaseLM):
    """Answers each call with the next text, and remembers what it was asked."""

    def __init__(self, *texts, **kwargs):
        super().__init__("scripted", **kwargs)
        self.texts, self.requests = list(texts), []

    async def generate(self, request):
        from dspx.lm.response import Output, Response

        self.requests.append(request)
        text = self.texts.pop(0) if len(self.texts) > 1 else self.texts[0]
        return Response(self.model, tuple(Output(text) for _ in range(request.params.get("n", 1))))


def answer(text):
    return f"[[ ## answer ## ]]\n{text}\n\n[[ ## completed ## ]]"


@pytest.fixture
def lm():
    scripted = Scripted(answer("Lisbon"))
    with dspx.context(lm=scripted):
        yield scripted


def last_prompt(lm):
    return lm.requests[-1].messages[-1]["content"]


def test_the_same_call_works_sync_and_async(lm):
    qa = dspx.Predict("question -> answer")
    assert qa(question="Capital?").answer == "Lisbon"
    assert asyncio.run(qa.acall(question="Capital?")).answer == "Lisbon"
    assert "Capital?" in last_prompt(lm)


def test_positional_inputs_are_refused_with_the_names_to_use(lm):
    with pytest.raises(ValueError, match=r"predict\(question=…\)"):
        dspx.Predict("question -> answer")("Capital?")


def test_without_an_lm_the_error_says_how_to_choose_one():
    with dspx.context(lm=None), pytest.raises(ValueError, match="No LM is loaded"):
        dspx.Predict("question -> answer")(question="x")
    with pytest.raises(UsageError, match=r"dspx.LM\('openai/gpt-4o'\)"):
        dspx.Predict("question -> answer")(question="x", lm="openai/gpt-4o")
    with pytest.raises(UsageError, match=r"subclass dspx\.BaseLM"):
        dspx.Predict("question -> answer")(question="x", lm=object())


def test_the_call_goes_before_the_module_and_the_module_before_the_settings(lm):
    mine, theirs = Scripted(answer("mine"), temperature=0.1), Scripted(answer("theirs"))
    qa = dspx.Predict("question -> answer", temperature=0.5)
    qa.lm = mine
    assert qa(question="x").answer == "mine"
    assert mine.requests[-1].params["temperature"] == 0.5
    assert qa(question="x", lm=theirs, config={"temperature": 0.9}).answer == "theirs"
    assert theirs.requests[-1].params["temperature"] == 0.9
    assert qa.config == {"temperature": 0.5}


def test_demos_and_signature_may_be_given_for_one_call(lm):
    qa = dspx.Predict("question -> answer")
    qa(question="x", demos=[dspx.Example(question="demo question", answer="demo answer")])
    assert "demo question" in str(lm.requests[-1].messages)
    qa(question="x", signature=qa.signature.with_instructions("Sing."))
    assert "Sing." in lm.requests[-1].messages[0]["content"]
    assert qa.demos == []


def test_several_completions_are_warmed_up_and_kept(lm):
    prediction = dspx.Predict("question -> answer", n=3)(question="x")
    assert lm.requests[-1].params["temperature"] == 0.7
    assert prediction.completions.answer == ["Lisbon"] * 3
    dspx.Predict("question -> answer", n=3, temperature=0.9)(question="x")
    assert lm.requests[-1].params["temperature"] == 0.9


def test_missing_inputs_take_their_defaults_or_are_warned_of(lm, caplog):
    class WithDefault(dspx.Signature):
        question: str = dspx.InputField()
        style: str = dspx.InputField(default="terse")
        answer: str = dspx.OutputField()

    with caplog.at_level(logging.WARNING, "dspx"):
        dspx.Predict(WithDefault)(question="x")
        assert "terse" in last_prompt(lm)
        assert not caplog.records
        dspx.Predict(WithDefault)(style="x")
    assert "Missing: ['question']" in caplog.text


def test_unknown_inputs_are_warned_of_and_left_out(lm, caplog):
    with caplog.at_level(logging.WARNING, "dspx"):
        dspx.Predict("question -> answer")(question="x", mood="grumpy")
    assert "mood" in caplog.text
    assert "grumpy" not in last_prompt(lm)


def test_an_input_of_another_type_is_warned_of_unless_turned_off(lm, caplog):
    typed = dspx.Predict("question: str, count: int, tags: list[str], maybe: float | None -> answer")
    right = {"question": "x", "count": 1, "tags": ["a"], "maybe": None}
    with caplog.at_level(logging.WARNING, "dspx"):
        typed(**right)
        assert not caplog.records
        typed(**{**right, "count": "one"})
        assert "'count'" in caplog.text
        caplog.clear()
        with dspx.context(warn_on_type_mismatch=False):
            typed(**{**right, "count": "one"})
    assert not caplog.records


def test_steps_are_traced_where_a_trace_is_kept(lm):
    qa = dspx.Predict("question -> answer")
    with dspx.context(trace=[]):
        prediction = qa(question="x")
        asyncio.run(qa.acall(question="y"))
        qa(question="untraced", _trace=False)
        trace = dspx.settings.trace
    assert [(leaf is qa, inputs) for leaf, inputs, _ in trace] == [
        (True, {"question": "x"}),
        (True, {"question": "y"}),
    ]
    assert trace[0][2] is prediction


def test_a_trace_is_bounded(lm):
    qa = dspx.Predict("question -> answer")
    with dspx.context(trace=[], max_trace_size=2):
        for number in range(4):
            qa(question=str(number))
        assert [inputs["question"] for _, inputs, _ in dspx.settings.trace] == ["2", "3"]


def test_bound_values_hold_for_the_block_and_leave_the_leaf_alone(lm):
    qa = dspx.Predict("question -> answer")
    values = LeafValues(
        instructions="Be brief.",
        demos=[dspx.Example(question="dq", answer="da")],
        config={"temperature": 0.3},
    )
    with bound.using({id(qa): values}):
        qa(question="x")
    asked = lm.requests[-1]
    assert "Be brief." in asked.messages[0]["content"]
    assert "dq" in str(asked.messages)
    assert asked.params["temperature"] == 0.3
    qa(question="x")
    assert "Be brief." not in lm.requests[-1].messages[0]["content"]
    assert qa.demos == []


def test_many_bound_values_at_once_do_not_mix(lm):
    qa = dspx.Predict("question -> answer")

    async def one(number):
        with bound.using({id(qa): LeafValues(instructions=f"Instruction {number}.")}):
            await asyncio.sleep(0)
            await qa.acall(question=f"q{number}")

    async def main():
        await asyncio.gather(*(one(number) for number in range(50)))

    asyncio.run(main())
    for request in lm.requests:
        number = request.messages[-1]["content"].split("\n")[1].removeprefix("q")
        assert f"Instruction {number}." in request.messages[0]["content"]


def test_texts_bound_long_ago_are_forgotten(lm):
    qa = dspx.Predict("question -> answer")
    for number in range(600):
        with bound.using({id(qa): LeafValues(instructions=f"Instruction {number}.")}):
            qa(question="x")
        assert f"Instruction {number}." in lm.requests[-1].messages[0]["content"]
    assert list(qa.signature.__plans__["instructed"]) == [f"Instruction {n}." for n in range(344, 600)]


def test_the_prompt_can_be_seen_without_a_call(lm):
    qa = dspx.Predict("question -> answer")
    assert qa.prompt(question="x")[-1]["content"].startswith("[[ ## question ## ]]\nx")
    assert lm.requests == []


def test_usage_is_put_on_the_prediction_when_tracked():
    class Counted(Scripted):
        async def generate(self, request):
            from dataclasses import replace

            from dspx.lm.usage import Usage

            return replace(await super().generate(request), usage=Usage(1, 2, 3))

    with dspx.context(lm=Counted(answer("x")), track_usage=True):
        prediction = dspx.Predict("question -> answer")(question="x")
    assert prediction.get_lm_usage() == {
        "scripted": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    }


def test_a_fallback_that_answered_is_on_the_prediction():
    class Falls(Scripted):
        async def generate(self, request):
            from dataclasses import replace

            return replace(await super().generate(request), route="other/model")

    qa = dspx.Predict("question -> answer")
    with dspx.context(lm=Falls(answer("x"))):
        assert qa(question="x").get_lm_route() == "other/model"
    with dspx.context(lm=Scripted(answer("x"))):
        assert qa(question="x").get_lm_route() is None


def test_what_an_lm_or_a_failed_leaf_left_behind_is_not_on_the_next_prediction():
    class Falls(Scripted):
        async def generate(self, request):
            from dataclasses import replace

            return replace(await super().generate(request), route="other/model")

    qa = dspx.Predict("question -> answer: int")
    with dspx.context(lm=Falls(answer("no number"))):
        dspx.settings.lm("asked beside the leaves")
        with pytest.raises(AdapterParseError):
            qa(question="x")
    with dspx.context(lm=Scripted(answer("3"))):
        prediction = qa(question="x")
    assert (prediction.get_lm_route(), prediction.get_reask()) == (None, None)


def test_reset_and_config(lm):
    qa = dspx.Predict("question -> answer", temperature=0.5)
    qa.demos, qa.lm = [dspx.Example()], lm
    qa.reset()
    assert (qa.demos, qa.lm) == ([], None)
    qa.update_config(top_p=1)
    assert qa.get_config() == {"temperature": 0.5, "top_p": 1}


def test_demos_are_kept_as_plain_json():
    import datetime

    qa = dspx.Predict("day -> answer")
    qa.demos = [dspx.Example(day=datetime.date(2024, 1, 2), answer={"b", "a"})]
    assert qa.dump_state()["demos"] == [{"day": "2024-01-02", "answer": ["a", "b"]}]


def test_an_answer_that_had_to_be_asked_for_twice_says_so():
    scripted = Scripted("[[ ## count ## ]]\nmany", '{"count": 3}')
    with dspx.context(lm=scripted, trace=[]):
        prediction = dspx.Predict("question -> count: int")(question="x")
        assert "count" in dspx.settings.trace[0][2].get_reask()
    assert prediction.count == 3
    assert len(scripted.requests) == 2
    with dspx.context(lm=Scripted(answer("x"))):
        assert dspx.Predict("question -> answer")(question="x").get_reask() is None


def test_an_input_of_any_type_takes_any_value(caplog):
    class Free(dspx.Signature):
        """Read it."""

        thing: typing.Any = dspx.InputField()
        answer: str = dspx.OutputField()

    assert dspx.Predict(Free)(thing={"k": 1}, lm=Scripted(answer("yes"))).answer == "yes"
    assert not caplog.records
