import asyncio

import dspx
from dspx.modules.refine import Refine, describe_modules
from tests.scripted import ScriptedLM, scripted


class Program(dspx.Module):
    """Drafts, then writes."""

    def __init__(self):
        self.draft = dspx.Predict("q -> text")
        self.write = dspx.ChainOfThought("text -> answer")

    def forward(self, q):
        return self.write(text=self.draft(q=q).text)


def reward(inputs, prediction):
    return float(prediction.answer == "good")


ADVICE = {"draft": "be bold", "write.predict": "be good"}


def model(advice=ADVICE, heeds="be good"):
    """Answers well once the hint says so."""

    def answer(signature, inputs, config):
        if "advice" in signature.output_fields:
            if isinstance(advice, Exception):
                raise advice
            return {"discussion": "…", "advice": advice}
        said = "good" if inputs.get("hint_") == heeds else "bad"
        return dict.fromkeys(signature.output_fields, said)

    return scripted(answer)


def calls(kind):
    wanted = "advice" if kind == "advice" else kind
    return [call for call in dspx.settings.adapter.calls if wanted in call["signature"].output_fields]


def test_advice_reaches_the_predictor_it_is_for_and_helps():
    with model():
        module = Refine(Program(), 3, reward, threshold=1.0)
        for said in (module(q="?"), asyncio.run(module.acall(q="?"))):
            assert said.answer == "good"
        assert len(calls("advice")) == 2
        assert [call.get("hint_") for call in calls("text")] == [None, "be bold"] * 2
        assert [call.get("hint_") for call in calls("answer")] == [None, "be good"] * 2


def test_a_good_first_attempt_asks_for_no_advice():
    with model():
        Refine(Program(), 3, lambda inputs, prediction: 1.0, threshold=1.0)(q="?")
        assert calls("advice") == []
    with model():
        Refine(Program(), 1, reward, threshold=1.0)(q="?")
        assert calls("advice") == []


def test_a_module_without_advice_is_told_so():
    with model(advice={"draft": "be bold"}):
        Refine(Program(), 2, reward, threshold=1.0)(q="?")
        assert calls("answer")[-1]["hint_"] == "N/A"


def test_the_adviser_sees_the_program_its_steps_and_the_reward():
    with model():
        Refine(Program(), 2, reward, threshold=1.0)(
            q="the question",
        )
        (asked,) = calls("advice")
    assert "class Program(dspx.Module)" in asked["program_code"]
    assert "Module write.predict" in asked["modules_defn"]
    assert "the question" in asked["program_inputs"]
    assert '"module_name": "write.predict"' in asked["program_trajectory"]
    assert '"answer": "bad"' in asked["program_outputs"]
    assert 'prediction.answer == "good"' in asked["reward_code"]
    assert (asked["target_threshold"], asked["reward_value"]) == (1.0, 0.0)
    assert asked["module_names"] == ["draft", "write.predict"]


def test_the_program_is_as_it_was_and_hints_are_not_on_the_trace():
    program = Program()
    before = program.dump_state()
    with model(), dspx.context(trace=[]):
        Refine(program, 2, reward, threshold=1.0)(q="?")
        steps = dspx.settings.trace
        assert [inputs for _, inputs, _ in steps] == [{"q": "?"}, {"text": "bad"}]
        assert steps[1][0] is program.write.predict
        assert steps[1][2].answer == "good"
    assert program.dump_state() == before
    assert "hint_" not in program.draft.signature.fields


def test_without_advice_the_next_attempt_goes_on(caplog):
    with model(advice=RuntimeError("no idea")):
        assert Refine(Program(), 3, reward, threshold=1.0)(q="?").answer == "bad"
        assert len(calls("text")) == 3
    assert "no advice could be had" in caplog.text


def test_hints_stay_when_the_attempt_after_them_fails():
    tried = []

    class Failing(Program):
        def forward(self, q):
            tried.append(q)
            if len(tried) == 2:
                raise ValueError("unlucky")
            return super().forward(q)

    with model():
        assert Refine(Failing(), 3, reward, threshold=1.0)(q="?").answer == "good"
        assert len(calls("advice")) == 1


def test_the_programs_own_lm_gives_advice_where_the_settings_have_none():
    program, lm = Program(), ScriptedLM()
    program.set_lm(lm)
    with model(), dspx.context(lm=None):
        Refine(program, 2, reward, threshold=1.0)(q="?")
        assert calls("advice")[0]["lm"] is lm


def test_an_adapter_set_inside_the_program_is_the_one_that_shows_the_hint():
    inner = model()

    class Setting(Program):
        def forward(self, q):
            with inner:
                said = super().forward(q)
                seen.extend(call.get("hint_") for call in calls("text"))
            return said

    class Twice(Setting):
        def forward(self, q):
            nonlocal inner
            inner = model()
            return super().forward(q)

    seen = []
    with model():
        Refine(Twice(), 2, reward, threshold=1.0)(q="?")
        assert calls("text") == []
    assert seen == [None, "be bold"]


def test_what_has_no_source_or_no_json_form_is_described_all_the_same():
    namespace = {"dspx": dspx}
    exec(
        "class Odd(dspx.Module):\n    def __init__(self): self.p = dspx.Predict('q -> answer')\n"
        "    def forward(self, q): return self.p(q=str(q))",
        namespace,
    )
    with model():
        Refine(namespace["Odd"](), 2, reward, threshold=1.0)(q=print)
        (asked,) = calls("advice")
    assert "not at hand" in asked["program_code"]
    assert "builtin_function_or_method" in asked["program_inputs"]


def test_modules_are_described_by_fields_and_instructions():
    class Sorted(dspx.Signature):
        """Sort them."""

        items: list[str] = dspx.InputField(desc="any words")
        first: str = dspx.OutputField()

    class One(dspx.Module):
        def __init__(self):
            self.sort = dspx.Predict(Sorted)

    assert describe_modules(One()) == (
        "Module sort\n  Inputs:\n    items (list): any words\n  Outputs:\n    first (str)\n  Instructions:\n    Sort them."
    )
