"""A store in this process's memory, gone with it: for tests and for studies that nobody will resume."""

from __future__ import annotations

import operator
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from typing import Any

from dspx.errors import RecordConflict
from dspx.runtime.locks import Lock
from dspx.store.base import Row, Where
from dspx.store.rows import key_of
from dspx.store.schema import TABLES, Table, current_schema

Key = tuple[Any, ...]
Undo = Callable[[], object]

_TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "in": lambda value, values: value in values,
}


class MemoryBackend:
    """Tables as dicts. One transaction at a time, and one that fails leaves nothing behind."""

    url = "memory://"

    def __init__(self) -> None:
        self._lock = Lock()
        self._tables = {table.name: _Partitions() for table in TABLES}

    @contextmanager
    def reading(self) -> Generator[MemoryTables]:
        with self._lock:
            yield MemoryTables(self._tables, [])

    @contextmanager
    def writing(self, on: str) -> Generator[MemoryTables]:
        undo: list[Undo] = []
        with self._lock:
            try:
                yield MemoryTables(self._tables, undo)
            except BaseException:
                for step in reversed(undo):
                    step()
                raise

    def schema_version(self) -> int | None:
        return current_schema()

    def close(self) -> None:
        """The records stay for as long as the store does."""


class MemoryTables:
    """The tables within one transaction; `undo` takes down how to go back."""

    def __init__(self, tables: dict[str, _Partitions], undo: list[Undo]) -> None:
        self._tables = tables
        self._undo = undo

    def find(
        self,
        table: Table,
        where: Sequence[Where] = (),
        *,
        order: str = "",
        limit: int | None = None,
        columns: tuple[str, ...] | None = None,
    ) -> list[Row]:
        rows = sorted(self._meeting(table, where), key=lambda row: key_of(table, row))
        if order:
            column = order.lstrip("-")
            rows.sort(key=lambda row: row[column], reverse=order.startswith("-"))
        return [{name: row[name] for name in columns or row} for row in rows[:limit]]

    def count(self, table: Table, where: Sequence[Where] = ()) -> int:
        return len(self._meeting(table, where))

    def add(self, table: Table, rows: Sequence[Row]) -> None:
        kept = self._tables[table.name]
        for row in rows:
            key = key_of(table, row)
            if kept.get(key) is not None:
                raise RecordConflict(f"A row {key} is in {table.name} already.")
            kept.put(key, {name: row.get(name) for name in table.columns})
            self._undo.append(lambda key=key: kept.remove(key))

    def change(self, table: Table, where: Sequence[Where], values: Row) -> int:
        kept = self._tables[table.name]
        rows = self._meeting(table, where)
        for row in rows:
            key = key_of(table, row)
            kept.put(key, {**row, **values})
            self._undo.append(lambda key=key, row=row: kept.put(key, row))
        return len(rows)

    def remove(self, table: Table, where: Sequence[Where]) -> int:
        kept = self._tables[table.name]
        rows = self._meeting(table, where)
        for row in rows:
            key = key_of(table, row)
            kept.remove(key)
            self._undo.append(lambda key=key, row=row: kept.put(key, row))
        return len(rows)

    def _meeting(self, table: Table, where: Sequence[Where]) -> list[Row]:
        exact = {condition.column: condition.value for condition in where if condition.operator == "="}
        kept = self._tables[table.name]
        if all(name in exact for name in table.key):
            row = kept.get(tuple(exact[name] for name in table.key))
            rows: Iterable[Row] = () if row is None else (row,)
        else:
            rows = kept.within(exact.get(table.key[0]))
        return [row for row in rows if all(_meets(row, condition) for condition in where)]


class _Partitions:
    """Rows by key, in one dict for each value of the key's first column: most questions are about one run."""

    def __init__(self) -> None:
        self._parts: dict[Any, dict[Key, Row]] = {}

    def get(self, key: Key) -> Row | None:
        return self._parts.get(key[0], {}).get(key)

    def put(self, key: Key, row: Row) -> None:
        self._parts.setdefault(key[0], {})[key] = row

    def remove(self, key: Key) -> None:
        part = self._parts[key[0]]
        del part[key]
        if not part:
            del self._parts[key[0]]

    def within(self, first: Any) -> list[Row]:
        if first is not None:
            return list(self._parts.get(first, {}).values())
        return [row for part in self._parts.values() for row in part.values()]


def _meets(row: Row, condition: Where) -> bool:
    value = row[condition.column]
    return value is not None and _TESTS[condition.operator](value, condition.value)
