"""CodeAct works in steps of code that calls tools."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import dspx
from dspx.errors import ContextWindowExceededError
from dspx.modules.code.code_act import forget_oldest
from dspx.sandbox.factory import Factory
from dspx.testing import DummyLM


def step(code: str, finished: bool = False) -> dict[str, Any]:
    return {"generated_code": code, "finished": str(finished)}


ANSWER = {"reasoning": "seen", "answer": "9"}


def double(n: int) -> int:
    """Twice n."""
    return 2 * n


def test_steps_share_variables_and_call_tools(local: Factory) -> None:
    lm = DummyLM([step("```python\nx = double(4)\nprint(x)\n```"), step("x + n", True), ANSWER])
    with dspx.context(lm=lm):
        result = dspx.CodeAct("n: int -> answer: int", tools=[double], interpreter_factory=local)(n=1)
    assert result.answer == 9
    assert result.trajectory == {
        "generated_code_0": "x = double(4)\nprint(x)",
        "code_output_0": "8",
        "generated_code_1": "x + n",
        "code_output_1": "9",
    }
    assert "`double(n: int) -> int`: Twice n." in lm.history[0]["messages"][0]["content"]


def test_a_failed_step_is_observed_and_does_not_end_the_work(local: Factory) -> None:
    lm = DummyLM([step("missing", True), step("", False), step("def (", False), step("9", True), ANSWER])
    with dspx.context(lm=lm):
        result = dspx.CodeAct("n: int -> answer: int", tools=[], interpreter_factory=local)(n=1)
    assert "NameError: name 'missing' is not defined" in result.trajectory["observation_0"]
    assert "no code" in result.trajectory["observation_1"]
    assert "SyntaxError" in result.trajectory["observation_2"]
    assert result.trajectory["code_output_3"] == "9"


def test_it_ends_after_max_iters(local: Factory) -> None:
    lm = DummyLM([step("1"), step("2"), ANSWER])
    with dspx.context(lm=lm):
        dspx.CodeAct("n: int -> answer: int", tools=[], max_iters=2, interpreter_factory=local)(n=1)
    assert len(lm.history) == 3


def test_tools_may_be_objects_that_describe_themselves(local: Factory) -> None:
    class Search:
        name = "search"
        desc = "Finds pages."

        def func(self, query: str, k: int = 1) -> list[str]:
            return [query] * k

        def __call__(self, **kwargs: Any) -> list[str]:
            return self.func(**kwargs)

        async def acall(self, **kwargs: Any) -> list[str]:
            return self.func(**kwargs)

    async def main(lm: DummyLM) -> Any:
        with dspx.context(lm=lm):
            return await dspx.CodeAct("q -> answer: int", tools=[Search()], interpreter_factory=local).acall(
                q="a"
            )

    lm = DummyLM([step("search('a', k=2)", True), ANSWER])
    result = asyncio.run(main(lm))
    assert "a" in result.trajectory["code_output_0"]
    assert (
        "`search(query: str, k: int = 1) -> list[str]`: Finds pages."
        in lm.history[0]["messages"][0]["content"]
    )


def test_tools_of_dspx_keep_their_checks(local: Factory) -> None:
    tool = dspx.Tool(double, name="twice", desc="Two of it.")
    lm = DummyLM([step("twice(4)"), step("twice(n='x')"), step("1", True), ANSWER])
    with dspx.context(lm=lm):
        result = dspx.CodeAct("q -> answer: int", tools=[tool], interpreter_factory=local)(q="?")
        assert asyncio.run(_twice(local, tool)).trajectory["code_output_0"] == "8"
    assert result.trajectory["code_output_0"] == "8"
    assert "ToolArgumentsError" in result.trajectory["observation_1"]
    assert "`twice(n: int) -> int`: Two of it." in lm.history[0]["messages"][0]["content"]


async def _twice(local: Factory, tool: Any) -> Any:
    with dspx.context(lm=DummyLM([step("twice(4)", True), ANSWER])):
        return await dspx.CodeAct("q -> answer: int", tools=[tool], interpreter_factory=local).acall(q="?")


def test_tools_described_by_a_schema_are_called_by_its_names(local: Factory) -> None:
    def remote(**kwargs: Any) -> list[Any]:
        return sorted(kwargs.items())

    tool = dspx.Tool(remote, args={"city": {"type": "string"}}, arg_types={"city": str}, has_kwargs=True)
    with dspx.context(lm=DummyLM([step("remote('Faro')", True), ANSWER])):
        result = dspx.CodeAct("q -> answer: int", tools=[tool], interpreter_factory=local)(q="?")
    assert "Faro" in result.trajectory["code_output_0"]


def test_tools_that_code_cannot_call_are_refused() -> None:
    with pytest.raises(dspx.UsageError, match="'<lambda>' cannot be called from code"):
        dspx.CodeAct("n -> answer", tools=[lambda n: n])
    with pytest.raises(dspx.UsageError, match="Two tools are called 'double'"):
        dspx.CodeAct("n -> answer", tools=[double, double])


def test_a_trajectory_too_long_for_the_model_loses_its_oldest_steps(local: Factory) -> None:
    shown: list[str] = []

    class Short(DummyLM):
        async def generate(self, request: Any) -> Any:
            text = request.messages[-1]["content"]
            if "generated_code_0" in text and "generated_code_1" in text:
                raise ContextWindowExceededError("too long")
            shown.append(text)
            return await super().generate(request)

    with dspx.context(lm=Short([step("1"), step("2", True), ANSWER])):
        result = dspx.CodeAct("n: int -> answer: int", tools=[], interpreter_factory=local)(n=1)
    assert list(result.trajectory) == ["generated_code_1", "code_output_1"]
    assert "generated_code_0" not in shown[-1]


def test_the_only_step_is_never_forgotten() -> None:
    trajectory = {"generated_code_0": "a", "code_output_0": "b"}
    assert not forget_oldest(trajectory)
    assert len(trajectory) == 2
