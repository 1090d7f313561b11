import asyncio
import gc
import logging
import weakref

import pytest
from pydantic import BaseModel

import dspx
from dspx.adapters.base import Adapter, Answer
from dspx.adapters.chat import ChatAdapter
from dspx.adapters.json import JSONAdapter
from dspx.adapters.plan import plan_for
from dspx.content.citations import Citations
from dspx.content.history import History
from dspx.content.image import Image
from dspx.content.reasoning import Reasoning
from dspx.core.example import Example
from dspx.core.fields import InputField, OutputField
from dspx.core.signature import Signature
from dspx.errors import AdapterParseError, UsageError
from dspx.lm.facts import Facts
from dspx.lm.response import Output
from dspx.runtime.bridge import run
from tests.adapters.scripted import ScriptedLM

QA = Signature("question -> answer", "Answer.")
GOOD = "[[ ## answer ## ]]\na\n\n[[ ## completed ## ]]"


class BulletAdapter(Adapter):
    def format(self, signature, demos, inputs):
        lines = [f"* {name}: {inputs[name]}" for name in signature.input_fields]
        return [{"role": "user", "content": "\n".join(lines)}]

    def parse(self, signature, completion):
        values = dict(line[2:].split(": ", 1) for line in completion.splitlines() if line.startswith("* "))
        if values.keys() != signature.output_fields.keys():
            raise AdapterParseError("BulletAdapter", signature, completion, parsed_result=values)
        return values


# ---------------------------------------------------------------- an adapter of one's own


def test_format_and_parse_are_all_that_an_adapter_needs():
    lm = ScriptedLM("* answer: Paris")
    assert BulletAdapter()(lm, {}, QA, [], {"question": "Q?"}) == [{"answer": "Paris"}]
    assert lm.asked == [[{"role": "user", "content": "* question: Q?"}]]


def test_an_adapter_of_ones_own_asks_again_too():
    lm = ScriptedLM("Paris", "* answer: Paris")
    answer = run(BulletAdapter().ask(lm, {}, QA, [], {"question": "Q?"}))
    assert answer.values == [{"answer": "Paris"}]
    assert answer.reasked
    assert lm.asked[1] == [
        {"role": "user", "content": "* question: Q?"},
        {"role": "assistant", "content": "Paris"},
        {
            "role": "user",
            "content": "That answer could not be read. The answer has no `answer`.\n\nAnswer again, in the format asked for.",
        },
    ]


def test_a_hook_that_is_not_there_is_named():
    class Half(Adapter):
        def parse(self, signature, completion):
            return {"answer": completion}

    with pytest.raises(UsageError, match="Half has no `format_field_description`"):
        Half().format(QA, [], {"question": "q"})
    with pytest.raises(UsageError, match="Adapter has no `parse`"):
        Adapter().parse(QA, "x")


def test_values_that_an_adapter_leaves_out_take_their_defaults_or_none():
    class Loose(ChatAdapter):
        def parse(self, signature, completion):
            return {"answer": completion, "more": 1}

    signature = Signature(
        {"q": (str, InputField()), "note": (str, OutputField(default="n")), "answer": (str, OutputField())}
    )
    assert Loose()(ScriptedLM("x"), {}, signature, [], {"q": "q"}) == [{"note": "n", "answer": "x"}]
    needs_more = Signature("q -> answer, score: float")
    assert Loose()(ScriptedLM("x"), {}, needs_more, [], {"q": "q"}) == [{"answer": "x", "score": None}]


