"""The rollouts of runs: one candidate on one example, recorded once under its key."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from dspx.store.base import Backend, Row, Tables, Where, equal
from dspx.store.journal import append, lock_of, one_run
from dspx.store.jsontext import decode, encode
from dspx.store.records import Rollout
from dspx.store.rows import find_among, record_of, row_of
from dspx.store.schema import CANDIDATES, ROLLOUTS

_FEW = 50
"""Up to so many candidates are looked up one by one; more are read with all others of the run."""


class Rollouts:
    """Record and find rollouts. A candidate is kept once per run, however many rollouts it has."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def record(self, rollout: Rollout) -> Rollout:
        """`rollout` with its place in the run, as it will be found: committed when this returns."""
        return self.record_all([rollout])[0]

    def record_all(self, rollouts: Iterable[Rollout]) -> list[Rollout]:
        """The same for many of one run, in one transaction: all of them or none."""
        recorded, candidates = self._written(list(rollouts))
        given = {row["hash"]: decode(row["body"]) for row in candidates}
        return [_rollout(row, given) for row in recorded]

    def commit_all(self, rollouts: Iterable[Rollout]) -> None:
        """`record_all` for who has no use for what it gives."""
        self._written(list(rollouts))

    def _written(self, rollouts: list[Rollout]) -> tuple[list[Row], list[Row]]:
        """The rows as they are recorded now, and those of the candidates given with them."""
        if not rollouts:
            return [], []
        run_id = one_run([rollout.run_id for rollout in rollouts])
        rows = [row_of(ROLLOUTS, rollout, without=("candidate",)) for rollout in rollouts]
        candidates = _candidate_rows(rollouts)
        with self._backend.writing(lock_of(run_id)) as tables:
            recorded = append(tables, ROLLOUTS, run_id, rows)
            _add_candidates(tables, run_id, candidates)
        return recorded, candidates

    def find(self, run_id: str, key: str) -> Rollout | None:
        """The rollout recorded under `key`, None where there is none yet."""
        with self._backend.reading() as tables:
            rows = tables.find(ROLLOUTS, equal(run_id=run_id, key=key))
            return _complete(tables, run_id, rows)[0] if rows else None

    def find_all(
        self,
        run_id: str,
        *,
        candidate_hash: str | None = None,
        example_key: str | None = None,
        after: int | None = None,
        until: int | None = None,
        limit: int | None = None,
    ) -> list[Rollout]:
        """A run's rollouts in the order of their places, of those `after` one place and `until` another."""
        where = equal(run_id=run_id, candidate_hash=candidate_hash, example_key=example_key)
        where += [Where("sequence", ">", after)] if after is not None else []
        where += [Where("sequence", "<=", until)] if until is not None else []
        with self._backend.reading() as tables:
            rows = tables.find(ROLLOUTS, where, order="sequence", limit=limit)
            return _complete(tables, run_id, rows)

    def failures(self, run_id: str, *, limit: int = 5) -> list[Rollout]:
        """The last rollouts that failed, the newest first."""
        with self._backend.reading() as tables:
            rows = tables.find(ROLLOUTS, equal(run_id=run_id, failed=1), order="-sequence", limit=limit)
            return _complete(tables, run_id, rows)

    def candidates(self, run_id: str) -> dict[str, Any]:
        """All candidates of a run by hash, without their rollouts."""
        with self._backend.reading() as tables:
            return {row["hash"]: decode(row["body"]) for row in tables.find(CANDIDATES, equal(run_id=run_id))}


def _candidate_rows(rollouts: Sequence[Rollout]) -> list[Row]:
    given = {r.candidate_hash: r for r in rollouts if r.candidate is not None}
    return [
        {"run_id": r.run_id, "hash": r.candidate_hash, "body": encode(r.candidate, "Rollout.candidate")}
        for r in given.values()
    ]


def _add_candidates(tables: Tables, run_id: str, rows: Sequence[Row]) -> None:
    wanted = [row["hash"] for row in rows]
    known = {row["hash"] for row in find_among(tables, CANDIDATES, equal(run_id=run_id), "hash", wanted)}
    tables.add(CANDIDATES, [row for row in rows if row["hash"] not in known])


def _complete(tables: Tables, run_id: str, rows: Sequence[Row]) -> list[Rollout]:
    """Rollouts from their rows, with the candidates, which are kept apart."""
    hashes = list({row["candidate_hash"] for row in rows})
    where = equal(run_id=run_id)
    found = (
        find_among(tables, CANDIDATES, where, "hash", hashes)
        if len(hashes) <= _FEW
        else tables.find(CANDIDATES, where)
    )
    candidates = {row["hash"]: decode(row["body"]) for row in found}
    return [_rollout(row, candidates) for row in rows]


def _rollout(row: Row, candidates: dict[str, Any]) -> Rollout:
    return replace(record_of(Rollout, row), candidate=candidates.get(row["candidate_hash"]))
