import asyncio
import copy
import warnings

import pytest

import dspx
from dspx.errors import AdapterParseError, UsageError
from dspx.lm.base import BaseLM
from dspx.lm.facts import Facts
from dspx.lm.response import Response
from dspx.testing import ScriptedLM
from tests.golden import cases as grid

CASES = [(adapter, case) for case in grid.cases(dspx) for adapter in case.adapters]


class CapturingLM(BaseLM):
    """Keeps what it was asked, and answers nothing that could be read."""

    def __init__(self, able=False):
        super().__init__("capturing")
        self.asked = []
        self.able = able

    @property
    def facts(self):
        flags = dict.fromkeys(
            ("supports_reasoning", "supports_function_calling", "supports_response_schema"), True
        )
        return Facts(**flags) if self.able else super().facts

    async def generate(self, request):
        self.asked.append(copy.deepcopy(request.messages))
        return Response.from_openai("?", model="capturing")


class Never(BaseLM):
    """An LM that must not be asked."""

    def __init__(self):
        super().__init__("never")

    def forward(self, prompt=None, messages=None, **kwargs):
        raise AssertionError("a question was sent")


def sent_by(lm, call):
    """The messages that `call` sends first."""
    with dspx.context(lm=lm):
        try:
            call()
        except AdapterParseError:
            pass
    return lm.asked[0]


@pytest.mark.parametrize("able", [False, True], ids=["plain", "able"])
@pytest.mark.parametrize(
    ("adapter", "case"), CASES, ids=[f"{adapter}-{case.name}" for adapter, case in CASES]
)
def test_a_leafs_prompt_is_what_its_call_sends_for_every_adapter(adapter, case, able, caplog):
    leaf = dspx.Predict(case.signature)
    leaf.demos = case.demos
    extraction = CapturingLM()
    with dspx.context(adapter=grid.make_adapter(dspx, adapter, extraction)), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        lm = CapturingLM(able)
        try:
            expected = sent_by(lm, lambda: leaf(**case.inputs))
        except Exception as error:
            if lm.asked:
                expected = lm.asked[0]
            else:
                with pytest.raises(type(error)), dspx.context(lm=lm):
                    leaf.prompt(**case.inputs)
                return
        asked = len(lm.asked)
        with dspx.context(lm=lm):
            assert leaf.prompt(**case.inputs) == expected
            assert dspx.Module.prompt(leaf, **case.inputs) == expected
        assert len(lm.asked) == asked


def test_a_wrappers_prompt_is_its_leafs():
    program = dspx.ChainOfThought("question -> answer")
    program.predict.demos = [dspx.Example(question="a", reasoning="b", answer="c")]
    lm = CapturingLM()
    expected = sent_by(lm, lambda: program(question="Why?"))
    assert program.prompt(question="Why?") == program.predict.prompt(question="Why?") == expected


def test_a_prompt_needs_no_lm():
    assert dspx.settings.lm is None
    assert "Why?" in dspx.ChainOfThought("question -> answer").prompt(question="Why?")[-1]["content"]


class Desk(dspx.Module):
    """Two leaves; the second is asked about what the first one said."""

    def __init__(self):
        self.triage = dspx.Predict("message -> label")
        self.answer = dspx.ChainOfThought("message, label -> reply")

    def forward(self, message):
        self.looked_up = message.upper()
        return self.answer(message=self.looked_up, label=self.triage(message=self.looked_up).label)


def test_a_programs_prompt_is_its_first_question_after_what_it_does_before():
    desk = Desk()
    with dspx.context(lm=Never()):
        prompt = desk.prompt(message="help")
        assert prompt == desk.triage.prompt(message="HELP")
    assert desk.looked_up == "HELP"
    assert sent_by(CapturingLM(), lambda: desk(message="help")) == prompt


def test_a_named_leafs_prompt_takes_the_inputs_of_that_leaf():
    desk = Desk()
    with dspx.context(lm=Never()):
        prompt = desk.prompt(leaf="answer.predict", message="help", label="other")
    assert prompt == desk.answer.prompt(message="help", label="other")
    with pytest.raises(UsageError, match=r"no leaf 'answer'; Desk has \['triage', 'answer.predict'\]"):
        desk.prompt(leaf="answer", message="help", label="other")


