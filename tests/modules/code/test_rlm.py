"""RLM explores its inputs by code, within a budget, and gives typed outputs."""

from __future__ import annotations

import asyncio
from typing import Any, Literal

import pytest

import dspx
from dspx.modules.code.sub_lm import CallBudget
from dspx.runtime.bridge import run
from dspx.runtime.fanout import fan_out
from dspx.sandbox import SandboxSerializable
from dspx.sandbox.factory import Factory
from dspx.testing import DummyLM, FakeInterpreter, ScriptedLM


def step(code: str, reasoning: str = "so") -> dict[str, Any]:
    return {"reasoning": reasoning, "code": f"```python\n{code}\n```"}


def echo(request: Any) -> str:
    return f"<{request.messages[-1]['content']}>"


def test_it_looks_step_by_step_and_submits(local: Factory) -> None:
    lm = DummyLM(
        [
            step("words = context.split()\nprint(len(words))", "count"),
            step("SUBMIT(answer=len(words))", "done"),
        ]
    )
    with dspx.context(lm=lm):
        result = dspx.RLM("context, question -> answer: int", interpreter_factory=local)(
            context="word " * 500, question="How many?"
        )
    assert result.answer == 500
    assert result.final_reasoning == "done"
    assert result.trajectory == [
        {"reasoning": "count", "code": "words = context.split()\nprint(len(words))", "output": "500"},
        {"reasoning": "done", "code": "SUBMIT(answer=len(words))", "output": "FINAL: {'answer': 500}"},
    ]
    first, second = (entry["messages"][-1]["content"] for entry in lm.history)
    assert "Total length: 2,500 characters" in first
    assert "Nothing has been run yet." in first
    assert "=== Step 1 ===" in second
    assert "2/20" in second


def test_errors_and_answers_of_the_wrong_type_go_back_to_the_model(local: Factory) -> None:
    class Judge(dspx.Signature):
        text: str = dspx.InputField()
        verdict: Literal["good", "bad"] = dspx.OutputField()
        score: float = dspx.OutputField()

    codes = ["missing", "SUBMIT('fine', 1)", "SUBMIT('good')", "SUBMIT(verdict='good', score='0.5')"]
    with dspx.context(lm=DummyLM([step(code) for code in codes])):
        result = dspx.RLM(Judge, interpreter_factory=local)(text="t")
    assert (result.verdict, result.score) == ("good", 0.5)
    outputs = [entry["output"] for entry in result.trajectory]
    assert outputs[0].startswith("[Error] Traceback")
    assert "NameError" in outputs[0]
    assert outputs[1].startswith("[Type Error] verdict should be")
    assert "missing a required argument: 'score'" in outputs[2]


def test_code_asks_the_sub_lm_within_the_budget(local: Factory) -> None:
    sub = ScriptedLM(echo)
    codes = [
        "llm_query('one')",
        "llm_query_batched(['two', 'three'])",
        "try:\n    llm_query('four')\nexcept RuntimeError as e:\n    print(e)",
        "SUBMIT('end')",
    ]
    with dspx.context(lm=DummyLM([step(code) for code in codes])):
        result = dspx.RLM("q -> answer", sub_lm=sub, max_llm_calls=3, interpreter_factory=local)(q="?")
    outputs = [entry["output"] for entry in result.trajectory]
    assert outputs[0] == "<one>"
    assert outputs[1] == '[\n  "<two>",\n  "<three>"\n]'
    assert "LLM call limit exceeded: 3 of 3" in outputs[2]
    assert len(sub.requests) == 3


def test_a_failed_question_of_a_batch_says_so_in_its_place(local: Factory) -> None:
    def answer(request: Any) -> Any:
        return ValueError("no") if "bad" in request.messages[-1]["content"] else echo(request)

    code = "SUBMIT(llm_query_batched(['good', 'bad', 'fine']))"
    with dspx.context(lm=DummyLM([step(code)])):
        rlm = dspx.RLM("q -> answers: list[str]", sub_lm=ScriptedLM(answer), interpreter_factory=local)
        assert rlm(q="?").answers == ["<good>", "[ERROR] ValueError: no", "<fine>"]


def test_an_empty_prompt_costs_nothing(local: Factory) -> None:
    code = "try:\n    llm_query('  ')\nexcept RuntimeError as e:\n    SUBMIT(str(e))"
    with dspx.context(lm=DummyLM([step(code)])):
        result = dspx.RLM("q -> answer", sub_lm=ScriptedLM(echo), interpreter_factory=local)(q="?")
    assert "not an empty one" in result.answer


def test_the_budget_is_exact_over_threads() -> None:
    budget = CallBudget(50)

    async def take(_: int) -> None:
        budget.take()

    outcomes = run(fan_out(take, range(80), workers=8))
    assert sum(outcome.ok for outcome in outcomes) == budget.used == 50


def test_code_may_build_predictors(local: Factory) -> None:
    code = (
        "import dspy\n"
        "class Tone(dspy.Predict): pass\n"
        "mood = dspy.Predict('text -> mood', 'Name the mood.')(text=context).mood\n"
        "why = dspy.ChainOfThought(dspy.Signature('text -> cause'))(text=context)\n"
        "SUBMIT([mood, why.cause, why.reasoning])"
    )
    sub = DummyLM([{"mood": "glad"}, {"reasoning": "it shines", "cause": "sun"}])
    with dspx.context(lm=DummyLM([step(code)])):
        result = dspx.RLM("context -> answer: list[str]", sub_lm=sub, interpreter_factory=local)(
            context="sunny"
        )
    assert result.answer == ["glad", "sun", "it shines"]
    assert "Name the mood." in sub.history[0]["messages"][0]["content"]


