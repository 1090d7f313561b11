"""ProgramOfThought writes a program, repairs it and reads the answer off its result."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import dspx
from dspx.sandbox.factory import Factory
from dspx.testing import DummyLM, FakeInterpreter


def written(code: str) -> dict[str, Any]:
    return {"reasoning": "so", "generated_code": code}


ANSWER = {"reasoning": "read off", "answer": "2"}


def last_prompt(lm: DummyLM) -> str:
    return lm.history[-1]["messages"][-1]["content"]


def test_a_program_that_submits_gives_the_answer(local: Factory) -> None:
    lm = DummyLM([written("```python\nSUBMIT({'answer': 1 + 1})\n```"), ANSWER])
    with dspx.context(lm=lm):
        result = dspx.ProgramOfThought("question -> answer: int", interpreter_factory=local)(question="1+1?")
    assert (result.answer, result.reasoning) == (2, "read off")
    assert "SUBMIT({'answer': 1 + 1})" in last_prompt(lm)
    assert '"answer": 2' in last_prompt(lm)


def test_a_program_that_fails_is_written_again_with_its_error(local: Factory) -> None:
    lm = DummyLM([written("SUBMIT({'answer': 1 / 0})"), written("SUBMIT({'answer': 2})"), ANSWER])
    with dspx.context(lm=lm):
        assert (
            dspx.ProgramOfThought("question -> answer: int", interpreter_factory=local)(question="?").answer
            == 2
        )
    repair = lm.history[1]["messages"][-1]["content"]
    assert "SUBMIT({'answer': 1 / 0})" in repair
    assert "ZeroDivisionError: division by zero" in repair


@pytest.mark.parametrize("bad", ["def (", "x = 1", "", "import os\nos._exit(1)"])
def test_no_program_and_one_that_gives_nothing_count_as_failures(local: Factory, bad: str) -> None:
    lm = DummyLM([written(bad), written("SUBMIT(2)"), ANSWER])
    with dspx.context(lm=lm):
        assert (
            dspx.ProgramOfThought("question -> answer: int", interpreter_factory=local)(question="?").answer
            == 2
        )


def test_after_max_iters_it_gives_up(local: Factory) -> None:
    lm = DummyLM([written("1 / 0")] * 5)
    with (
        dspx.context(lm=lm),
        pytest.raises(RuntimeError, match=r"(?s)Max hops reached.*ZeroDivisionError"),
    ):
        dspx.ProgramOfThought("question -> answer", max_iters=2, interpreter_factory=local)(question="?")
    assert len(lm.history) == 2


def test_the_inputs_are_variables(local: Factory) -> None:
    lm = DummyLM([written("SUBMIT(sum(numbers))"), {"reasoning": "", "total": "6"}])
    with dspx.context(lm=lm):
        program = dspx.ProgramOfThought("numbers: list[int] -> total: int", interpreter_factory=local)
        assert program(numbers=[1, 2, 3]).total == 6
    assert "[[ ## code_output ## ]]\n6" in last_prompt(lm)


def test_an_interpreter_of_the_callers_is_used_and_left_running() -> None:
    interpreter = FakeInterpreter()
    interpreter.execute("k = 40")
    lm = DummyLM([written("SUBMIT(k + n)"), ANSWER])
    with dspx.context(lm=lm):
        dspx.ProgramOfThought("n: int -> answer: int")(interpreter, n=2)
    assert "[[ ## code_output ## ]]\n42" in last_prompt(lm)
    assert (interpreter.started, interpreter.stopped) == (1, 0)


def test_it_works_from_async_code(local: Factory) -> None:
    lm = DummyLM([written("SUBMIT(2)"), ANSWER])

    async def main() -> Any:
        return await dspx.ProgramOfThought("question -> answer: int", interpreter_factory=local).acall(
            question="?"
        )

    with dspx.context(lm=lm):
        assert asyncio.run(main()).answer == 2


def test_the_settings_interpreter_is_used_where_the_module_names_none() -> None:
    made: list[FakeInterpreter] = []

    def factory() -> FakeInterpreter:
        made.append(FakeInterpreter())
        return made[-1]

    lm = DummyLM([written("SUBMIT(2)"), ANSWER])
    with dspx.context(lm=lm, interpreter_factory=factory):
        dspx.ProgramOfThought("question -> answer: int")(question="?")
    assert [(one.codes, one.stopped) for one in made] == [(["SUBMIT(2)"], 1)]


def test_an_interpreter_with_no_more_than_dspys_methods_will_do() -> None:
    class Plain:
        def __init__(self) -> None:
            self.tools: dict[str, Any] = {}
            self.given: list[Any] = []

        def start(self) -> None: ...
        def shutdown(self) -> None:
            self.given.append("shutdown")

        def execute(self, code: str, variables: dict[str, Any] | None = None) -> Any:
            self.given.append((code, variables))
            return dspx.FinalOutput({"output": 2})

    plain = Plain()
    lm = DummyLM([written("anything"), ANSWER])
    with dspx.context(lm=lm):
        dspx.ProgramOfThought("question -> answer: int", interpreter_factory=lambda: plain)(question="?")
    assert plain.given == [("anything", {"question": "?"}), "shutdown"]


def test_what_is_no_interpreter_is_named() -> None:
    with dspx.context(lm=DummyLM([])), pytest.raises(dspx.UsageError, match="dict is no interpreter"):
        dspx.ProgramOfThought("question -> answer", interpreter_factory=dict)(question="?")


def test_it_has_three_leaves_to_tune() -> None:
    names = [name for name, _ in dspx.ProgramOfThought("question -> answer").named_predictors()]
    assert names == ["code_generate.predict", "code_regenerate.predict", "generate_output.predict"]
