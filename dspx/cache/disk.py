"""Values on disk, as JSON text in SQLite (diskcache), shared by processes."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from dspx.cache.base import MISS
from dspx.runtime.locks import Lock

if TYPE_CHECKING:
    from dspx.cache.textdisk import OneConnection

T = TypeVar("T")

DEFAULT_SIZE_LIMIT = 30_000_000_000
_FILE_FROM = 256 * 1024  # longer values go into a file of their own
_BUSY_SECONDS = 10  # how long a write waits for another process's
_CULL_EVERY = 64  # puts


class DiskCache:
    """A directory of JSON values. It is made at the first `put`; a `get` before that finds nothing.

    Text only: a row that holds a pickle, or no JSON, is a miss. Where the disk cannot be used, it warns
    once and keeps nothing. The oldest values go when `size_limit` bytes are reached.
    """

    def __init__(
        self, directory: str | os.PathLike[str] | None = None, size_limit: int | None = None
    ) -> None:
        self.directory = Path(directory).expanduser() if directory is not None else default_directory()
        self.size_limit = size_limit if size_limit is not None else default_size_limit()
        self._broken = False
        self._forget()

    def get(self, key: str) -> Any:
        import orjson

        text = self._reading(lambda cache: cache.get(key, MISS), MISS)
        if not isinstance(text, str):
            return MISS
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError:
            return MISS

    def put(self, key: str, value: Any) -> None:
        import orjson

        try:
            text = orjson.dumps(value).decode()
        except TypeError:
            return  # no JSON, no entry
        self._writing(lambda cache: self._set(cache, key, text), None)

    def __contains__(self, key: str) -> bool:
        return self._reading(lambda cache: key in cache, False)

    def __len__(self) -> int:
        return self._reading(lambda cache: cast("int", cache.__len__()), 0)

    def clear(self) -> None:
        if self._exists():
            self._writing(lambda cache: cache.clear(), None)

    def close(self) -> None:
        """Close the files. The next `get` or `put` opens them again."""
        for lock, name in ((self._read_lock, "_reader"), (self._write_lock, "_writer")):
            with lock:
                cache: OneConnection | None = getattr(self, name)
                setattr(self, name, None)
                if cache is not None:
                    cache.close()

    # ------------------------------------------------------------ two connections: readers never wait for writers

    def _reading(self, use: Callable[[OneConnection], T], otherwise: T) -> T:
        if self._broken:
            return otherwise
        if self._pid != os.getpid():
            self._forget()
        with self._read_lock:
            if self._reader is None:
                if not self._exists():
                    return otherwise
                self._reader = self._opened()
            return otherwise if self._reader is None else self._tried(use, self._reader, otherwise)

    def _writing(self, use: Callable[[OneConnection], T], otherwise: T) -> T:
        if self._broken:
            return otherwise
        if self._pid != os.getpid():
            self._forget()
        with self._write_lock:
            if self._writer is None:
                self._writer = self._opened()
            return otherwise if self._writer is None else self._tried(use, self._writer, otherwise)

    def _tried(self, use: Callable[[OneConnection], T], cache: OneConnection, otherwise: T) -> T:
        import sqlite3

        from diskcache import Timeout

        try:
            return use(cache)
        except Timeout:
            return otherwise  # another process is writing for long: this value is not kept
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) and "busy" not in str(error):
                self._give_up(error)
            return otherwise
        except (OSError, sqlite3.Error) as error:
            self._give_up(error)
            return otherwise

    def _set(self, cache: OneConnection, key: str, text: str) -> None:
        cache.set(key, text)
        self._puts += 1
        if self._puts % _CULL_EVERY == 0:
            cache.cull()

    def _opened(self) -> OneConnection | None:
        import sqlite3

        from dspx.cache.textdisk import OneConnection, TextDisk

        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            return OneConnection(
                str(self.directory),
                timeout=_BUSY_SECONDS,
                disk=TextDisk,
                size_limit=self.size_limit,
                eviction_policy="least-recently-stored",
                cull_limit=0,  # looking at the size on every put would double its cost: see _set
                statistics=0,
                tag_index=0,
                disk_min_file_size=_FILE_FROM,
            )
        # A directory of somebody's making may hold anything where diskcache expects its settings.
        except (OSError, sqlite3.Error, ValueError, TypeError, KeyError) as error:
            self._give_up(error)
            return None

    def _exists(self) -> bool:
        return (self.directory / "cache.db").exists()

    def _give_up(self, error: Exception) -> None:
        self._broken = True
        warnings.warn(
            f"The disk cache at {self.directory} cannot be used ({error}); answers are kept in memory only. "
            "Set DSPX_CACHEDIR to a directory on a local disk that can be written.",
            RuntimeWarning,
            stacklevel=2,
        )

    def _forget(self) -> None:
        """Start without connections: SQLite's must not be carried over a fork."""
        self._pid = os.getpid()
        self._puts = 0
        self._read_lock = Lock()
        self._write_lock = Lock()
        self._reader: OneConnection | None = None
        self._writer: OneConnection | None = None


def default_directory() -> Path:
    """$DSPX_CACHEDIR, or $DSPY_CACHEDIR, or `dspx` among the user's caches."""
    named = os.environ.get("DSPX_CACHEDIR") or os.environ.get("DSPY_CACHEDIR")
    if named:
        return Path(named).expanduser()
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA")
    else:
        base = os.environ.get("XDG_CACHE_HOME")
    if base:
        return Path(base) / "dspx"
    try:
        return Path.home() / ".cache" / "dspx"
    except RuntimeError:
        return Path(os.devnull) / "dspx"  # without a home: the first put warns


def default_size_limit() -> int:
    """$DSPX_CACHE_LIMIT, or $DSPY_CACHE_LIMIT, in bytes; 30 GB."""
    named = os.environ.get("DSPX_CACHE_LIMIT") or os.environ.get("DSPY_CACHE_LIMIT")
    try:
        return int(float(named)) if named else DEFAULT_SIZE_LIMIT
    except ValueError:
        return DEFAULT_SIZE_LIMIT