def test_predictors_in_code_count_against_the_budget(local: Factory) -> None:
    code = "import dspy\ndspy.Predict('a -> b')(a=1)\ndspy.Predict('a -> b')(a=2)"
    with dspx.context(lm=DummyLM([step(code), step("SUBMIT('end')")])):
        rlm = dspx.RLM(
            "q -> answer", sub_lm=DummyLM([{"b": "x"}] * 3), max_llm_calls=1, interpreter_factory=local
        )
        assert "limit exceeded" in rlm(q="?").trajectory[0]["output"]


def test_tools_are_called_from_code(local: Factory) -> None:
    def lookup(key: str) -> dict[str, int]:
        """The value of a key."""
        return {key: 7}

    lm = DummyLM([step("SUBMIT(lookup('k')['k'])")])
    with dspx.context(lm=lm):
        assert dspx.RLM("q -> answer: int", tools=[lookup], interpreter_factory=local)(q="?").answer == 7
    assert (
        "`lookup(key: str) -> dict[str, int]`: The value of a key." in lm.history[0]["messages"][0]["content"]
    )


def test_without_a_submission_the_answer_is_extracted(local: Factory) -> None:
    lm = DummyLM([step("print('seen: 3')"), step("1"), {"answer": "3"}])
    with dspx.context(lm=lm):
        result = dspx.RLM("q -> answer: int", max_iters=2, interpreter_factory=local)(q="?")
    assert result.answer == 3
    assert len(result.trajectory) == 2
    assert "seen: 3" in lm.history[-1]["messages"][-1]["content"]


def test_long_output_is_cut_in_the_middle(local: Factory) -> None:
    lm = DummyLM([step("print('a' * 300 + 'b' * 300)"), step("SUBMIT('end')")])
    with dspx.context(lm=lm):
        dspx.RLM("q -> answer", max_output_chars=100, interpreter_factory=local)(q="?")
    shown = lm.history[-1]["messages"][-1]["content"]
    assert "a" * 50 + "\n\n... (500 characters omitted) ...\n\n" + "b" * 50 in shown
    assert "a" * 60 not in shown


def test_lost_inputs_are_assigned_again(local: Factory) -> None:
    lm = DummyLM([step("import os\nos._exit(1)"), step("SUBMIT(q + '!')")])
    with dspx.context(lm=lm):
        result = dspx.RLM("q -> answer", interpreter_factory=local)(q="here")
    assert result.answer == "here!"
    assert "inputs are variables again" in result.trajectory[0]["output"]


def test_an_input_may_bring_itself_into_the_sandbox(local: Factory) -> None:
    class Table(SandboxSerializable):
        def sandbox_setup(self) -> str:
            return "import csv, io"

        def to_sandbox(self) -> bytes:
            return b"city,people\nLisbon,545\nPorto,232\n"

        def sandbox_assignment(self, var_name: str, data_expr: str) -> str:
            return f"{var_name} = list(csv.DictReader(io.StringIO({data_expr})))"

        def rlm_preview(self, max_chars: int = 500) -> str:
            return "2 rows: city, people"

    lm = DummyLM([step("SUBMIT(sum(int(row['people']) for row in table))")])
    with dspx.context(lm=lm):
        assert dspx.RLM("table -> people: int", interpreter_factory=local)(table=Table()).people == 777
    asked = lm.history[0]["messages"][-1]["content"]
    assert "Type: Table" in asked
    assert "2 rows: city, people" in asked


def test_inputs_are_checked(local: Factory) -> None:
    rlm = dspx.RLM("a, b -> answer", interpreter_factory=local)
    with pytest.raises(ValueError, match=r"missing: \['b'\]"):
        rlm(a=1)
    with pytest.raises(ValueError, match=r"unexpected: \['c'\]"):
        rlm(a=1, b=2, c=3)


@pytest.mark.parametrize(
    ("signature", "tools"),
    [
        ("llm_query -> answer", []),
        ("q -> trajectory", []),
        ("double -> answer", ["double"]),
        ("q -> answer", ["SUBMIT"]),
    ],
)
def test_names_that_mean_something_else_are_refused(signature: str, tools: list[str]) -> None:
    def tool() -> None: ...

    made: list[Any] = []
    for name in tools:
        tool.__name__ = name
        made.append(tool)
    with pytest.raises(dspx.UsageError, match="rename"):
        dspx.RLM(signature, tools=made)


def test_it_works_from_async_code_and_with_an_interpreter_for_one_call() -> None:
    made: list[FakeInterpreter] = []

    def factory() -> FakeInterpreter:
        made.append(FakeInterpreter())
        return made[-1]

    async def main() -> Any:
        with dspx.context(lm=DummyLM([step("SUBMIT(llm_query_batched([q, q]))")])):
            rlm = dspx.RLM("q -> answers: list[str]", sub_lm=ScriptedLM(echo))
            return await rlm.acall(q="x", interpreter_factory=factory)

    assert asyncio.run(main()).answers == ["<x>", "<x>"]
    assert made[0].stopped == 1


def test_its_leaves_are_saved_and_loaded(tmp_path: Any) -> None:
    rlm = dspx.RLM("q -> answer")
    assert [name for name, _ in rlm.named_predictors()] == ["generate_action", "extract"]
    rlm.save(tmp_path / "rlm.json")
    dspx.RLM("q -> answer").load(tmp_path / "rlm.json")
