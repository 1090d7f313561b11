"""Memory over disk: what is found below is kept above."""

from __future__ import annotations

from typing import Any

from dspx.cache.base import MISS, CacheStore


class LayeredCache:
    """Looks into `memory`, then into `disk`; a value found on disk moves up. Either may be None."""

    def __init__(self, memory: CacheStore | None, disk: CacheStore | None) -> None:
        self.memory = memory
        self.disk = disk

    def get(self, key: str) -> Any:
        if self.memory is not None:
            value = self.memory.get(key)
            if value is not MISS:
                return value
        if self.disk is None:
            return MISS
        value = self.disk.get(key)
        if value is not MISS and self.memory is not None:
            self.memory.put(key, value)
        return value

    def put(self, key: str, value: Any) -> None:
        if self.memory is not None:
            self.memory.put(key, value)
        if self.disk is not None:
            self.disk.put(key, value)

    def __contains__(self, key: str) -> bool:
        return any(layer is not None and key in layer for layer in (self.memory, self.disk))

    def clear(self) -> None:
        for layer in (self.memory, self.disk):
            if layer is not None:
                layer.clear()

    def close(self) -> None:
        for layer in (self.memory, self.disk):
            if layer is not None:
                layer.close()
