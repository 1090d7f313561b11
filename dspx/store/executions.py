"""Executions: single calls of programs, kept for good once they ended, and what they say together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dspx.errors import RecordConflict, UsageError
from dspx.store.base import Backend, Tables, Where, equal
from dspx.store.errors import RecordNotFound
from dspx.store.records import Execution, ExecutionStatus
from dspx.store.rows import find_one, record_of, row_of
from dspx.store.schema import EXECUTIONS

_ORDER: dict[ExecutionStatus, int] = {"pending": 0, "running": 1, "completed": 2, "failed": 2}


@dataclass(frozen=True)
class ExecutionSummary:
    """How executions went. `success_rate` is completed among ended; latencies are in seconds; None without any."""

    executions: int
    completed: int
    failed: int
    success_rate: float | None
    p50: float | None
    p95: float | None
    p99: float | None
    cost: float | None


class Executions:
    """Record, find and query executions."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def record(self, execution: Execution) -> Execution:
        """`execution` as it is now. `RecordConflict` once it ended, unless it is the same again."""
        row = row_of(EXECUTIONS, execution)
        with self._backend.writing(f"execution:{execution.id}") as tables:
            there = find_one(tables, Execution, EXECUTIONS, id=execution.id)
            recorded = record_of(Execution, row)
            if there is None:
                tables.add(EXECUTIONS, [row])
            elif there != recorded:
                _check(there, recorded)
                tables.change(EXECUTIONS, equal(id=execution.id), {n: v for n, v in row.items() if n != "id"})
            return recorded

    def find(self, id: str) -> Execution:
        """The execution. `RecordNotFound` where there is none."""
        with self._backend.reading() as tables:
            found = find_one(tables, Execution, EXECUTIONS, id=id)
        if found is None:
            raise RecordNotFound(f"The store has no execution {id!r}.")
        return found

    def query(
        self,
        *,
        program: str | None = None,
        version: int | None = None,
        status: ExecutionStatus | None = None,
        since: float | None = None,
        until: float | None = None,
        session: str | None = None,
        run: str | None = None,
        trace_id: str | None = None,
        parent_id: str | None = None,
        limit: int | None = 100,
    ) -> list[Execution]:
        """Executions that meet all conditions, the newest first. Times are seconds since 1970."""
        where = equal(
            program=program,
            program_version=version,
            status=status,
            session=session,
            run=run,
            trace_id=trace_id,
            parent_id=parent_id,
        )
        with self._backend.reading() as tables:
            rows = tables.find(EXECUTIONS, where + _between(since, until), order="-started", limit=limit)
        return [record_of(Execution, row) for row in rows]

    def summary(
        self,
        *,
        program: str | None = None,
        version: int | None = None,
        since: float | None = None,
        until: float | None = None,
        session: str | None = None,
        run: str | None = None,
    ) -> ExecutionSummary:
        """Success rate, latency and cost of the executions that meet all conditions."""
        where = equal(program=program, program_version=version, session=session, run=run)
        with self._backend.reading() as tables:
            return _summary(tables, where + _between(since, until))

    def prune(self, *, before: float) -> int:
        """Remove executions that started earlier, and say how many those were."""
        with self._backend.writing("executions") as tables:
            return tables.remove(EXECUTIONS, [Where("started", "<", before)])


def percentile(values: Sequence[float], share: float) -> float | None:
    """The value that `share` (0 to 1) of sorted `values` do not exceed, between two where it falls between."""
    if not 0 <= share <= 1:
        raise UsageError(f"A share lies between 0 and 1: {share}.")
    if not values:
        return None
    place = share * (len(values) - 1)
    low = int(place)
    high = min(low + 1, len(values) - 1)
    return values[low] + (values[high] - values[low]) * (place - low)


def _between(since: float | None, until: float | None) -> list[Where]:
    where = [Where("started", ">=", since)] if since is not None else []
    return where + ([Where("started", "<", until)] if until is not None else [])


def _check(there: Execution, now: Execution) -> None:
    if there.status in ("completed", "failed"):
        raise RecordConflict(f"Execution {there.id} has {there.status}, and stays as it is.")
    if _ORDER[now.status] < _ORDER[there.status]:
        raise RecordConflict(f"Execution {there.id} is {there.status} and cannot be {now.status} again.")


def _summary(tables: Tables, where: list[Where]) -> ExecutionSummary:
    rows = tables.find(EXECUTIONS, where, columns=("id", "status", "duration", "cost"))
    completed = sum(row["status"] == "completed" for row in rows)
    failed = sum(row["status"] == "failed" for row in rows)
    durations = sorted(row["duration"] for row in rows if row["duration"] is not None)
    costs: list[Any] = [row["cost"] for row in rows if row["cost"] is not None]
    return ExecutionSummary(
        executions=len(rows),
        completed=completed,
        failed=failed,
        success_rate=completed / (completed + failed) if completed + failed else None,
        p50=percentile(durations, 0.50),
        p95=percentile(durations, 0.95),
        p99=percentile(durations, 0.99),
        cost=sum(costs) if costs else None,
    )
