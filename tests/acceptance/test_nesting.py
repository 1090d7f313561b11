"""Metrics that ask LMs, sync and async, inside evaluations, from every kind of place: no deadlock, no token lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import dspx
from dspx.testing.server import Server

EXAMPLES = 96
THREADS = 64


class Both(dspx.Module):
    """Asks twice, the second time with what came of the first."""

    def __init__(self) -> None:
        super().__init__()
        self.think = dspx.ChainOfThought("question -> idea")
        self.answer = dspx.Predict("question, idea -> answer")


class Solver(Both):
    def forward(self, question: str) -> dspx.Prediction:
        return self.answer(question=question, idea=self.think(question=question).idea)


class AsyncSolver(Both):
    async def aforward(self, question: str) -> dspx.Prediction:
        idea = await self.think.acall(question=question)
        return await self.answer.acall(question=question, idea=idea.idea)


judge = dspx.Predict("question, answer -> verdict: bool")


def plain_metric(example: Any, prediction: Any, trace: Any = None) -> bool:
    return judge(question=example.question, answer=prediction.answer).verdict


async def async_metric(example: Any, prediction: Any, trace: Any = None) -> bool:
    verdicts = await asyncio.gather(
        judge.acall(question=example.question, answer=prediction.answer),
        judge.acall(question=example.question, answer="something else"),
    )
    return verdicts[0].verdict


def deep_metric(example: Any, prediction: Any, trace: Any = None) -> float:
    """An evaluation, with threads of its own and an async metric, inside an evaluation."""
    inner = [dspx.Example(question=f"{example.question} {i}").with_inputs("question") for i in range(2)]
    return dspx.Evaluate(devset=inner, metric=async_metric, num_threads=2)(judge_as_program).score / 100


class JudgeAsProgram(dspx.Module):
    def __init__(self) -> None:
        super().__init__()
        self.ask = dspx.Predict("question -> answer")

    def forward(self, question: str) -> dspx.Prediction:
        return self.ask(question=question)


judge_as_program = JudgeAsProgram()
METRICS: list[tuple[Callable[..., Any], int]] = [(plain_metric, 1), (async_metric, 2), (deep_metric, 6)]


def from_sync_code(evaluate: dspx.Evaluate, program: dspx.Module) -> Any:
    return evaluate(program)


def from_a_running_loop(evaluate: dspx.Evaluate, program: dspx.Module) -> Any:
    """As a cell of a notebook does: a sync call on the thread of a loop."""

    async def cell() -> Any:
        return evaluate(program)

    return asyncio.run(cell())


def from_a_running_loop_one_at_a_time(evaluate: dspx.Evaluate, program: dspx.Module) -> Any:
    async def cell() -> Any:
        return evaluate(program, num_threads=1, devset=evaluate.devset[:8])

    return asyncio.run(cell())


def from_async_code(evaluate: dspx.Evaluate, program: dspx.Module) -> Any:
    return asyncio.run(evaluate.acall(program))


PLACES = [from_sync_code, from_a_running_loop, from_a_running_loop_one_at_a_time, from_async_code]


def within(seconds: float, work: Callable[[], Any]) -> Any:
    """What `work` gives; a deadlock is a failure, not a test that never ends."""
    pool = ThreadPoolExecutor(1)
    try:
        return pool.submit(dspx.bind_context(work)).result(seconds)
    finally:
        pool.shutdown(wait=False)


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__)
@pytest.mark.parametrize(
    ("metric", "asks"), METRICS, ids=lambda value: getattr(value, "__name__", str(value))
)
@pytest.mark.parametrize("solver", [Solver, AsyncSolver], ids=lambda solver: solver.__name__)
def test_no_deadlock_and_no_token_lost(solver: Any, metric: Any, asks: int, place: Any) -> None:
    count = EXAMPLES if asks < 6 else THREADS
    devset = [dspx.Example(question=f"question {i}").with_inputs("question") for i in range(count)]
    with Server(model="schema", latency=0.01) as server:
        lm = server.lm("schema", cache=False)
        evaluate = dspx.Evaluate(devset=devset, metric=metric, num_threads=THREADS)
        with dspx.context(lm=lm), dspx.track_usage() as usage:
            result = within(30, lambda: place(evaluate, solver()))
        assert result.errors == 0, result.error_rows[0].reason
        count = result.n
        assert server.stats.requests == usage.calls == count * (2 + asks)
        said = sum(entry["usage"]["total_tokens"] for entry in lm.history)
        assert usage.total_tokens == said > 0
        by_row = [(row.spent.calls, row.spent_by_metric.calls) for row in result.rows]
        assert by_row == [(2, asks)] * count
        tokens = sum(
            sum(
                model["total_tokens"]
                for spent in (row.spent, row.spent_by_metric)
                for model in spent.usage.values()
            )
            for row in result.rows
        )
        assert tokens == said
