"""The tables within one SQL transaction. Loaded with `dspx.store.sql` only, for it needs SQLAlchemy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from dspx.errors import RecordConflict
from dspx.store.base import Operator, Row, Where
from dspx.store.schema import TABLES, Kind, Table

S = TypeVar("S", bound=sa.Executable)
Shape = tuple[tuple[str, Operator], ...]

PREFIX = "dspx_"

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")  # sorted alike everywhere
_TYPES: dict[Kind, Any] = {"text": _TEXT, "integer": sa.BigInteger(), "real": sa.Double()}

metadata = sa.MetaData()


def _sql_table(table: Table) -> sa.Table:
    columns = [
        sa.Column(
            name,
            _TYPES[kind],
            primary_key=name in table.key,
            nullable=name not in table.key,
            autoincrement=False,
        )
        for name, kind in table.columns.items()
    ]
    indexes = [sa.Index(f"ix_{PREFIX}{table.name}_{'_'.join(names)}", *names) for names in table.indexes]
    return sa.Table(PREFIX + table.name, metadata, *columns, *indexes)


_tables = {table.name: _sql_table(table) for table in TABLES}
schema_table = sa.Table(PREFIX + "schema", metadata, sa.Column("version", sa.BigInteger(), nullable=False))


class Statements:
    """SQL statements by their shape: SQLAlchemy takes longer to build one than SQLite to run it."""

    def __init__(self) -> None:
        self._built: dict[tuple[Any, ...], Any] = {}

    def get(self, shape: tuple[Any, ...], build: Callable[[], S]) -> S:
        statement = self._built.get(shape)
        if statement is None:
            statement = self._built[shape] = build()
        return statement


class SQLTables:
    """The tables, on a connection with a transaction under way."""

    def __init__(self, connection: sa.Connection, statements: Statements) -> None:
        self._connection = connection
        self._statements = statements

    def find(
        self,
        table: Table,
        where: Sequence[Where] = (),
        *,
        order: str = "",
        limit: int | None = None,
        columns: tuple[str, ...] | None = None,
    ) -> list[Row]:
        shape = _shape(where)
        statement = self._statements.get(
            ("find", table.name, shape, order, limit is None, columns),
            lambda: _select(table, shape, order, limit is not None, columns),
        )
        values = _values(where) if limit is None else {**_values(where), "limit": limit}
        names = columns or tuple(table.columns)
        return [dict(zip(names, row)) for row in self._connection.execute(statement, values).fetchall()]  # noqa: B905

    def count(self, table: Table, where: Sequence[Where] = ()) -> int:
        shape = _shape(where)
        statement = self._statements.get(
            ("count", table.name, shape),
            lambda: (
                sa.select(sa.func.count()).select_from(_tables[table.name]).where(*_conditions(table, shape))
            ),
        )
        return int(self._connection.execute(statement, _values(where)).scalar_one())

    def add(self, table: Table, rows: Sequence[Row]) -> None:
        if not rows:
            return
        statement = self._statements.get(("add", table.name), lambda: _tables[table.name].insert())
        complete = [{name: row.get(name) for name in table.columns} for row in rows]
        try:
            self._connection.execute(statement, complete if len(complete) > 1 else complete[0])
        except IntegrityError as error:
            raise RecordConflict(f"A row of one of these keys is in {table.name} already.") from error

    def change(self, table: Table, where: Sequence[Where], values: Row) -> int:
        shape, names = _shape(where), tuple(values)
        statement = self._statements.get(
            ("change", table.name, shape, names),
            lambda: (
                _tables[table.name]
                .update()
                .where(*_conditions(table, shape))
                .values({name: sa.bindparam(f"new_{name}") for name in names})
            ),
        )
        given = {f"new_{name}": value for name, value in values.items()}
        return self._connection.execute(statement, {**_values(where), **given}).rowcount

    def remove(self, table: Table, where: Sequence[Where]) -> int:
        shape = _shape(where)
        statement = self._statements.get(
            ("remove", table.name, shape),
            lambda: _tables[table.name].delete().where(*_conditions(table, shape)),
        )
        return self._connection.execute(statement, _values(where)).rowcount


def _shape(where: Sequence[Where]) -> Shape:
    return tuple((condition.column, condition.operator) for condition in where)


def _values(where: Sequence[Where]) -> dict[str, Any]:
    return {f"where_{number}": condition.value for number, condition in enumerate(where)}


def _select(
    table: Table, shape: Shape, order: str, limited: bool, columns: tuple[str, ...] | None
) -> sa.Select[Any]:
    sql_table = _tables[table.name]
    statement = sa.select(*(sql_table.c[name] for name in columns or table.columns))
    statement = statement.where(*_conditions(table, shape))
    if order:
        column = sql_table.c[order.lstrip("-")]
        statement = statement.order_by(column.desc() if order.startswith("-") else column)
    statement = statement.order_by(*(sql_table.c[name] for name in table.key))
    return statement.limit(sa.bindparam("limit", type_=sa.Integer())) if limited else statement


def _conditions(table: Table, shape: Shape) -> list[sa.ColumnElement[bool]]:
    return [
        _condition(_tables[table.name].c[column], operator, f"where_{number}")
        for number, (column, operator) in enumerate(shape)
    ]


def _condition(column: sa.Column[Any], operator: Operator, name: str) -> sa.ColumnElement[bool]:
    if operator == "in":
        return column.in_(sa.bindparam(name, expanding=True))
    return column.op(operator, is_comparison=True)(sa.bindparam(name, type_=column.type))