@pytest.mark.parametrize(
    ("hook", "where"),
    [
        ("format_field_description", "system"),
        ("format_field_structure", "system"),
        ("format_task_description", "system"),
        ("format_system_message", "system"),
        ("user_message_output_requirements", "question"),
        ("format_user_message_content", "question"),
        ("format_assistant_message_content", "demo"),
    ],
)
@pytest.mark.parametrize("base", [ChatAdapter, JSONAdapter])
def test_every_hook_can_be_overridden(base, hook, where):
    def said(self, signature, *args, **kwargs):
        return f"SAID {self.times}"

    adapter_class = type("Own", (base,), {hook: said})
    adapter = adapter_class()
    demos = [{"question": "dq", "answer": "da"}]
    for times in (1, 2):
        adapter.times = times
        messages = adapter.format(QA, demos, {"question": "q"})
        text = {"system": messages[0], "question": messages[-1], "demo": messages[2]}[where]["content"]
        assert f"SAID {times}" in text
    assert "SAID" not in str(base().format(QA, demos, {"question": "q"}))


def test_an_overridden_hook_may_build_on_the_one_it_overrides():
    class Polite(ChatAdapter):
        def format_task_description(self, signature):
            return super().format_task_description(signature) + "\n        Please."

        def format_demos(self, signature, demos):
            return super().format_demos(signature, demos[:1])

        def format_conversation_history(self, signature, history_field_name, inputs):
            return super().format_conversation_history(signature, history_field_name, inputs)[-2:]

    demos = [{"question": "q1", "answer": "a1"}, {"question": "q2", "answer": "a2"}]
    messages = Polite().format(QA, demos, {"question": "q"})
    assert messages[0]["content"].endswith("objective is: \n        Answer.\n        Please.")
    assert len(messages) == 4
    talk = Signature(
        {"past": (History, InputField()), "question": (str, InputField()), "answer": (str, OutputField())}
    )
    turns = [{"question": str(number), "answer": str(number)} for number in range(3)]
    messages = Polite().format(talk, [], {"past": History(messages=turns), "question": "q"})
    assert [message["role"] for message in messages] == ["system", "user", "assistant", "user"]
    assert "2" in messages[1]["content"]


def test_images_in_demos_of_an_overridden_hook_become_blocks():
    class Own(ChatAdapter):
        def format_demos(self, signature, demos):
            return super().format_demos(signature, demos)

    signature = Signature({"picture": (Image, InputField()), "answer": (str, OutputField())})
    demos = [{"picture": Image("https://example.com/a.png"), "answer": "a"}]
    inputs = {"picture": Image("https://example.com/b.png")}
    assert Own().format(signature, demos, inputs) == ChatAdapter().format(signature, demos, inputs)


# ---------------------------------------------------------------- what is remembered


def test_a_demo_that_changes_is_rendered_again():
    demo = Example(question="old", answer="a", tags=["x"])
    signature = Signature("question, tags: list[str] -> answer")
    adapter = ChatAdapter()

    def shown():
        return adapter.format(signature, [demo], {"question": "q", "tags": []})[1]["content"]

    assert "old" in shown()
    demo.question = "new"
    assert "new" in shown()
    demo.tags.append("y")
    assert '["x", "y"]' in shown()
    demo.tags = ("x", "y", "z")
    assert '["x", "y", "z"]' in shown()
    del demo["question"]
    assert "not supplied" in shown()


def test_true_and_one_are_different_demos():
    demo = {"question": "q", "n": 1, "all": [1], "answer": "a"}
    signature = Signature("question, n: int, all: list[int] -> answer")
    first = ChatAdapter().format(signature, [demo], {"question": "q"})[1]["content"]
    demo["n"], demo["all"] = True, [True]
    second = ChatAdapter().format(signature, [demo], {"question": "q"})[1]["content"]
    assert "]]\n1\n" in first
    assert "[1]" in first
    assert "]]\nTrue\n" in second
    assert "[true]" in second


def test_a_model_in_a_demo_that_changes_is_rendered_again():
    class Place(BaseModel):
        city: str

    place = Place(city="Rome")
    signature = Signature({"place": (Place, InputField()), "answer": (str, OutputField())})
    demos = [{"place": place, "answer": "a"}]
    assert "Rome" in ChatAdapter().format(signature, demos, {"place": place})[1]["content"]
    place.city = "Oslo"
    assert "Oslo" in ChatAdapter().format(signature, demos, {"place": place})[1]["content"]


