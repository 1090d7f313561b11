from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from dspx.cache.configured import current_cache
from dspx.cache.facade import Cache
from dspx.errors import StateError

REQUEST = {"model": "m", "messages": [{"role": "user", "content": "hi"}], "api_key": "secret"}


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    made = Cache(disk_cache_dir=tmp_path / "cache")
    yield made
    made.store.close()


def test_values_are_found_by_request(cache: Cache) -> None:
    cache.put(REQUEST, {"answer": 1})
    assert cache.get(REQUEST) == {"answer": 1}
    assert cache.get({**REQUEST, "model": "other"}) is None
    assert cache.cache_key(REQUEST) in cache


def test_ignored_arguments_do_not_tell_requests_apart(cache: Cache) -> None:
    cache.put(REQUEST, 1, ["api_key"])
    assert cache.get({**REQUEST, "api_key": "other"}, ["api_key"]) == 1
    assert cache.get({**REQUEST, "api_key": "other"}) is None


def test_a_request_without_a_stable_form_is_not_kept(cache: Cache) -> None:
    cache.put({"fn": lambda: 1}, 1)
    assert cache.get({"fn": lambda: 1}) is None


def test_memory_can_be_left_out_and_reset(cache: Cache) -> None:
    cache.put(REQUEST, 1, enable_memory_cache=False)
    assert len(cache.store.memory) == 0
    assert cache.get(REQUEST) == 1
    cache.reset_memory_cache()
    assert cache.get(REQUEST) == 1


def test_memory_is_saved_and_loaded_as_json(cache: Cache, tmp_path: Path) -> None:
    cache.put(REQUEST, {"answer": 1})
    cache.save_memory_cache(tmp_path / "saved.json")
    other = Cache(enable_disk_cache=False)
    other.load_memory_cache(tmp_path / "saved.json", allow_pickle=True)
    assert other.get(REQUEST) == {"answer": 1}


def test_a_pickle_is_not_loaded(tmp_path: Path) -> None:
    saved = tmp_path / "saved.pkl"
    saved.write_bytes(pickle.dumps({"a": 1}))
    with pytest.raises(StateError, match="not JSON"):
        Cache(enable_disk_cache=False).load_memory_cache(saved, allow_pickle=True)
    saved.write_text('{"format": "else"}')
    with pytest.raises(StateError, match="not a saved memory cache"):
        Cache(enable_disk_cache=False).load_memory_cache(saved)


def test_without_memory_there_is_nothing_to_save(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="off"):
        Cache(enable_disk_cache=False, enable_memory_cache=False).save_memory_cache(tmp_path / "x")


def test_the_current_one_is_what_lms_use() -> None:
    assert Cache.current().store is current_cache()
