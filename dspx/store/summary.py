"""What happened in a run, in numbers; and where two runs differ."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from dspx.store.base import Row, Tables, equal
from dspx.store.jsontext import plain
from dspx.store.records import Run
from dspx.store.schema import ASKS, ROLLOUTS

GUARDED = ("kind", "program_hash", "dataset_hash", "metric", "seed", "config")
"""What makes two searches the same search."""

_COLUMNS = ("candidate_hash", "example_key", "score", "failed", "cost", "seconds", "sequence")


@dataclass(frozen=True)
class RunSummary:
    """A run and what happened in it. Costs are in dollars, None where none is known.

    `mean_score` is over rollouts that have a score; `candidates` gives the mean and number for each candidate.
    """

    run: Run
    rollouts: int
    errors: int
    asks: int
    last_sequence: int
    mean_score: float | None
    candidates: Mapping[str, tuple[float, int]]
    rollout_cost: float | None
    ask_cost: float | None
    seconds: float

    @property
    def best_candidate(self) -> str | None:
        """The hash of the candidate with the highest mean; of equals the one with more rollouts."""
        return max(self.candidates, key=lambda name: (self.candidates[name], name), default=None)


@dataclass(frozen=True)
class RunComparison:
    """Two runs side by side: `differences` gives both values of what was asked for and differs.

    `common_examples` is how many examples have a score in both; `mean_difference` is second minus first over those.
    """

    first: RunSummary
    second: RunSummary
    differences: Mapping[str, tuple[Any, Any]]
    common_examples: int
    mean_difference: float | None


def summarize(tables: Tables, run: Run) -> RunSummary:
    """The numbers of `run`; candidates, values and traces are not read for it."""
    rollouts = _rollouts(tables, run.id)
    asks = tables.find(ASKS, equal(run_id=run.id), columns=("cost", "sequence"))
    scores = [row["score"] for row in rollouts if row["score"] is not None]
    return RunSummary(
        run=run,
        rollouts=len(rollouts),
        errors=sum(row["failed"] for row in rollouts),
        asks=len(asks),
        last_sequence=max((row["sequence"] for row in [*rollouts, *asks]), default=0),
        mean_score=_mean(scores),
        candidates={
            name: (_mean(s) or 0.0, len(s)) for name, s in _scores(rollouts, "candidate_hash").items()
        },
        rollout_cost=_total(row["cost"] for row in rollouts),
        ask_cost=_total(row["cost"] for row in asks),
        seconds=sum(row["seconds"] for row in rollouts),
    )


def compare(tables: Tables, first: Run, second: Run) -> RunComparison:
    """`first` and `second` side by side."""
    scores = [_scores(_rollouts(tables, run.id), "example_key") for run in (first, second)]
    common = scores[0].keys() & scores[1].keys()
    gains = [
        (_mean(scores[1][example]) or 0.0) - (_mean(scores[0][example]) or 0.0) for example in sorted(common)
    ]
    return RunComparison(
        first=summarize(tables, first),
        second=summarize(tables, second),
        differences=differences(first, second),
        common_examples=len(common),
        mean_difference=_mean(gains),
    )


def differences(first: Run, second: Run) -> dict[str, tuple[Any, Any]]:
    """Both values of everything that two runs were asked to do differently; a configuration entry by entry."""
    found: dict[str, tuple[Any, Any]] = {}
    for name in GUARDED:
        old, new = plain(getattr(first, name)), plain(getattr(second, name))
        if isinstance(old, dict) and isinstance(new, dict):
            keys = [key for key in {**old, **new} if old.get(key, ...) != new.get(key, ...)]
            found.update({f"{name}.{key}": (old.get(key), new.get(key)) for key in keys})
        elif old != new:
            found[name] = (old, new)
    return found


def _rollouts(tables: Tables, run_id: str) -> list[Row]:
    return tables.find(ROLLOUTS, equal(run_id=run_id), order="sequence", columns=_COLUMNS)


def _scores(rows: Iterable[Row], column: str) -> dict[str, list[float]]:
    """The scores there are, by what is in `column`."""
    grouped: defaultdict[str, list[float]] = defaultdict(list)
    for row in rows:
        if row["score"] is not None:
            grouped[row[column]].append(row["score"])
    return dict(grouped)


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _total(costs: Iterable[float | None]) -> float | None:
    known = [cost for cost in costs if cost is not None]
    return sum(known) if known else None