def test_messages_are_nobody_elses():
    signature = Signature({"picture": (Image, InputField()), "answer": (str, OutputField())})
    demos = [{"picture": Image("https://example.com/a.png"), "answer": "a"}]
    inputs = {"picture": Image("https://example.com/b.png")}
    first = ChatAdapter().format(signature, demos, inputs)
    for message in first:
        if isinstance(message["content"], list):
            for block in message["content"]:
                block.clear()
        message["content"] = "spoilt"
    assert "spoilt" not in str(ChatAdapter().format(signature, demos, inputs))
    assert "{}" not in str(ChatAdapter().format(signature, demos, inputs))


def test_a_demo_with_values_that_cannot_be_compared_is_rendered_each_time():
    class Odd:
        def __deepcopy__(self, memo):
            raise TypeError("not me")

        def __str__(self):
            return "odd"

    demos = [{"question": Odd(), "answer": 10**40}, {"question": [10**40], "answer": "b"}]
    messages = ChatAdapter().format(QA, demos, {"question": "q"})
    assert messages == ChatAdapter().format(QA, demos, {"question": "q"})
    assert "odd" in messages[1]["content"]


def test_signatures_that_differ_in_instructions_share_what_follows_from_fields():
    other = QA.with_instructions("Other.")
    ChatAdapter().format(QA, [], {"question": "q"})
    messages = ChatAdapter().format(other, [], {"question": "q"})
    assert plan_for(QA, ChatAdapter).shape is plan_for(other, ChatAdapter).shape
    assert messages[0]["content"].endswith("Other.")
    assert plan_for(QA, JSONAdapter).shape is not plan_for(QA, ChatAdapter).shape


def test_what_is_remembered_dies_with_its_signature():
    signature = Signature("a -> b")
    demo = Example(a="x", b="y")
    ChatAdapter().format(signature, [demo], {"a": "z"})
    shape = weakref.ref(plan_for(signature, ChatAdapter).shape)
    del signature
    gc.collect()
    assert shape() is None


def test_no_more_than_so_many_demos_are_remembered():
    signature = Signature("a -> b")
    demos = [Example(a=str(number), b="y") for number in range(1100)]
    messages = ChatAdapter().format(signature, demos, {"a": "z"})
    assert len(messages) == 2202
    assert len(plan_for(signature, ChatAdapter).shape.demos._entries) == 1024


def test_instructions_set_in_place_are_seen():
    signature = Signature("a -> b", "First.")
    ChatAdapter().format(signature, [], {"a": "z"})
    signature.instructions = "Second."
    assert ChatAdapter().format(signature, [], {"a": "z"})[0]["content"].endswith("Second.")


# ---------------------------------------------------------------- history


def test_a_history_may_be_a_dict_or_a_list():
    signature = Signature(
        {"past": (History, InputField()), "question": (str, InputField()), "answer": (str, OutputField())}
    )
    turns = [{"question": "q1", "answer": "a1"}]
    expected = ChatAdapter().format(signature, [], {"past": History(messages=turns), "question": "q"})
    for past in ({"messages": turns}, turns, [Example(turns[0])]):
        inputs = {"past": past, "question": "q"}
        assert ChatAdapter().format(signature, [], inputs) == expected
        assert list(inputs) == ["past", "question"]
    assert len(ChatAdapter().format(signature, [], {"past": None, "question": "q"})) == 2
    with pytest.raises(UsageError, match="`past` is a history"):
        ChatAdapter().format(signature, [], {"past": "yesterday", "question": "q"})


# ---------------------------------------------------------------- completions


def test_each_completion_is_read():
    lm = ScriptedLM([GOOD, GOOD.replace("\na\n", "\nb\n")])
    assert ChatAdapter()(lm, {"n": 2}, QA, [], {"question": "q"}) == [{"answer": "a"}, {"answer": "b"}]
    assert lm.requests[0].params["n"] == 2


