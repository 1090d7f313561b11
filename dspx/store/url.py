"""Addresses of stores: which back end they name."""

from __future__ import annotations

from dspx.errors import UsageError
from dspx.store.base import Backend
from dspx.store.masking import masked


def backend_for(url: str) -> Backend:
    """The back end that `url` names. Nothing is connected yet."""
    scheme = url.partition("://")[0].partition("+")[0].lower()
    if scheme == "memory":
        from dspx.store.memory import MemoryBackend

        return MemoryBackend()
    if scheme == "sqlite" and url.partition("://")[2].strip("/") not in ("", ":memory:"):
        return _sqlite(url)
    if scheme in ("postgresql", "postgres"):
        return _postgres(url)
    raise UsageError(
        f"{masked(url)} names no store. Use sqlite:///dspx.db, postgresql+psycopg://user:password@host/database, "
        "or memory://."
    )


def _sqlite(url: str) -> Backend:
    try:
        from dspx.store.sql import SQLiteBackend
    except ImportError as error:
        raise _missing("store", error) from error
    return SQLiteBackend(url)


def _postgres(url: str) -> Backend:
    try:
        import psycopg as psycopg

        from dspx.store.sql import PostgresBackend
    except ImportError as error:
        raise _missing("postgres", error) from error
    return PostgresBackend(url)


def _missing(extra: str, error: ImportError) -> UsageError:
    return UsageError(f'This store needs {error.name or error}: pip install "dspx[{extra}]".')
