from __future__ import annotations

from dspx.cache.base import MISS
from dspx.cache.layered import LayeredCache
from dspx.cache.memory import MemoryCache


def test_a_value_found_below_moves_up() -> None:
    above, below = MemoryCache(), MemoryCache()
    below.put("a", 1)
    cache = LayeredCache(above, below)
    assert "a" in cache
    assert cache.get("a") == 1
    assert above.get("a") == 1


def test_a_value_is_put_into_both() -> None:
    above, below = MemoryCache(), MemoryCache()
    LayeredCache(above, below).put("a", 1)
    assert (above.get("a"), below.get("a")) == (1, 1)


def test_either_layer_may_be_missing() -> None:
    for cache in (LayeredCache(MemoryCache(), None), LayeredCache(None, MemoryCache())):
        cache.put("a", 1)
        assert cache.get("a") == 1
        cache.clear()
        assert cache.get("a") is MISS
        cache.close()
    nothing = LayeredCache(None, None)
    nothing.put("a", 1)
    assert nothing.get("a") is MISS
    assert "a" not in nothing
