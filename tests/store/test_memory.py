from __future__ import annotations

from collections.abc import Iterator

import pytest

from dspx.store import Run, Store
from dspx.testing.store_conformance import StoreConformance


class TestMemory(StoreConformance):
    @pytest.fixture
    def store(self) -> Iterator[Store]:
        with Store("memory://") as store:
            yield store


def test_two_stores_in_memory_share_nothing() -> None:
    first, second = Store("memory://"), Store("memory://")
    first.runs.record(Run("r"))
    assert second.runs.find_all() == []


def test_changing_what_was_found_changes_nothing_that_is_kept(store: Store) -> None:
    store.runs.record(Run("r", config={"k": [1]}))
    store.runs.find("r").config["k"].append(2)
    assert store.runs.find("r").config == {"k": [1]}