def test_completions_that_cannot_be_read_are_left_out():
    signature = Signature("q -> n: int")
    lm = ScriptedLM(["[[ ## n ## ]]\nmany", "[[ ## n ## ]]\n3", None])
    answer = run(ChatAdapter().ask(lm, {}, signature, [], {"q": "q"}))
    assert answer.values == [{"n": 3}]
    assert not answer.reasked
    assert answer.problem == "The field `n` could not be read: 'many' is not an int."


@pytest.mark.parametrize("nothing", [None, ""])
def test_an_empty_answer_is_asked_for_again(nothing):
    lm = ScriptedLM(nothing, GOOD)
    answer = run(ChatAdapter(use_json_adapter_fallback=False).ask(lm, {}, QA, [], {"question": "q"}))
    assert answer.values == [{"answer": "a"}]
    assert answer.problem == "The LM returned an empty or null response."
    assert [message["role"] for message in lm.asked[1]] == ["system", "user", "user"]


def test_an_answer_that_was_cut_off_is_said_to_be():
    lm = ScriptedLM(Output(text="", finish_reason="length"))
    with pytest.raises(AdapterParseError, match="cut off before its first word"):
        ChatAdapter(ask_again=False)(lm, {}, QA, [], {"question": "q"})


def test_log_probabilities_come_with_the_values():
    lm = ScriptedLM(Output(text=GOOD, logprobs={"content": []}))
    assert ChatAdapter()(lm, {}, QA, [], {"question": "q"}) == [{"answer": "a", "logprobs": {"content": []}}]


def test_an_error_of_the_lm_is_not_the_adapters_business():
    class Broken(ScriptedLM):
        async def generate(self, request):
            raise dspx.LMRateLimitError("slow down")

    with pytest.raises(dspx.LMRateLimitError):
        ChatAdapter()(Broken(), {}, QA, [], {"question": "q"})


def test_the_callers_settings_are_not_changed():
    settings = {"temperature": 0.5, "tools": [1]}
    lm = ScriptedLM('{"answer": "a"}', facts=Facts(supports_json_object=True))
    JSONAdapter()(lm, settings, QA, [], {"question": "q"})
    assert settings == {"temperature": 0.5, "tools": [1]}
    assert lm.requests[0].params["response_format"] == {"type": "json_object"}


def test_tools_are_offered_only_with_native_function_calling():
    for adapter, offered in ((ChatAdapter(), False), (ChatAdapter(use_native_function_calling=True), True)):
        lm = ScriptedLM(GOOD)
        adapter(lm, {"tools": [1], "tool_choice": "auto"}, QA, [], {"question": "q"})
        assert ("tools" in lm.requests[0].params) is offered


def test_async_calls_are_the_same_calls():
    async def main():
        return await ChatAdapter().acall(ScriptedLM(GOOD), {}, QA, [], {"question": "q"})

    assert asyncio.run(main()) == [{"answer": "a"}]


def test_an_answer_is_a_record():
    answer = Answer([{"a": 1}], None)
    assert (answer.reasked, answer.problem) == (False, None)


# ---------------------------------------------------------------- native features

THINK = Signature(
    {"q": (str, InputField()), "why": (Reasoning, OutputField()), "answer": (str, OutputField())}
)


def test_a_model_that_reasons_is_not_asked_for_reasoning():
    lm = ScriptedLM(Output(text=GOOD, reasoning="because"), facts=Facts(supports_reasoning=True))
    assert ChatAdapter()(lm, {}, THINK, [], {"q": "q"}) == [
        {"why": Reasoning(content="because"), "answer": "a"}
    ]
    assert "`why`" not in lm.asked[0][0]["content"].split("objective")[0]
    assert lm.requests[0].params["reasoning_effort"] == "low"


def test_a_model_that_reasons_silently_leaves_the_field_empty():
    lm = ScriptedLM(GOOD, facts=Facts(supports_reasoning=True))
    assert ChatAdapter()(lm, {}, THINK, [], {"q": "q"}) == [{"why": None, "answer": "a"}]


