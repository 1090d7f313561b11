"""Record ↔ row: columns for what is found by, JSON text for the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, TypeVar

from dspx.store.base import Row, Tables, Where, equal
from dspx.store.jsontext import decode, encode
from dspx.store.records import Record, check_text
from dspx.store.schema import Table

R = TypeVar("R", bound=Record)

CHUNK = 500
"""How many values one `in` may list: old SQLite takes 999 parameters."""


def row_of(table: Table, record: Record, *, without: Sequence[str] = ()) -> Row:
    """The row that keeps `record`, except the fields `without`, which are kept elsewhere."""
    row: Row = {name: _cell(table, name, record) for name in table.columns if hasattr(record, name)}
    rest = {
        f.name: getattr(record, f.name) for f in fields(record) if f.name not in row and f.name not in without
    }
    row["body"] = encode(rest, type(record).__name__)
    return row


def record_of(cls: type[R], row: Row) -> R:
    """The record that `row` keeps."""
    return cls.from_json({**row, **decode(row["body"])})


def find_one(tables: Tables, cls: type[R], table: Table, **key: Any) -> R | None:
    """The record with these values in its columns, if there is one."""
    rows = tables.find(table, equal(**key), limit=1)
    return record_of(cls, rows[0]) if rows else None


def find_latest(tables: Tables, cls: type[R], table: Table, **key: Any) -> R | None:
    """The record with the highest version among those with these values in their columns."""
    rows = tables.find(table, equal(**key), order="-version", limit=1)
    return record_of(cls, rows[0]) if rows else None


def find_among(
    tables: Tables, table: Table, where: Sequence[Where], column: str, values: Sequence[Any]
) -> list[Row]:
    """The rows that meet `where` and have one of `values` in `column`, however many values there are."""
    found: list[Row] = []
    for start in range(0, len(values), CHUNK):
        found += tables.find(table, [*where, Where(column, "in", list(values[start : start + CHUNK]))])
    return found


def key_of(table: Table, row: Row) -> tuple[Any, ...]:
    """What identifies `row` in its table."""
    return tuple(row[name] for name in table.key)


def _cell(table: Table, name: str, record: Record) -> Any:
    value = getattr(record, name)
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str):
        check_text(value, f"{type(record).__name__}.{name} of table {table.name}")
    return value
