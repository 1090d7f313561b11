from __future__ import annotations

import os
import pickle
import signal
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import diskcache
import pytest

from dspx.cache.base import MISS
from dspx.cache.disk import DEFAULT_SIZE_LIMIT, DiskCache, default_directory, default_size_limit

EXPLODED: list[str] = []


def explode(name: str) -> None:
    EXPLODED.append(name)


class Bomb:
    """Unpickling it calls `explode`."""

    def __reduce__(self) -> object:
        return explode, ("boom",)


@pytest.fixture(autouse=True)
def _no_bomb_went_off() -> object:
    EXPLODED.clear()
    yield
    assert EXPLODED == []


@pytest.fixture
def cache(tmp_path: Path) -> object:
    made = DiskCache(tmp_path / "cache")
    yield made
    made.close()


VALUE = {"text": "héllo 🎉", "n": [1, 2.5, None, True]}


def test_what_was_put_is_got_and_the_rest_is_a_miss(cache: DiskCache) -> None:
    cache.put("a", VALUE)
    assert cache.get("a") == VALUE
    assert cache.get("b") is MISS
    assert "a" in cache
    assert len(cache) == 1


def test_nothing_is_made_before_the_first_put(cache: DiskCache) -> None:
    assert cache.get("a") is MISS
    assert "a" not in cache
    cache.clear()
    assert not cache.directory.exists()
    cache.put("a", 1)
    assert cache.directory.stat().st_mode & 0o777 == 0o700


def test_a_long_value_goes_into_a_file_of_its_own(cache: DiskCache) -> None:
    long = "x" * 600_000
    cache.put("a", long)
    assert cache.get("a") == long
    assert list(cache.directory.rglob("*.val"))
    cache.put("a", 1)
    assert not list(cache.directory.rglob("*.val"))


def test_it_can_be_emptied_closed_and_used_again(cache: DiskCache) -> None:
    cache.put("a", 1)
    cache.close()
    assert cache.get("a") == 1
    cache.clear()
    assert cache.get("a") is MISS


def test_what_is_no_json_is_not_kept(cache: DiskCache) -> None:
    cache.put("a", object())
    cache.put("b", "\ud800")
    assert cache.get("a") is MISS
    assert cache.get("b") is MISS


def test_the_oldest_go_when_the_size_limit_is_reached(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path, size_limit=400_000)
    for i in range(256):
        cache.put(str(i), "x" * 10_000)
    assert 0 < len(cache) < 64
    assert cache.get("255") != MISS
    assert cache.get("0") is MISS
    cache.close()


# ---------------------------------------------------------------- other people's rows


def test_a_directory_of_pickles_is_read_as_misses(tmp_path: Path) -> None:
    with diskcache.Cache(str(tmp_path)) as hostile:
        hostile.set("inline", Bomb())
        hostile.set("in a file", [Bomb(), "x" * 100_000])
        hostile.set("bytes", pickle.dumps(Bomb()))
    cache = DiskCache(tmp_path)
    for key in ("inline", "in a file", "bytes"):
        assert cache.get(key) is MISS
        cache.put(key, {"mine": key})
        assert cache.get(key) == {"mine": key}
    cache.close()


def rows(cache: DiskCache, sql: str, *values: object) -> None:
    with sqlite3.connect(cache.directory / "cache.db") as connection:
        connection.execute(sql, values)
    connection.close()


def test_a_pickled_row_written_by_hand_is_a_miss(cache: DiskCache) -> None:
    for key in ("inline", "file", "key"):
        cache.put(key, 1)
    cache.close()
    bomb = pickle.dumps(Bomb())
    (cache.directory / "bomb.val").write_bytes(bomb)
    rows(cache, "UPDATE Cache SET mode = 4, value = ? WHERE key = 'inline'", bomb)
    rows(cache, "UPDATE Cache SET mode = 4, value = NULL, filename = 'bomb.val' WHERE key = 'file'")
    rows(cache, "UPDATE Cache SET key = ?, raw = 0 WHERE key = 'key'", bomb)
    for key in ("inline", "file", "key"):
        assert cache.get(key) is MISS
    assert len(cache) == 3


@pytest.mark.parametrize("text", ["{broken", "", b"\xff\xfe", 17, 2.5, None])
def test_a_value_that_is_no_json_is_a_miss(cache: DiskCache, text: object) -> None:
    cache.put("a", VALUE)
    cache.close()
    rows(cache, "UPDATE Cache SET value = ? WHERE key = 'a'", text)
    assert cache.get("a") is MISS
    cache.put("a", VALUE)
    assert cache.get("a") == VALUE


@pytest.mark.parametrize(
    "filename", ["../outside.val", "/etc/passwd", "missing.val", "cache.db", "a\x00.val"]
)
def test_a_row_cannot_lead_out_of_the_directory(cache: DiskCache, filename: str) -> None:
    outside = cache.directory.parent / "outside.val"
    outside.write_text('"not yours"')
    cache.put("a", VALUE)
    cache.close()
    rows(cache, "UPDATE Cache SET mode = 3, value = NULL, filename = ? WHERE key = 'a'", filename)
    assert cache.get("a") is MISS
    cache.put("a", VALUE)
    cache.clear()
    assert outside.exists()
    assert (cache.directory / "cache.db").exists()