def test_a_leaf_whose_input_is_called_leaf_has_a_prompt():
    assert "oak" in dspx.Predict("leaf -> tree").prompt(leaf="oak")[-1]["content"]


def test_the_leafs_own_lm_is_not_asked_either():
    desk = Desk()
    desk.set_lm(Never())
    assert desk.prompt(message="help")
    assert desk.triage.prompt(message="help", lm=Never())


def test_a_bound_candidate_and_the_calls_own_arguments_are_in_the_prompt():
    leaf = dspx.Predict("question -> answer")
    with leaf.candidate().with_instructions({"self": "Answer like a pirate."}).using(leaf):
        assert "like a pirate" in leaf.prompt(question="?")[0]["content"]
    assert "like a pirate" not in leaf.prompt(question="?")[0]["content"]
    assert len(leaf.prompt(question="?", demos=[dspx.Example(question="a", answer="b")])) == 4


def test_a_program_that_catches_everything_and_tries_again_is_stopped_all_the_same():
    class Stubborn(dspx.Module):
        def __init__(self):
            self.leaf = dspx.Predict("question -> answer")

        def forward(self, question):
            for _ in range(3):
                try:
                    return self.leaf(question=question)
                except Exception:
                    continue
            return None

    with dspx.context(lm=Never()):
        assert "Why?" in Stubborn().prompt(question="Why?")[-1]["content"]


@pytest.mark.parametrize("wrapper", ["best", "refine", "parallel", "async", "batch", "direct"])
def test_whatever_stands_around_the_leaf_nothing_is_sent(wrapper):
    leaf = dspx.Predict("question -> answer")

    class Direct(dspx.Module):
        def forward(self, question):
            return dspx.settings.lm(f"Tell me: {question}")

    class Spread(dspx.Module):
        def __init__(self):
            self.leaf = leaf

        def forward(self, question):
            return dspx.Parallel(num_threads=3)([(self.leaf, {"question": question})] * 3)

    class Batch(Spread):
        def forward(self, question):
            return self.leaf.batch(
                [dspx.Example(question=question).with_inputs("question")] * 3, num_threads=2
            )

    class Async(Spread):
        async def aforward(self, question):
            await asyncio.sleep(0)
            return await self.leaf.acall(question=question)

    program = {
        "best": lambda: dspx.BestOfN(leaf, N=3, reward_fn=lambda args, pred: 1.0, threshold=2.0),
        "refine": lambda: dspx.Refine(leaf, N=3, reward_fn=lambda args, pred: 1.0, threshold=2.0),
        "parallel": Spread,
        "async": Async,
        "batch": Batch,
        "direct": Direct,
    }[wrapper]()
    with dspx.context(lm=Never()):
        assert "Why?" in program.prompt(question="Why?")[-1]["content"]
        assert "Why?" in asyncio.run(program.aprompt(question="Why?"))[-1]["content"]


def test_nothing_is_kept_of_a_prompt():
    leaf = dspx.Predict("question -> answer")
    lm = ScriptedLM(["[[ ## answer ## ]]\nyes"])
    calls = []

    class Listener(dspx.BaseCallback):
        def on_lm_start(self, call_id, instance, inputs):
            calls.append(inputs)

    with dspx.context(lm=lm, trace=[], callbacks=[Listener()]):
        leaf.prompt(question="?")
        assert dspx.settings.trace == []
        assert not calls
        assert not lm.requests
        assert not lm.history
        assert leaf(question="?").answer == "yes"


def test_a_program_that_asks_nothing_has_no_prompt_and_one_that_fails_before_says_why():
    class Quiet(dspx.Module):
        def forward(self, x):
            if x < 0:
                raise KeyError("no such row")
            return dspx.Prediction(x=x)

    with pytest.raises(UsageError, match="Quiet came to its end without asking a language model"):
        Quiet().prompt(x=1)
    with pytest.raises(KeyError, match="no such row"):
        Quiet().prompt(x=-1)
