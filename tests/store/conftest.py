from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dspx.store import Store
from tests.store.postgres import postgres

__all__ = ["postgres"]


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a new store that several processes can use."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/dspx.db"
    return request.getfixturevalue("postgres").new_url()


@pytest.fixture
def store() -> Iterator[Store]:
    """A new store in memory, for what does not depend on where it is."""
    with Store("memory://") as store:
        yield store
