"""One example's part of an evaluation: what came out, what it scored, what it took."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from dspx.core.record import record
from dspx.core.usage import UsageEntry, total_cost, total_tokens

Stage = Literal["program", "metric"]


@record
class Spent:
    """What LM calls used: tokens by model, US dollars (None where no price is known), and how many they were."""

    usage: Mapping[str, Mapping[str, Any]]
    cost: float | None
    calls: int
    cache_hits: int


NOTHING_SPENT = Spent({}, None, 0, 0)


def spent_on(calls: Sequence[UsageEntry], start: int = 0, end: int | None = None) -> Spent:
    """What these calls used together, or those of them from `start` to `end`."""
    count = (len(calls) if end is None else end) - start
    if count == 0:
        return NOTHING_SPENT
    if count == 1:
        return _spent_on_one(calls[start])
    some = calls[start:end]
    hits = sum([call.cache_hit for call in some])
    return Spent(total_tokens(some), total_cost(some), len(some) - hits, hits)


def _spent_on_one(call: UsageEntry) -> Spent:
    usage = {call.model: call.usage} if call.usage else NOTHING_SPENT.usage
    return Spent(usage, call.cost, int(not call.cache_hit), int(call.cache_hit))


@record
class Row:
    """One example, run once. `index` is its place in the devset, `repeat` counts from 0."""

    index: int
    repeat: int
    example: Any
    prediction: Any
    """What the program returned; an empty `Prediction` where it raised."""
    score: Any
    """What the metric returned; the `failure_score` where there is an error."""
    value: float
    """The score as a number."""
    error: BaseException | None = None
    failed_in: Stage | None = None
    """Who raised: the program or the metric."""
    seconds: float = 0.0
    """How long the program took, without the metric."""
    spent: Spent = NOTHING_SPENT
    """By the program."""
    spent_by_metric: Spent = NOTHING_SPENT

    @property
    def ok(self) -> bool:
        return self.error is None

    @property
    def reason(self) -> str | None:
        """Why there is no score, in one line; None where there is one."""
        if self.error is None:
            return None
        text = str(self.error).strip().partition("\n")[0]
        said = f"{type(self.error).__name__}: {text}" if text else type(self.error).__name__
        return f"{self.failed_in} failed: {said}"
