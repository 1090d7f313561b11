"""The tables of a store, in no database's words: both back ends are made from these."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["text", "integer", "real"]


@dataclass(frozen=True)
class Table:
    """Columns that records are found by. What is not found by is JSON text in one more column, `body`."""

    name: str
    key: tuple[str, ...]
    """The columns that identify a row; they are never null."""
    columns: Mapping[str, Kind] = field(hash=False)
    indexes: tuple[tuple[str, ...], ...] = ()


RUNS = Table(
    "runs",
    key=("id",),
    columns={
        "id": "text",
        "kind": "text",
        "name": "text",
        "status": "text",
        "created": "real",
        "sequence": "integer",  # the place of the last rollout or ask
        "body": "text",
    },
    indexes=(("created",),),
)
CANDIDATES = Table(
    "candidates",
    key=("run_id", "hash"),
    columns={"run_id": "text", "hash": "text", "body": "text"},
)
ROLLOUTS = Table(
    "rollouts",
    key=("run_id", "key"),
    columns={
        "run_id": "text",
        "key": "text",
        "sequence": "integer",
        "candidate_hash": "text",
        "example_key": "text",
        "score": "real",
        "failed": "integer",
        "cost": "real",
        "seconds": "real",
        "body": "text",
    },
    indexes=(("run_id", "sequence"),),
)
ASKS = Table(
    "asks",
    key=("run_id", "label", "inputs_hash", "occurrence"),
    columns={
        "run_id": "text",
        "label": "text",
        "inputs_hash": "text",
        "occurrence": "integer",
        "sequence": "integer",
        "cost": "real",
        "body": "text",
    },
    indexes=(("run_id", "sequence"),),
)
LEASES = Table(
    "leases",
    key=("run_id",),
    columns={"run_id": "text", "owner": "text", "token": "text", "expires": "real"},
)
PROGRAMS = Table(
    "programs",
    key=("name", "version"),
    columns={"name": "text", "version": "integer", "status": "text", "created": "real", "body": "text"},
)
SPACES = Table(
    "spaces",
    key=("space_id", "version"),
    columns={"space_id": "text", "version": "integer", "body": "text"},
)
CONFIGURATIONS = Table(
    "configurations",
    key=("space_id", "version"),
    columns={"space_id": "text", "version": "integer", "body": "text"},
)
DATASETS = Table(
    "datasets",
    key=("name", "version"),
    columns={"name": "text", "version": "integer", "hash": "text", "body": "text"},
    indexes=(("hash",),),
)
EXAMPLES = Table(
    "examples",
    key=("dataset_hash", "position"),
    columns={"dataset_hash": "text", "position": "integer", "body": "text"},
)
EXECUTIONS = Table(
    "executions",
    key=("id",),
    columns={
        "id": "text",
        "parent_id": "text",
        "program": "text",
        "program_version": "integer",
        "session": "text",
        "run": "text",
        "trace_id": "text",
        "status": "text",
        "started": "real",
        "duration": "real",
        "cost": "real",
        "body": "text",
    },
    indexes=(
        ("started",),
        ("program", "started"),
        ("status", "started"),
        ("session",),
        ("run",),
        ("trace_id",),
        ("parent_id",),
    ),
)

TABLES = (
    RUNS,
    CANDIDATES,
    ROLLOUTS,
    ASKS,
    LEASES,
    PROGRAMS,
    SPACES,
    CONFIGURATIONS,
    DATASETS,
    EXAMPLES,
    EXECUTIONS,
)

UPGRADES: tuple[tuple[str, ...], ...] = ()
"""SQL that leads from schema 1 to 2, from 2 to 3, …; every change of `TABLES` after a release adds one."""


def current_schema() -> int:
    """The version of the tables above. A newer one is refused, an older one is brought up to it."""
    return 1 + len(UPGRADES)
