"""A store in SQLite or PostgreSQL. Needs SQLAlchemy, so it is loaded when a URL asks for it."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError, SQLAlchemyError

from dspx.errors import SchemaTooNew, StoreError, UsageError
from dspx.runtime import clock
from dspx.runtime.bridge import run
from dspx.runtime.locks import Lock
from dspx.store import schema
from dspx.store.masking import masked
from dspx.store.statements import SQLTables, Statements, metadata, schema_table

BUSY_SECONDS = 30
"""How long a write waits for another process's."""


class SQLBackend:
    """What the two databases share. Nothing is connected before the first transaction."""

    def __init__(self, url: str) -> None:
        self.url = masked(url)
        self._secret_url = url
        self._statements = Statements()
        self._start_afresh()

    def _start_afresh(self) -> None:
        self._pid = os.getpid()
        self._opening = Lock()
        self._engine: sa.Engine | None = None

    @contextmanager
    def reading(self) -> Generator[SQLTables]:
        with self._explained(), self._read_transaction(self._ready()) as connection:
            yield SQLTables(connection, self._statements)

    @contextmanager
    def writing(self, on: str) -> Generator[SQLTables]:
        with self._explained(), self._write_transaction(self._ready(), on) as connection:
            yield SQLTables(connection, self._statements)

    def schema_version(self) -> int | None:
        with self._explained():
            engine = self._looking_engine(_parsed(self._secret_url))
            if engine is None:
                return None
            try:
                with engine.connect() as connection:
                    return self._version(connection)
            finally:
                engine.dispose()

    def close(self) -> None:
        if self._pid == os.getpid():
            with self._opening:
                engine, self._engine = self._engine, None
            if engine is not None:
                engine.dispose()

    # ------------------------------------------------------------ what a database does in its own way

    def _new_engine(self, url: sa.URL) -> sa.Engine:
        raise NotImplementedError

    def _looking_engine(self, url: sa.URL) -> sa.Engine | None:
        """An engine that makes nothing by connecting; None where there is nothing to connect to."""
        raise NotImplementedError

    def _read_transaction(self, engine: sa.Engine) -> Any:
        raise NotImplementedError

    def _write_transaction(self, engine: sa.Engine, on: str) -> Any:
        raise NotImplementedError

    # ------------------------------------------------------------ connecting

    def _ready(self) -> sa.Engine:
        """The engine, with tables behind it. A forked child takes its own: connections are not shared."""
        if self._pid != os.getpid():
            self._abandon()
        if self._engine is None:
            with self._opening:
                if self._engine is None:
                    self._engine = self._opened()
        return self._engine

    def _abandon(self) -> None:
        engine = self._engine
        self._start_afresh()
        if engine is not None:
            engine.dispose(close=False)  # the parent goes on using them

    def _opened(self) -> sa.Engine:
        engine = self._new_engine(_parsed(self._secret_url))
        try:
            self._bring_up(engine)
        except BaseException:
            engine.dispose()
            raise
        return engine

    def _bring_up(self, engine: sa.Engine) -> None:
        """Make the tables, or bring older ones up to date, whoever else is doing the same."""
        with engine.connect() as connection:
            if self._version(connection) == schema.current_schema():
                return
        with self._write_transaction(engine, "schema") as connection:
            version = self._version(connection)
            if version is None:
                metadata.create_all(connection)
                connection.execute(schema_table.insert(), {"version": schema.current_schema()})
            elif version < schema.current_schema():
                _upgrade(connection, version)

    def _version(self, connection: sa.Connection) -> int | None:
        """The schema of the tables there, None where there are none. `SchemaTooNew` for one of the future."""
        if not sa.inspect(connection).has_table(schema_table.name):
            return None
        version = connection.execute(sa.select(schema_table.c.version)).scalar_one()
        if version > schema.current_schema():
            raise SchemaTooNew(
                f"{self.url} was written by a newer dspx (schema {version}); this one knows schema "
                f"{schema.current_schema()}. Upgrade dspx, or use another store."
            )
        return version

    @contextmanager
    def _explained(self) -> Generator[None]:
        """The database's own errors as `StoreError`, without the address's secrets and the records' values."""
        try:
            yield
        except SQLAlchemyError as error:
            said = error.orig if isinstance(error, DBAPIError) else error
            raise StoreError(f"{self.url}: {type(said).__name__}: {masked(str(said)).strip()}") from error
        except UnicodeEncodeError as error:
            raise UsageError(
                f"No record has a name with half of a surrogate pair: {error.object!r:.80}."
            ) from error


