"""diskcache without pickle: only text is written, and nothing but text is read."""

from __future__ import annotations

import os
import sqlite3
from typing import Any

import diskcache
from diskcache.core import DBNAME, DEFAULT_SETTINGS, METADATA, MODE_BINARY, MODE_RAW, MODE_TEXT

_KNOWN_SETTINGS = frozenset(DEFAULT_SETTINGS) | frozenset(METADATA)


class Unreadable(OSError):
    """A row that dspx did not write. diskcache takes an OSError here for a miss."""


class TextDisk(diskcache.Disk):
    """Stores strings, bytes and integers as they are. A pickled key or value is refused, not opened."""

    def __init__(self, directory: str, **settings: Any) -> None:
        super().__init__(directory, min_file_size=int(settings.get("min_file_size", 0)))

    def put(self, key: Any) -> Any:
        _check(key)
        return super().put(key)

    def get(self, key: Any, raw: Any) -> Any:
        if not raw:
            raise Unreadable("a pickled key")
        return super().get(key, True)

    def store(self, value: Any, read: bool, key: Any = None) -> Any:
        _check(value)
        return super().store(value, read, key=key)

    def fetch(self, mode: Any, filename: Any, value: Any, read: bool) -> Any:
        if mode == MODE_RAW:
            return super().fetch(mode, None, value, read)
        if mode not in (MODE_BINARY, MODE_TEXT) or not self._is_ours(filename):
            raise Unreadable("neither text nor bytes")
        try:
            return super().fetch(mode, filename, value, read)
        except UnicodeDecodeError as error:
            raise Unreadable("not text") from error

    def remove(self, file_path: Any) -> None:
        if self._is_ours(file_path):
            super().remove(file_path)

    def _is_ours(self, filename: Any) -> bool:
        """Whether a row's file lies within the cache: rows may have been written by anyone."""
        if not isinstance(filename, str) or "\x00" in filename:
            return False
        root = os.path.realpath(self._directory)
        path = os.path.realpath(os.path.join(root, filename))
        return path.startswith(root + os.sep) and path.endswith(".val")


def _check(value: Any) -> None:
    if type(value) not in (str, bytes, int):
        raise TypeError(f"Only text, bytes and integers are kept on disk, not {type(value).__name__}.")


class OneConnection(diskcache.Cache):
    """A diskcache with one SQLite connection for all threads; whoever uses it holds a lock meanwhile.

    diskcache's own way, a connection for each thread, costs a thousand threads three thousand file handles.
    """

    _shared: sqlite3.Connection | None = None

    @property
    def _con(self) -> sqlite3.Connection:
        connection = self._shared
        if connection is None:
            path = os.path.join(self._directory, DBNAME)
            connection = self._shared = sqlite3.connect(
                path, timeout=self._timeout, isolation_level=None, check_same_thread=False
            )
            self._apply_settings(connection)
        return connection

    def _apply_settings(self, connection: sqlite3.Connection) -> None:
        """SQLite forgets most pragmas with the connection; while the cache is being made there are none yet."""
        try:
            rows = connection.execute("SELECT key, value FROM Settings").fetchall()
        except sqlite3.OperationalError:
            return
        for key, value in rows:
            if key in _KNOWN_SETTINGS and key.startswith("sqlite_"):
                self.reset(key, value, update=False)

    def reset(self, key: str, value: Any = diskcache.core.ENOVAL, update: bool = True) -> Any:
        # A database may have been written by anyone, and diskcache sets an attribute for each of its settings.
        if key not in _KNOWN_SETTINGS:
            return None
        return super().reset(key, value, update)

    def close(self) -> None:
        connection, self._shared = self._shared, None
        if connection is not None:
            connection.close()

    def __del__(self) -> None:
        self.close()
