from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from dspx.cache.base import MISS
from dspx.cache.memory import MemoryCache
from dspx.errors import UsageError


def test_what_was_put_is_got_and_the_rest_is_a_miss() -> None:
    cache = MemoryCache()
    cache.put("a", {"x": [1]})
    assert cache.get("a") == {"x": [1]}
    assert cache.get("b") is MISS
    assert "a" in cache
    assert "b" not in cache


def test_none_and_false_are_values_not_misses() -> None:
    cache = MemoryCache()
    cache.put("a", None)
    assert cache.get("a") is None


def test_the_least_recently_used_goes_first() -> None:
    cache = MemoryCache(2)
    cache.put("a", 1)
    cache.put("b", 2)
    cache.get("a")
    cache.put("c", 3)
    assert [key for key, _ in cache.items()] == ["a", "c"]
    cache.put("a", 4)
    cache.put("d", 5)
    assert cache.get("a") == 4
    assert cache.get("c") is MISS


def test_it_can_be_emptied() -> None:
    cache = MemoryCache()
    cache.put("a", 1)
    cache.clear()
    assert len(cache) == 0


def test_threads_may_use_it_together() -> None:
    cache = MemoryCache(50)

    def work(thread: int) -> None:
        for i in range(500):
            cache.put(str((thread * i) % 100), i)
            cache.get(str(i % 100))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert len(cache) == 50


def test_a_cache_without_room_is_refused() -> None:
    with pytest.raises(UsageError, match="room"):
        MemoryCache(0)
