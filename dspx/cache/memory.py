"""The most recently used values, in this process's memory."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from dspx.cache.base import MISS
from dspx.errors import UsageError
from dspx.runtime.locks import Lock


class MemoryCache:
    """At most `max_entries` values; the one that was not used for longest goes first."""

    def __init__(self, max_entries: int = 1_000_000) -> None:
        if max_entries < 1:
            raise UsageError(f"A memory cache needs room for at least one entry, not {max_entries}.")
        self.max_entries = max_entries
        self._entries: OrderedDict[str, Any] = OrderedDict()
        self._lock = Lock()

    def get(self, key: str) -> Any:
        with self._lock:
            value = self._entries.get(key, MISS)
            if value is not MISS:
                self._entries.move_to_end(key)
            return value

    def put(self, key: str, value: Any) -> None:
        with self._lock:
            self._entries[key] = value
            self._entries.move_to_end(key)
            if len(self._entries) > self.max_entries:
                self._entries.popitem(last=False)

    def items(self) -> list[tuple[str, Any]]:
        """Keys and values as they are now, least recently used first."""
        with self._lock:
            return list(self._entries.items())

    def __contains__(self, key: str) -> bool:
        return key in self._entries

    def __len__(self) -> int:
        return len(self._entries)

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()

    def close(self) -> None:
        """Nothing is held that would have to be released."""