class SQLiteBackend(SQLBackend):
    """A file. Readers never wait; writers wait for each other, in this process in turn.

    A killed process loses nothing that was committed; a power cut may lose the last commits, never the file.
    """

    def _start_afresh(self) -> None:
        super()._start_afresh()
        self._turn = Lock()  # SQLite's own waiting is by polling, which is neither fast nor fair

    def _new_engine(self, url: sa.URL) -> sa.Engine:
        _make_folder(url)
        engine = sa.create_engine(
            url,
            isolation_level="AUTOCOMMIT",  # transactions are begun below, in the kind they need
            connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
            pool_size=8,
            max_overflow=-1,
            hide_parameters=True,
        )
        event.listen(engine, "connect", _set_pragmas)
        try:
            self._turn_on_wal(engine)
        except BaseException:
            engine.dispose()
            raise
        return engine

    def _looking_engine(self, url: sa.URL) -> sa.Engine | None:
        path = os.path.abspath(url.database or "")
        if not os.path.isfile(path):
            return None
        there = f"file:{quote(path)}?mode=rw"  # rw makes no file
        return sa.create_engine(
            "sqlite://", creator=lambda: sqlite3.connect(there, uri=True), poolclass=sa.NullPool
        )

    def _turn_on_wal(self, engine: sa.Engine) -> None:
        """The first process turns it on, for good; while it does, others are told "locked" without waiting."""
        deadline = clock.now() + BUSY_SECONDS
        while True:
            try:
                with engine.connect() as connection:
                    connection.exec_driver_sql("PRAGMA journal_mode=WAL")
                return
            except OperationalError as error:
                if "locked" not in str(error.orig) or clock.now() > deadline:
                    raise
            run(clock.sleep(0.01))

    @contextmanager
    def _read_transaction(self, engine: sa.Engine) -> Generator[sa.Connection]:
        with engine.connect() as connection, _begun(connection, "BEGIN"):
            yield connection

    @contextmanager
    def _write_transaction(self, engine: sa.Engine, on: str) -> Generator[sa.Connection]:
        with self._turn, engine.connect() as connection, _begun(connection, "BEGIN IMMEDIATE"):
            yield connection


class PostgresBackend(SQLBackend):
    """A PostgreSQL server. Writers wait for each other only where they change the same thing."""

    def _new_engine(self, url: sa.URL) -> sa.Engine:
        if url.drivername in ("postgresql", "postgres"):
            url = url.set(drivername="postgresql+psycopg")
        return sa.create_engine(
            url, pool_pre_ping=True, pool_size=5, max_overflow=15, pool_timeout=60, hide_parameters=True
        )

    def _looking_engine(self, url: sa.URL) -> sa.Engine | None:
        return self._new_engine(url)

    @contextmanager
    def _read_transaction(self, engine: sa.Engine) -> Generator[sa.Connection]:
        with engine.connect() as connection:
            yield connection

    @contextmanager
    def _write_transaction(self, engine: sa.Engine, on: str) -> Generator[sa.Connection]:
        with engine.begin() as connection:
            connection.execute(_LOCK, {"number": _number(on)})
            yield connection


_LOCK = sa.text("SELECT pg_advisory_xact_lock(:number)")


def _number(on: str) -> int:
    """What PostgreSQL locks are named by: 64 bits with a sign."""
    return int.from_bytes(
        hashlib.sha256(f"dspx:{on}".encode(errors="surrogatepass")).digest()[:8], "big", signed=True
    )


def _parsed(url: str) -> sa.URL:
    try:
        return sa.make_url(url)
    except (ArgumentError, ValueError):
        raise UsageError(
            f"{masked(url)} is no URL of a database."
        ) from None  # the cause would show the password


def _make_folder(url: sa.URL) -> None:
    folder = os.path.dirname(url.database or "")
    if folder:
        os.makedirs(folder, exist_ok=True)


def _set_pragmas(connection: Any, record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.close()


@contextmanager
def _begun(connection: sa.Connection, begin: str) -> Generator[None]:
    connection.exec_driver_sql(begin)
    try:
        yield
        connection.exec_driver_sql("COMMIT")
    except BaseException:
        connection.connection.rollback()  # nothing, where SQLite has rolled back by itself
        raise


def _upgrade(connection: sa.Connection, version: int) -> None:
    for statements in schema.UPGRADES[version - 1 :]:
        for statement in statements:
            connection.exec_driver_sql(statement)
    connection.execute(schema_table.update().values(version=schema.current_schema()))
