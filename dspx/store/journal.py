"""A run's one order of rollouts and asks: each gets the next place, and is written once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dspx.errors import RecordConflict, RunNotFound, UsageError
from dspx.store.base import Row, Tables, equal
from dspx.store.jsontext import decode
from dspx.store.rows import find_among, key_of
from dspx.store.schema import ASKS, ROLLOUTS, RUNS, Table

_LOOKED_UP_BY = {ROLLOUTS.name: "key", ASKS.name: "inputs_hash"}
_WHAT_IT_TOOK = ("sequence", "seconds", "cost", "usage")


def lock_of(run_id: str) -> str:
    """What transactions that write to this run take turns on."""
    return f"run:{run_id}"


def append(tables: Tables, table: Table, run_id: str, rows: Sequence[Row]) -> list[Row]:
    """`rows` as they are recorded now, those that were there already included.

    `RecordConflict` when one is there with other content, or is new to a completed run. What a rollout took
    (time, tokens, money) is not content: whoever came first has said it.
    """
    known = _recorded(tables, table, run_id, rows)
    new: list[Row] = []
    recorded: list[Row] = []
    for row in rows:
        there = known.setdefault(key_of(table, row), row)
        if there is row:
            new.append(row)
        elif _content(there) != _content(row):
            raise _conflict(table, there, row)
        recorded.append(there)
    if new:
        _number(tables, run_id, new)
        tables.add(table, new)
    return recorded


def one_run(run_ids: Sequence[str]) -> str:
    """The run that all of a batch belong to."""
    if len(set(run_ids)) != 1:
        raise UsageError(f"A batch is recorded in one transaction on one run, not on {sorted(set(run_ids))}.")
    return run_ids[0]


def _recorded(tables: Tables, table: Table, run_id: str, rows: Sequence[Row]) -> dict[tuple[Any, ...], Row]:
    """Rows that are there under the keys of `rows`, and perhaps a few more."""
    if len(rows) == 1:
        found = tables.find(table, equal(**{name: rows[0][name] for name in table.key}))
    else:
        column = _LOOKED_UP_BY[table.name]
        wanted = list(dict.fromkeys(row[column] for row in rows))
        found = find_among(tables, table, equal(run_id=run_id), column, wanted)
    return {key_of(table, row): row for row in found}


def _number(tables: Tables, run_id: str, rows: Sequence[Row]) -> None:
    """Give `rows` the next places of the run."""
    runs = tables.find(RUNS, equal(id=run_id), columns=("status", "sequence"))
    if not runs:
        raise RunNotFound(f"No run {run_id!r}: record the run before what happens in it.")
    if runs[0]["status"] == "completed":
        raise RecordConflict(
            f"Run {run_id!r} is completed, so nothing new is recorded in it. Fork it to go on."
        )
    last = runs[0]["sequence"]
    for place, row in enumerate(rows, start=last + 1):
        row["sequence"] = place
    tables.change(RUNS, equal(id=run_id), {"sequence": last + len(rows)})


def _content(row: Row) -> dict[str, Any]:
    content = {**row, **decode(row["body"])}
    return {name: value for name, value in content.items() if name not in (*_WHAT_IT_TOOK, "body")}


def _conflict(table: Table, there: Row, row: Row) -> RecordConflict:
    old, new = _content(there), _content(row)
    names = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
    key = ", ".join(str(value) for value in key_of(table, row)[1:])
    return RecordConflict(
        f"Run {row['run_id']!r} has a record of {table.name} under {key} with other {', '.join(names)}. "
        "Two processes are working on it, or its keys do not tell everything apart."
    )
