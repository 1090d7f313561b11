"""The cache of this process: what LMs use unless told otherwise."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from dspx.cache.disk import DiskCache
from dspx.cache.layered import LayeredCache
from dspx.cache.memory import MemoryCache

_current: LayeredCache | None = None


def current_cache() -> LayeredCache:
    """The cache in use. The first call makes it, with `configure_cache`'s defaults; nothing touches the disk yet."""
    global _current
    if _current is None:
        _current = LayeredCache(MemoryCache(), DiskCache())
    return _current


def configure_cache(
    enable_disk_cache: bool | None = True,
    enable_memory_cache: bool | None = True,
    disk_cache_dir: str | os.PathLike[str] | None = None,
    disk_size_limit_bytes: int | None = None,
    memory_max_entries: int = 1_000_000,
    restrict_pickle: bool = False,
    safe_types: Sequence[type[Any]] | None = None,
) -> LayeredCache:
    """Replace the cache of this process.

    Args:
        enable_disk_cache, enable_memory_cache: which of the two to keep; without both nothing is cached.
        disk_cache_dir: default $DSPX_CACHEDIR, $DSPY_CACHEDIR, or the user's cache directory.
        disk_size_limit_bytes: default $DSPX_CACHE_LIMIT, $DSPY_CACHE_LIMIT, or 30 GB.
        memory_max_entries: how many answers memory holds; the least recently used go first.
        restrict_pickle, safe_types: taken for DSPy's sake, without effect: dspx's cache never unpickles.
    """
    global _current
    del restrict_pickle, safe_types
    replaced, _current = (
        _current,
        LayeredCache(
            MemoryCache(memory_max_entries) if enable_memory_cache else None,
            DiskCache(disk_cache_dir, disk_size_limit_bytes) if enable_disk_cache else None,
        ),
    )
    if replaced is not None:
        replaced.close()
    return _current
