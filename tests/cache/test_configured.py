from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dspx.cache import configured
from dspx.cache.configured import configure_cache, current_cache


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    before = configured._current
    configured._current = None
    yield
    current_cache().close()
    configured._current = before


def test_the_cache_is_one_for_the_process() -> None:
    assert current_cache() is current_cache()


def test_configuring_replaces_it(tmp_path: Path) -> None:
    before = current_cache()
    made = configure_cache(
        disk_cache_dir=tmp_path, memory_max_entries=7, restrict_pickle=True, safe_types=[int]
    )
    assert current_cache() is made is not before
    made.put("a", 1)
    assert (tmp_path / "cache.db").exists()
    assert made.memory is not None
    assert made.memory.max_entries == 7


def test_layers_can_be_turned_off() -> None:
    assert configure_cache(enable_disk_cache=False).disk is None
    assert configure_cache(enable_memory_cache=False, enable_disk_cache=False).memory is None


def test_importing_and_looking_touches_no_disk(tmp_path: Path) -> None:
    code = (
        "import sys; from dspx.cache.configured import current_cache\n"
        "current_cache().get('a'); assert 'diskcache' not in sys.modules and 'sqlite3' not in sys.modules"
    )
    environment = {"DSPX_CACHEDIR": str(tmp_path / "cache"), "PATH": ""}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
    assert not (tmp_path / "cache").exists()
