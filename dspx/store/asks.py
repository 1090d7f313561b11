"""The questions that studies put to language models, recorded so that a resumed study asks none twice."""

from __future__ import annotations

from collections.abc import Iterable

from dspx.store.base import Backend, Where, equal
from dspx.store.journal import append, lock_of, one_run
from dspx.store.records import Ask
from dspx.store.rows import record_of, row_of
from dspx.store.schema import ASKS


class Asks:
    """Record and find asks, by label, inputs and how many times the same was asked before."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def record(self, ask: Ask) -> Ask:
        """`ask` with its place in the run, as it will be found: committed when this returns."""
        return self.record_all([ask])[0]

    def record_all(self, asks: Iterable[Ask]) -> list[Ask]:
        """The same for many of one run, in one transaction: all of them or none."""
        asks = list(asks)
        if not asks:
            return []
        run_id = one_run([ask.run_id for ask in asks])
        rows = [row_of(ASKS, ask) for ask in asks]
        with self._backend.writing(lock_of(run_id)) as tables:
            return [record_of(Ask, row) for row in append(tables, ASKS, run_id, rows)]

    def find(self, run_id: str, label: str, inputs_hash: str, occurrence: int = 0) -> Ask | None:
        """The ask recorded, None where there is none yet."""
        key = equal(run_id=run_id, label=label, inputs_hash=inputs_hash, occurrence=occurrence)
        with self._backend.reading() as tables:
            rows = tables.find(ASKS, key)
            return record_of(Ask, rows[0]) if rows else None

    def find_all(
        self,
        run_id: str,
        *,
        label: str | None = None,
        after: int | None = None,
        until: int | None = None,
        limit: int | None = None,
    ) -> list[Ask]:
        """A run's asks in the order of their places, of those `after` one place and `until` another."""
        where = equal(run_id=run_id, label=label)
        where += [Where("sequence", ">", after)] if after is not None else []
        where += [Where("sequence", "<=", until)] if until is not None else []
        with self._backend.reading() as tables:
            rows = tables.find(ASKS, where, order="sequence", limit=limit)
        return [record_of(Ask, row) for row in rows]