def test_settings_written_by_hand_change_nothing_of_the_cache(cache: DiskCache) -> None:
    cache.put("a", VALUE)
    cache.close()
    for key, value in (("_directory", "/nowhere"), ("get", 1), ("disk_evil", 2), ("sqlite_evil", "x")):
        rows(cache, "INSERT INTO Settings VALUES (?, ?)", key, value)
    assert cache.get("a") == VALUE
    cache.put("b", 1)
    assert cache.get("b") == 1


# ---------------------------------------------------------------- disks that cannot be used


def test_a_file_that_is_no_database_warns_once_and_keeps_nothing(tmp_path: Path) -> None:
    (tmp_path / "cache.db").write_bytes(b"not a database" * 1000)
    cache = DiskCache(tmp_path)
    with pytest.warns(RuntimeWarning, match="DSPX_CACHEDIR"):
        assert cache.get("a") is MISS
    cache.put("a", 1)  # a second warning would be an error here
    assert cache.get("a") is MISS


def test_a_place_that_cannot_be_written_warns_once_and_keeps_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    cache = DiskCache(tmp_path / "file" / "cache")
    with pytest.warns(RuntimeWarning, match="memory only"):
        cache.put("a", 1)
    cache.put("b", 1)  # a second warning would be an error here
    assert cache.get("a") is MISS


def test_a_missing_home_warns_at_the_first_put_only(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DSPX_CACHEDIR", "DSPY_CACHEDIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)

    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", homeless)
    cache = DiskCache()
    assert cache.get("a") is MISS
    with pytest.warns(RuntimeWarning, match="memory only"):
        cache.put("a", 1)


def test_the_environment_says_where_and_how_much(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("DSPX_CACHEDIR", "DSPY_CACHEDIR", "DSPX_CACHE_LIMIT", "DSPY_CACHE_LIMIT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_directory() == tmp_path / "dspx"
    assert default_size_limit() == DEFAULT_SIZE_LIMIT
    monkeypatch.setenv("DSPY_CACHEDIR", "/dspy")
    monkeypatch.setenv("DSPY_CACHE_LIMIT", "1e6")
    assert (default_directory(), default_size_limit()) == (Path("/dspy"), 1_000_000)
    monkeypatch.setenv("DSPX_CACHEDIR", "/dspx")
    monkeypatch.setenv("DSPX_CACHE_LIMIT", "much")
    assert (default_directory(), default_size_limit()) == (Path("/dspx"), DEFAULT_SIZE_LIMIT)


# ---------------------------------------------------------------- threads and processes


def test_threads_share_two_connections(cache: DiskCache) -> None:
    def work(thread: int) -> None:
        for i in range(40):
            cache.put(f"{thread}-{i}", i)
            assert cache.get(f"{thread}-{i}") == i

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(work, range(16)))
    assert len(cache) == 640
    if sys.platform == "linux":
        targets = [os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd") if _exists(fd)]
        assert sum(target.startswith(str(cache.directory)) for target in targets) <= 6


def _exists(fd: str) -> bool:
    return os.path.lexists(f"/proc/self/fd/{fd}")


WRITER = """
import sys
from dspx.cache.disk import DiskCache
cache = DiskCache(sys.argv[1])
i = 0
while True:
    cache.put(f"{sys.argv[2]}-{i}", {"i": i, "pad": "x" * int(sys.argv[3])})
    i += 1
    if i == int(sys.argv[4]):
        break
    if i % 20 == 0:
        print(i, flush=True)
"""


def start_writer(directory: Path, name: str, size: int, count: int) -> subprocess.Popen[str]:
    arguments = [sys.executable, "-c", WRITER, str(directory), name, str(size), str(count)]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)


def test_two_processes_share_the_directory(cache: DiskCache) -> None:
    writers = [start_writer(cache.directory, name, 100, 150) for name in "ab"]
    for writer in writers:
        writer.communicate(timeout=30)
        assert writer.returncode == 0
    for name in "ab":
        assert [cache.get(f"{name}-{i}")["i"] for i in range(150)] == list(range(150))


@pytest.mark.parametrize("size", [100, 400_000])
def test_a_process_killed_in_the_middle_of_a_write_loses_nothing_else(cache: DiskCache, size: int) -> None:
    cache.put("mine", VALUE)
    with start_writer(cache.directory, "a", size, -1) as writer:
        assert writer.stdout is not None
        done = int(writer.stdout.readline())
        time.sleep(0.02)
        writer.send_signal(signal.SIGKILL)
    assert cache.get("mine") == VALUE
    assert [cache.get(f"a-{i}")["i"] for i in range(done)] == list(range(done))
    cache.put("after", VALUE)
    assert cache.get("after") == VALUE


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_forked_process_opens_its_own_connections(cache: DiskCache) -> None:
    cache.put("a", 1)
    child = os.fork()
    if child == 0:
        cache.put("b", 2)
        os._exit(0 if cache.get("a") == 1 and cache.get("b") == 2 else 1)
    _, code = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(code) == 0
    assert cache.get("b") == 2
