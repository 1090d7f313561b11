"""What a store holds, in numbers; and what in it does not add up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dspx.runtime import clock
from dspx.store.base import Backend, Tables, equal
from dspx.store.schema import ASKS, CANDIDATES, LEASES, PROGRAMS, ROLLOUTS, RUNS, TABLES, current_schema


@dataclass(frozen=True)
class StoreInfo:
    """Where a store is (without secrets), the schema of its tables, the one this dspx knows, and rows by table.

    `schema` is None and `rows` empty where there is no store yet.
    """

    url: str
    schema: int | None
    known_schema: int
    rows: Mapping[str, int]


def info(backend: Backend) -> StoreInfo:
    """What is there. Nothing is made, and nothing brought up to date."""
    schema = backend.schema_version()
    rows: dict[str, int] = {}
    if schema == current_schema():
        with backend.reading() as tables:
            rows = {table.name: tables.count(table) for table in TABLES}
    return StoreInfo(backend.url, schema, current_schema(), rows)


def problems(backend: Backend) -> list[str]:
    """What does not add up, a sentence each: lost records, runs left behind by a crash, two programs in production."""
    with backend.reading() as tables:
        return [*_of_runs(tables), *_of_programs(tables)]


def _of_runs(tables: Tables) -> Iterator[str]:
    now = clock.time()
    held = {row["run_id"] for row in tables.find(LEASES) if row["expires"] > now}
    for run in tables.find(RUNS, order="created", columns=("id", "status", "sequence")):
        yield from _of_records(tables, run["id"], run["sequence"])
        if run["status"] == "running" and run["id"] not in held:
            yield f"Run {run['id']!r} is running, but no process holds it: it was killed, or runs without a lease."


def _of_records(tables: Tables, run_id: str, places: int) -> Iterator[str]:
    """Every place from 1 to `places` is taken by a rollout or an ask, and rollouts' candidates are there."""
    rollouts = tables.find(ROLLOUTS, equal(run_id=run_id), columns=("sequence", "candidate_hash"))
    asks = tables.find(ASKS, equal(run_id=run_id), columns=("sequence",))
    found = {row["sequence"] for row in [*rollouts, *asks]}
    lost = [place for place in range(1, places + 1) if place not in found]
    if lost:
        yield f"Run {run_id!r} has lost {len(lost)} of its {places} records, the first at place {lost[0]}."
    known = {row["hash"] for row in tables.find(CANDIDATES, equal(run_id=run_id), columns=("hash",))}
    without = Counter(row["candidate_hash"] for row in rollouts if row["candidate_hash"] not in known)
    if known and without:
        yield f"Run {run_id!r} has rollouts of {len(without)} candidates that are not in the store."


def _of_programs(tables: Tables) -> Iterator[str]:
    live = Counter(row["name"] for row in tables.find(PROGRAMS, equal(status="production")))
    for name, count in live.items():
        if count > 1:
            yield f"Program {name!r} has {count} versions in production; promote the one that is to stay."
