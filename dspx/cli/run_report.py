"""What a run found, read from the store: its best candidate with an interval, where candidates came from, errors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dspx.core.canonical import stable_hash
from dspx.errors import RunNotFound, UsageError
from dspx.evaluate import stats
from dspx.evaluate.compare import verdict
from dspx.store import Rollout, Run, RunSummary, Store

Interval = tuple[float, float]


@dataclass(frozen=True)
class Origin:
    """A candidate of a run: how it came to be, from which, what it scored (in points), what it changed."""

    hash: str
    how: str = ""
    parents: tuple[str, ...] = ()
    score: float | None = None
    n: int = 0
    changes: tuple[str, ...] = ()


@dataclass(frozen=True)
class RunReport:
    """A run for a reader. `score` and `ci95` are the best candidate's, in points, over `n` examples.

    `best` is what the search kept in the run, `candidate` the values of the best candidate, as far as there are any.
    """

    summary: RunSummary
    best: Mapping[str, Any]
    best_hash: str | None
    candidate: Mapping[str, Any]
    score: float | None
    ci95: Interval | None
    n: int
    origins: Sequence[Origin]
    failures: Sequence[Rollout]

    @property
    def run(self) -> Run:
        return self.summary.run


@dataclass(frozen=True)
class PairedRuns:
    """The best candidates of two runs on the examples that both ran; differences are `b` minus `a`, in points."""

    a: RunReport
    b: RunReport
    differences: Mapping[str, tuple[Any, Any]]
    n: int
    a_score: float | None
    b_score: float | None
    difference: float | None
    ci95: Interval | None
    p_value: float | None
    wins: int
    losses: int
    ties: int
    verdict: str


def find_run(store: Store, text: str) -> Run:
    """The run of this id, or the only one whose id begins so."""
    try:
        return store.runs.find(text)
    except RunNotFound:
        matching = [run for run in store.runs.find_all() if run.id.startswith(text)]
    if len(matching) == 1:
        return matching[0]
    if matching:
        raise UsageError(
            f"{len(matching)} runs begin with {text!r}: {', '.join(run.id for run in matching[:5])}."
        )
    raise RunNotFound(f"The store has no run {text!r}. `dspx runs list` shows those it has.")


def read_report(store: Store, run: Run, *, errors: int = 5) -> RunReport:
    """All that there is to say of a run."""
    summary = store.runs.show(run.id)
    best: Mapping[str, Any] = run.best if isinstance(run.best, Mapping) else {}
    candidates = store.rollouts.candidates(run.id)
    best_hash = _best_hash(best, summary)
    groups = _scores(store, run.id, best_hash)
    score, ci95, n = _measured(best, groups)
    return RunReport(
        summary=summary,
        best=best,
        best_hash=best_hash,
        candidate=_mapping(best.get("candidate")) or _mapping(candidates.get(best_hash or "")),
        score=score,
        ci95=ci95,
        n=n,
        origins=_origins(best, summary, candidates),
        failures=store.rollouts.failures(run.id, limit=errors),
    )


def compare_runs(store: Store, a: Run, b: Run, *, all_candidates: bool = False) -> PairedRuns:
    """`b` against `a`, example by example: the best candidate of each, or all that each tried."""
    reports = read_report(store, a), read_report(store, b)
    scores = [
        _scores(store, report.run.id, None if all_candidates else report.best_hash) for report in reports
    ]
    common = [key for key in scores[0] if key in scores[1]]
    means = [(_mean(scores[0][key]), _mean(scores[1][key])) for key in common]
    moves = [after - before for before, after in means]
    found = stats.paired(moves) if moves else None
    return PairedRuns(
        a=reports[0],
        b=reports[1],
        differences=store.runs.compare(a.id, b.id).differences,
        n=len(common),
        a_score=_points(_mean([before for before, _ in means])) if means else None,
        b_score=_points(_mean([after for _, after in means])) if means else None,
        difference=_points(found.difference) if found else None,
        ci95=_interval(found.ci95) if found else None,
        p_value=found.p_value if found else None,
        wins=sum(move > 0 for move in moves),
        losses=sum(move < 0 for move in moves),
        ties=sum(move == 0 for move in moves),
        verdict=_verdict(found, a.id, b.id),
    )


def _verdict(found: stats.Paired | None, a: str, b: str) -> str:
    if found is None:
        return "there is no example that both runs scored, so nothing can be said"
    return verdict(100 * found.difference, found.p_value, found.n, found.needs, a, b)


# ---------------------------------------------------------------- the best candidate


def _best_hash(best: Mapping[str, Any], summary: RunSummary) -> str | None:
    """The candidate that the search kept; where it says none, the one with the highest mean."""
    for name in ("candidate_hash", "hash"):
        if isinstance(best.get(name), str):
            return best[name]
    if isinstance(best.get("candidate"), Mapping):
        return stable_hash(best["candidate"])
    return summary.best_candidate


def _measured(
    best: Mapping[str, Any], groups: Mapping[str, list[float]]
) -> tuple[float | None, Interval | None, int]:
    """Score, interval and number of examples: as kept with the run where it says all, else from its rollouts."""
    kept = best.get("ci95")
    if isinstance(best.get("score"), (int, float)) and isinstance(kept, (list, tuple)) and len(kept) == 2:
        return float(best["score"]), (float(kept[0]), float(kept[1])), int(best.get("n") or 0)
    if groups:
        means = [_mean(group) for group in groups.values()]
        return (
            _points(_mean(means)),
            _interval(stats.mean_interval(list(groups.values()))),
            len(means),
        )
    score = best.get("score")
    return (float(score) if isinstance(score, (int, float)) else None), None, int(best.get("n") or 0)


def _scores(store: Store, run_id: str, candidate: str | None) -> dict[str, list[float]]:
    """The scores there are by example, of one candidate or of all."""
    grouped: dict[str, list[float]] = {}
    for rollout in store.rollouts.find_all(run_id, candidate_hash=candidate):
        if rollout.score is not None:
            grouped.setdefault(rollout.example_key, []).append(rollout.score)
    return grouped


# ---------------------------------------------------------------- where candidates came from


def _origins(
    best: Mapping[str, Any], summary: RunSummary, candidates: Mapping[str, Any]
) -> tuple[Origin, ...]:
    """As the search kept them; else the candidates that were tried, each against the first."""
    kept = best.get("lineage")
    if isinstance(kept, list) and kept:
        return tuple(_kept(entry, candidates) for entry in kept if isinstance(entry, Mapping))
    tried = list(summary.candidates)
    first = _mapping(candidates.get(tried[0])) if tried else {}
    return tuple(
        Origin(
            name,
            score=_points(mean),
            n=n,
            changes=_changed(first, _mapping(candidates.get(name))) if name != tried[0] else (),
        )
        for name, (mean, n) in summary.candidates.items()
    )


def _kept(entry: Mapping[str, Any], candidates: Mapping[str, Any]) -> Origin:
    parents = entry.get("parents") or ([entry["parent"]] if entry.get("parent") else [])
    score, name = entry.get("score"), str(entry.get("hash") or entry.get("candidate_hash") or "?")
    before = _mapping(candidates.get(str(parents[0]))) if parents else {}
    return Origin(
        hash=name,
        how=str(entry.get("how") or ""),
        parents=tuple(str(parent) for parent in parents),
        score=float(score) if isinstance(score, (int, float)) else None,
        n=int(entry.get("n") or 0),
        changes=_changed(before, _mapping(candidates.get(name))),
    )


def _changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    if not before or not after:
        return ()
    return tuple(name for name in {**before, **after} if before.get(name) != after.get(name))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _mean(values: Iterable[float]) -> float:
    listed = list(values)
    return sum(listed) / len(listed)


def _points(value: float) -> float:
    return round(100 * value, 2)


def _interval(interval: Interval | None) -> Interval | None:
    return None if interval is None else (_points(interval[0]), _points(interval[1]))
