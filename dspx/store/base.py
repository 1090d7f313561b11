"""What a back end does: rows in tables, changed in transactions. Everything else of a store is written once, above it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Literal, NamedTuple, Protocol

from dspx.store.schema import Table

Row = dict[str, Any]
Operator = Literal["=", "<", "<=", ">", ">=", "in"]


class Where(NamedTuple):
    """A condition on a column. Null meets none."""

    column: str
    operator: Operator
    value: Any


def equal(**values: Any) -> list[Where]:
    """Conditions that these columns have these values; a None asks for nothing."""
    return [Where(column, "=", value) for column, value in values.items() if value is not None]


class Tables(Protocol):
    """The tables within one transaction. Rows are the caller's own: changing one changes nothing."""

    def find(
        self,
        table: Table,
        where: Sequence[Where] = (),
        *,
        order: str = "",
        limit: int | None = None,
        columns: tuple[str, ...] | None = None,
    ) -> list[Row]:
        """Rows that meet all conditions, by the column `order` (`"-column"`: largest first), then by key."""
        ...

    def count(self, table: Table, where: Sequence[Where] = ()) -> int: ...

    def add(self, table: Table, rows: Sequence[Row]) -> None:
        """`RecordConflict` when a row of the same key is there."""
        ...

    def change(self, table: Table, where: Sequence[Where], values: Row) -> int:
        """How many rows were changed. Columns of the key cannot be."""
        ...

    def remove(self, table: Table, where: Sequence[Where]) -> int:
        """How many rows were removed."""
        ...


class Backend(Protocol):
    """Where the tables are. Safe to use from many threads; transactions are never nested."""

    url: str
    """Where that is, without secrets."""

    def reading(self) -> AbstractContextManager[Tables]: ...

    def writing(self, on: str) -> AbstractContextManager[Tables]:
        """All or nothing, durable when left. Two transactions on the same thing run one after the other."""
        ...

    def schema_version(self) -> int | None:
        """The schema of the tables there, None where there are none. Makes and changes nothing."""
        ...

    def close(self) -> None:
        """Let go of connections. The next transaction opens them again."""
        ...
