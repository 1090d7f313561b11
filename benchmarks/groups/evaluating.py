"""Evaluate: cost per example, growth, and metrics that call LMs from 64 threads."""

from __future__ import annotations

import gc
import tracemalloc
from typing import Any

from benchmarks.cases import AtMost, Times, case
from benchmarks.material import examples, instant_lm, signature
from benchmarks.side import Side
from benchmarks.timing import per_call, total


def metric(example: Any, prediction: Any, trace: Any = None) -> bool:
    return example.answer == prediction.answer


def _evaluate(side: Side, count: int) -> float:
    """CPU seconds per example."""
    side.once("warm-up", lambda: _results(side, 10))
    return total(lambda: _results(side, count)) / count


def _results(side: Side, count: int) -> Any:
    api = side.api
    api.configure(lm=side.once("lm", lambda: instant_lm(api)))
    predict = side.once("predict", lambda: api.Predict(signature(api)))
    devset = side.once(f"devset {count}", lambda: examples(api, count))
    evaluate = api.Evaluate(devset=devset, metric=metric, num_threads=8, display_progress=False)
    return evaluate(predict)


def _loop(side: Side) -> float:
    predictions = {"answer": "Lisbon"}
    devset = [{"question": "?", "answer": "Lisbon"}] * 100

    def one() -> None:
        _ = [example["answer"] == predictions["answer"] for example in devset]

    return per_call(side, one) / len(devset)


@case(
    "evaluate.1000",
    "Evaluate per example, 1,000",
    target=Times(15),
    floor=_loop,
    floor_title="a list comprehension",
    heavy=True,
)
def one_thousand(side: Side) -> float:
    return _evaluate(side, side.pick(1_000, 1_000, 10))


@case(
    "evaluate.10000",
    "  10,000 examples",
    full_title="Evaluate per example, 10,000 examples",
    target=Times(15),
    heavy=True,
)
def ten_thousand(side: Side) -> float:
    return _evaluate(side, side.pick(10_000, 3_000, 10))


@case("evaluate.100000", "  100,000 examples (dspx only)", heavy=True, dspy=False)
def hundred_thousand(side: Side) -> float:
    return _evaluate(side, side.pick(100_000, 10_000, 20))


@case(
    "evaluate.linear",
    "  100,000 over 10,000, per example",
    unit="×",
    target=AtMost(1.3),
    heavy=True,
    dspy=False,
)
def linear(side: Side) -> float:
    return hundred_thousand(side) / ten_thousand(side)


@case(
    "evaluate.memory",
    "  memory beyond the results, per example",
    unit="bytes",
    target=AtMost(500),
    heavy=True,
    dspy=False,
)
def memory(side: Side) -> float:
    """The peak over what the results take, or what outlives them, whichever is more."""
    few, many = side.pick(11_000, 11_000, 10), side.pick(10_000, 10_000, 20)
    tracemalloc.start()
    try:
        _results(side, few)  # fills what is bounded: history, caches
        before = _held()
        tracemalloc.reset_peak()
        results = _results(side, many)
        peak, with_results = tracemalloc.get_traced_memory()[1], _held()
        del results
        return max(peak - with_results, _held() - before) / many
    finally:
        tracemalloc.stop()


def _held() -> int:
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


# ---------------------------------------------------------------- metrics that call LMs


def _calls_lost(side: Side, threads: int, judged_by: Any) -> float:
    """Calls that usage tracking missed, of two per example, over a nested evaluation on many threads."""
    api = side.api
    api.configure(lm=side.lm(side.url(5)))
    program = api.Predict(signature(api))
    count = side.pick(256, 128, 8)
    evaluate = api.Evaluate(
        devset=examples(api, count), metric=judged_by(api), num_threads=threads, display_progress=False
    )
    with api.track_usage() as usage:
        evaluate(program)
    return 2 * count - sum(len(entries) for entries in usage.usage_data.values())


def _sync_judge(api: Any) -> Any:
    judge = api.Predict(signature(api))

    def judged(example: Any, prediction: Any, trace: Any = None) -> bool:
        return judge(question=prediction.answer, passages=[example.answer]).confidence > 0.5

    return judged


def _async_judge(api: Any) -> Any:
    judge = api.Predict(signature(api))

    async def judged(example: Any, prediction: Any, trace: Any = None) -> bool:
        verdict = await judge.acall(question=prediction.answer, passages=[example.answer])
        return verdict.confidence > 0.5

    return judged


@case("nested.sync", "64 threads, metric calls an LM: usage lost", unit="calls", target=AtMost(0), heavy=True)
def nested(side: Side) -> float:
    return _calls_lost(side, side.pick(64, 64, 4), _sync_judge)


@case(
    "nested.async",
    "  with an async metric",
    unit="calls",
    target=AtMost(0),
    heavy=True,
    dspy=False,
)
def nested_async(side: Side) -> float:
    return _calls_lost(side, side.pick(64, 64, 4), _async_judge)
