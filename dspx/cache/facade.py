"""DSPy's `Cache` object over dspx's caches: requests instead of keys, files of JSON instead of pickles."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from dspx.cache.base import MISS
from dspx.cache.configured import current_cache
from dspx.cache.disk import DiskCache
from dspx.cache.layered import LayeredCache
from dspx.cache.memory import MemoryCache
from dspx.core.canonical import stable_hash
from dspx.errors import StateError

_FORMAT = "dspx-cache-1"


class Cache:
    """Values by request (a dict). `Cache.current()` is the one that LMs use; the constructor makes another.

    Values are JSON data, and a pickle is neither written nor read, whatever `restrict_pickle` and `safe_types` say.
    """

    def __init__(
        self,
        enable_disk_cache: bool = True,
        enable_memory_cache: bool = True,
        disk_cache_dir: str | os.PathLike[str] | None = None,
        disk_size_limit_bytes: int | None = None,
        memory_max_entries: int = 1_000_000,
        restrict_pickle: bool = False,
        safe_types: Sequence[type[Any]] | None = None,
    ) -> None:
        self._own: LayeredCache | None = LayeredCache(
            MemoryCache(memory_max_entries) if enable_memory_cache else None,
            DiskCache(disk_cache_dir, disk_size_limit_bytes) if enable_disk_cache else None,
        )

    @classmethod
    def current(cls) -> Cache:
        """The process's cache, also after a later `configure_cache`."""
        cache = cls.__new__(cls)
        cache._own = None
        return cache

    @property
    def store(self) -> LayeredCache:
        return current_cache() if self._own is None else self._own

    def cache_key(
        self, request: Mapping[str, Any], ignored_args_for_cache_key: Sequence[str] | None = None
    ) -> str:
        """The key of a request. TypeError for what has no stable form, functions among it."""
        ignored = frozenset(ignored_args_for_cache_key or ())
        return stable_hash({name: value for name, value in request.items() if name not in ignored})

    def get(self, request: Mapping[str, Any], ignored_args_for_cache_key: Sequence[str] | None = None) -> Any:
        """The value for `request`, or None."""
        key = self._key(request, ignored_args_for_cache_key)
        value = MISS if key is None else self.store.get(key)
        return None if value is MISS else value

    def put(
        self,
        request: Mapping[str, Any],
        value: Any,
        ignored_args_for_cache_key: Sequence[str] | None = None,
        enable_memory_cache: bool = True,
    ) -> None:
        """Keep `value`, JSON data, for `request`. A request without a stable form is not kept."""
        key = self._key(request, ignored_args_for_cache_key)
        if key is None:
            return
        store = self.store
        layers = (store.memory if enable_memory_cache else None, store.disk)
        for layer in layers:
            if layer is not None:
                layer.put(key, value)

    def __contains__(self, key: str) -> bool:
        return key in self.store

    def reset_memory_cache(self) -> None:
        """Forget what is in memory; the disk keeps its values."""
        if self.store.memory is not None:
            self.store.memory.clear()

    def save_memory_cache(self, filepath: str | os.PathLike[str]) -> None:
        """Write what is in memory to a JSON file."""
        import orjson

        document = {"format": _FORMAT, "entries": self._memory().items()}
        with open(filepath, "wb") as file:
            file.write(orjson.dumps(document))

    def load_memory_cache(self, filepath: str | os.PathLike[str], allow_pickle: bool = False) -> None:
        """Read a file of `save_memory_cache` into memory. `StateError` where it is none; a pickle never is."""
        import orjson

        del allow_pickle
        with open(filepath, "rb") as file:
            text = file.read()
        try:
            document = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            raise StateError(f"{filepath} is not a saved memory cache: not JSON ({error}).") from error
        if not isinstance(document, dict) or document.get("format") != _FORMAT:
            raise StateError(f"{filepath} is not a saved memory cache of dspx.")
        memory = self._memory()
        for key, value in document["entries"]:
            memory.put(key, value)

    def _memory(self) -> MemoryCache:
        memory = self.store.memory
        if not isinstance(memory, MemoryCache):
            raise StateError("The memory cache is off: there is nothing to save, and nowhere to load to.")
        return memory

    def _key(self, request: Mapping[str, Any], ignored: Sequence[str] | None) -> str | None:
        try:
            return self.cache_key(request, ignored)
        except TypeError:
            return None