def test_another_model_is_asked_for_it_in_the_prompt():
    lm = ScriptedLM("[[ ## why ## ]]\nbecause\n" + GOOD)
    assert ChatAdapter()(lm, {}, THINK, [], {"q": "q"}) == [
        {"why": Reasoning(content="because"), "answer": "a"}
    ]
    lm = ScriptedLM("[[ ## why ## ]]\nbecause\n" + GOOD, facts=Facts(supports_reasoning=True))
    assert (
        ChatAdapter(native_response_types=[Citations])(lm, {}, THINK, [], {"q": "q"})[0]["why"] == "because"
    )


def test_native_features_keep_the_plan():
    lm = ScriptedLM(*[GOOD] * 3, facts=Facts(supports_reasoning=True))
    seen = set()

    class Spy(ChatAdapter):
        def format_task_description(self, signature):
            seen.add(signature)
            return super().format_task_description(signature)

    for _ in range(3):
        Spy()(lm, {}, THINK, [], {"q": "q"})
    assert len(seen) == 1


def test_an_answer_without_text_will_do_where_nothing_was_left_to_ask():
    only = Signature({"q": (str, InputField()), "why": (Reasoning, OutputField())})
    lm = ScriptedLM(Output(text="", reasoning="because"), facts=Facts(supports_reasoning=True))
    assert ChatAdapter()(lm, {}, only, [], {"q": "q"}) == [{"why": Reasoning(content="because")}]


# ---------------------------------------------------------------- events


def test_callbacks_hear_of_format_and_parse():
    heard = []

    class Listener(dspx.BaseCallback):
        def on_adapter_format_start(self, call_id, instance, inputs):
            heard.append(("format", sorted(inputs)))

        def on_adapter_format_end(self, call_id, outputs, exception=None):
            heard.append(("formatted", len(outputs)))

        def on_adapter_parse_start(self, call_id, instance, inputs):
            heard.append(("parse", inputs["completion"]))

        def on_adapter_parse_end(self, call_id, outputs, exception=None):
            heard.append(("parsed", outputs, type(exception).__name__))

    lm = ScriptedLM("[[ ## n ## ]]\nmany", '{"n": 3}')
    ChatAdapter(callbacks=[Listener()])(lm, {}, Signature("q -> n: int"), [], {"q": "q"})
    assert heard == [
        ("format", ["demos", "inputs", "signature"]),
        ("formatted", 2),
        ("parse", "[[ ## n ## ]]\nmany"),
        ("parsed", None, "AdapterParseError"),
        ("format", ["demos", "inputs", "signature"]),
        ("formatted", 2),
        ("parse", '{"n": 3}'),
        ("parsed", {"n": 3}, "NoneType"),
    ]


def test_nothing_is_logged_of_a_good_answer(caplog):
    with caplog.at_level(logging.DEBUG):
        ChatAdapter()(ScriptedLM(GOOD), {}, QA, [], {"question": "q"})
    assert caplog.records == []


def test_an_adapter_that_overrides_the_call_itself_is_called_that_way():
    class Stopping(ChatAdapter):
        def __call__(self, lm, lm_kwargs, signature, demos, inputs):
            return super().__call__(lm, {**lm_kwargs, "stop": ["END"]}, signature, demos, inputs)

    class Fixed(Adapter):
        def __call__(self, lm, lm_kwargs, signature, demos, inputs):
            return [dict.fromkeys(signature.output_fields, "sync")]

        async def acall(self, lm, lm_kwargs, signature, demos, inputs):
            return [dict.fromkeys(signature.output_fields, "async")]

    lm = ScriptedLM(["[[ ## answer ## ]]\nyes"])
    predict = dspx.Predict("question -> answer")
    with dspx.context(lm=lm, adapter=Stopping()):
        assert predict(question="?").answer == "yes"
    assert lm.history[-1]["kwargs"]["stop"] == ["END"]
    with dspx.context(lm=lm, adapter=Fixed()):
        assert predict(question="?").answer == "sync"
        assert asyncio.run(predict.acall(question="?")).answer == "async"
