"""Runs: studies and evaluations as they are kept. They never expire by themselves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from dspx.errors import RecordConflict, RunNotFound, SearchDiverged, UsageError
from dspx.runtime import clock
from dspx.store import transfer
from dspx.store.base import Backend, Tables, Where, equal
from dspx.store.journal import lock_of
from dspx.store.jsontext import encode, plain
from dspx.store.lifecycle import check_run
from dspx.store.records import Run, RunKind, RunStatus
from dspx.store.rows import find_one, record_of, row_of
from dspx.store.schema import ASKS, CANDIDATES, LEASES, ROLLOUTS, RUNS
from dspx.store.summary import RunComparison, RunSummary, compare, differences, summarize

_ENDS: tuple[RunStatus, ...] = ("completed", "failed", "interrupted")
_KEEP: Any = object()


class Runs:
    """Record, find, list, show, compare, fork, export and prune runs."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def record(self, run: Run) -> Run:
        """`run` as it will be found. Recording the same again is fine; `RecordConflict` when it differs."""
        run = replace(run, created=run.created or clock.time())
        with self._backend.writing(lock_of(run.id)) as tables:
            there = find_one(tables, Run, RUNS, id=run.id)
            if there is None:
                return _add(tables, run)
        unlike = differences(there, run)
        if unlike:
            raise RecordConflict(f"Run {run.id!r} is there already, with {_listed(unlike)}. Use another id.")
        return there

    def resume(self, run: Run) -> Run:
        """The run of this id, recorded now if it is new. `SearchDiverged` when it is not the same search.

        The same means: kind, program, dataset, metric, seed and configuration.
        """
        try:
            return self.record(run)
        except RecordConflict as conflict:
            unlike = differences(self.find(run.id), run)
            raise SearchDiverged(
                f"Run {run.id!r} was recorded with {_listed(unlike)}. What is recorded holds for that only: "
                "use another run_id, or go back to what it was."
            ) from conflict

    def find(self, run_id: str) -> Run:
        """The run. `RunNotFound` where there is none."""
        with self._backend.reading() as tables:
            return _found(tables, run_id)

    def find_all(
        self,
        *,
        kind: RunKind | None = None,
        status: RunStatus | None = None,
        name: str | None = None,
        tag: str | None = None,
        since: float | None = None,
        limit: int | None = None,
    ) -> list[Run]:
        """Runs, the newest first; `since` is in seconds since 1970."""
        where = equal(kind=kind, status=status, name=name)
        where += [Where("created", ">=", since)] if since is not None else []
        with self._backend.reading() as tables:
            rows = tables.find(RUNS, where, order="-created", limit=limit if tag is None else None)
        runs = [record_of(Run, row) for row in rows]
        return [run for run in runs if tag is None or tag in run.tags][:limit]

    def update(
        self,
        run_id: str,
        *,
        status: RunStatus | None = None,
        best: Any = _KEEP,
        budget_spent: Any = _KEEP,
        tags: Iterable[str] | None = None,
    ) -> Run:
        """The run with these changed. `IllegalTransition`, or `RecordConflict` once it is completed."""
        with self._backend.writing(lock_of(run_id)) as tables:
            before = _found(tables, run_id)
            after = before if status in (None, before.status) else _moved(before, status)
            after = after if best is _KEEP else replace(after, best=plain(best, "Run.best"))
            after = after if budget_spent is _KEEP else replace(after, budget_spent=plain(budget_spent))
            if before.status == "completed" and after != before:
                raise RecordConflict(f"Run {run_id!r} is completed, and stays as it is. Fork it to go on.")
            after = after if tags is None else replace(after, tags=tuple(tags))
            row = row_of(RUNS, after)
            tables.change(RUNS, equal(id=run_id), {"status": row["status"], "body": row["body"]})
            return after

    def show(self, run_id: str) -> RunSummary:
        """The run with counts, scores and costs of what happened in it."""
        with self._backend.reading() as tables:
            return summarize(tables, _found(tables, run_id))

    def compare(self, first: str, second: str) -> RunComparison:
        """Where two runs differ in what was asked for, and their scores where both did the same example."""
        with self._backend.reading() as tables:
            return compare(tables, _found(tables, first), _found(tables, second))

    def fork(self, run_id: str, *, at: int | None = None, new_id: str | None = None) -> Run:
        """A new, pending run with what happened up to the place `at` (all so far, unless told)."""
        return transfer.fork(self._backend, self.find(run_id), at, new_id)

    def export(self, run_id: str, path: str | Path | None = None) -> Iterator[str]:
        """The run as lines of JSON, also written to `path` if given: the run, its candidates, rollouts and asks."""
        lines = transfer.lines(self._backend, self.find(run_id))
        return lines if path is None else transfer.written(lines, Path(path))

    def import_(self, source: str | Path | Iterable[str], *, new_id: str | None = None) -> Run:
        """The run of an export, a path or its lines: all of it or nothing. The same run twice is fine."""
        if isinstance(source, (str, Path)):
            with Path(source).open(encoding="utf-8") as lines:
                return transfer.read(self._backend, lines, new_id)
        return transfer.read(self._backend, source, new_id)

    def prune(
        self,
        run_ids: Iterable[str] | None = None,
        *,
        before: float | None = None,
        status: RunStatus | None = None,
        name: str | None = None,
        keep: int = 0,
        dry_run: bool = False,
    ) -> list[str]:
        """Remove the runs that meet all conditions, except the `keep` newest and those somebody works on.

        Returns the ids removed, or with `dry_run` those that would be. At least one condition must be given.
        """
        if run_ids is None and before is None and status is None and name is None and not keep:
            raise UsageError("Say which runs to remove: run_ids=, before=, status=, name= or keep=.")
        wanted = None if run_ids is None else set(run_ids)
        found = [
            run for run in self.find_all(status=status, name=name) if wanted is None or run.id in wanted
        ][keep:]
        ids = [run.id for run in found if before is None or run.created < before]
        return [run_id for run_id in ids if self._remove(run_id, dry_run)]

    def _remove(self, run_id: str, dry_run: bool) -> bool:
        with self._backend.writing(lock_of(run_id)) as tables:
            leases = tables.find(LEASES, equal(run_id=run_id))
            if leases and leases[0]["expires"] > clock.time():
                return False
            if not dry_run:
                for table in (ROLLOUTS, ASKS, CANDIDATES, LEASES):
                    tables.remove(table, equal(run_id=run_id))
                tables.remove(RUNS, equal(id=run_id))
            return True


def _add(tables: Tables, run: Run) -> Run:
    row = {**row_of(RUNS, run), "sequence": 0}
    tables.add(RUNS, [row])
    return record_of(Run, row)


def _found(tables: Tables, run_id: str) -> Run:
    run = find_one(tables, Run, RUNS, id=run_id)
    if run is None:
        raise RunNotFound(f"The store has no run {run_id!r}.")
    return run


def _moved(run: Run, status: RunStatus) -> Run:
    """`run` in its new status, with the times that go with it."""
    check_run(run.id, run.status, status)
    finished = clock.time() if status in _ENDS else None
    return replace(run, status=status, started=run.started or clock.time(), finished=finished)


def _listed(unlike: dict[str, tuple[Any, Any]]) -> str:
    parts: Sequence[str] = [f"{n} {_short(was)} instead of {_short(now)}" for n, (was, now) in unlike.items()]
    return "; ".join(parts)


def _short(value: Any) -> str:
    text = encode(value)
    return text if len(text) <= 80 else text[:77] + "..."
