"""The disk cache among processes that share it, die, or mean harm."""

from __future__ import annotations

import os
import pickle
import random
import signal
import sqlite3
import stat
import sys
import time
from pathlib import Path

import diskcache
import pytest

import dspx
from dspx.cache.configured import configure_cache
from dspx.cache.disk import DiskCache
from dspx.testing.server import Server
from tests.acceptance.processes import output_of, start

ASK = """
    import sys, dspx
    from dspx.lm.lm import LM
    program = dspx.Predict("question -> answer: int")
    program.lm = LM("openai/schema", api_base=sys.argv[1], api_key="none")
    for i in range(int(sys.argv[2])):
        program(question=f"question {i}")
    print(sum(entry["cache_hit"] for entry in program.lm.history))
"""


def ask(server: Server, prompt: str = "hello") -> list[object]:
    return server.lm("echo")(prompt)


# ---------------------------------------------------------------- two processes


def test_what_one_process_asked_another_need_not_ask(tmp_path: Path) -> None:
    with Server(model="schema") as server:
        shared = {"DSPX_CACHEDIR": str(tmp_path / "shared")}
        assert output_of(start(ASK, server.api_base, 20, **shared)) == "0"
        assert server.stats.requests == 20
        assert output_of(start(ASK, server.api_base, 20, **shared)) == "20"
        assert server.stats.requests == 20


def test_processes_that_write_at_once_all_keep_their_answers(tmp_path: Path) -> None:
    with Server(model="schema") as server:
        shared = {"DSPX_CACHEDIR": str(tmp_path / "shared")}
        both = [start(ASK, server.api_base, 60, **shared) for _ in range(2)]
        for process in both:
            output_of(process)
        asked = server.stats.requests
        assert 60 <= asked <= 120
        assert output_of(start(ASK, server.api_base, 60, **shared)) == "60"
        assert server.stats.requests == asked


# ---------------------------------------------------------------- hostile rows and files


class Bomb:
    """Unpickling it makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> object:
        return os.mkdir, (str(self.path),)


def key_of(directory: Path) -> str:
    """The key of the only entry."""
    with sqlite3.connect(directory / "cache.db") as connection:
        (key,) = connection.execute("SELECT key FROM Cache").fetchone()
    connection.close()
    return key


def hostile_value(directory: Path, key: str, bomb: Bomb) -> None:
    with diskcache.Cache(str(directory)) as cache:
        cache.set(key, bomb)


def hostile_file(directory: Path, key: str, bomb: Bomb) -> None:
    with diskcache.Cache(str(directory), disk_min_file_size=0) as cache:
        cache.set(key, [bomb, "x" * 100_000])
    assert any(directory.rglob("*.val"))


def hostile_bytes(directory: Path, key: str, bomb: Bomb) -> None:
    with diskcache.Cache(str(directory)) as cache:
        cache.set(key, pickle.dumps(bomb))


def hostile_key(directory: Path, key: str, bomb: Bomb) -> None:
    with diskcache.Cache(str(directory)) as cache:
        cache.delete(key)
        for i in range(50):
            cache.set((bomb, i), bomb)


def hostile_setting(directory: Path, key: str, bomb: Bomb) -> None:
    with diskcache.Cache(str(directory)) as cache:
        cache.delete(key)
    with sqlite3.connect(directory / "cache.db") as connection:
        for name in (
            "_disk",
            "disk_pickle_protocol",
            "sqlite_journal_mode; DROP TABLE Cache",
            "eviction_policy",
        ):
            connection.execute("INSERT OR REPLACE INTO Settings VALUES (?, ?)", (name, pickle.dumps(bomb)))
    connection.close()


def hostile_database(directory: Path, key: str, bomb: Bomb) -> None:
    for path in directory.iterdir():
        path.unlink()
    (directory / "cache.db").write_bytes(pickle.dumps([bomb] * 100))


def hostile_answer(directory: Path, key: str, bomb: Bomb) -> None:
    with diskcache.Cache(str(directory)) as cache:
        cache.set(key, '{"outputs": {"text": 5}, "model": ["!"], "usage": 7}')


HOSTILE = [
    hostile_value,
    hostile_file,
    hostile_bytes,
    hostile_key,
    hostile_setting,
    hostile_database,
    hostile_answer,
]


@pytest.mark.filterwarnings("ignore:The disk cache at:RuntimeWarning")
@pytest.mark.parametrize("fill", HOSTILE, ids=lambda fill: fill.__name__)
def test_a_cache_filled_by_an_enemy_is_a_miss_and_nothing_in_it_runs(tmp_path: Path, fill: object) -> None:
    directory, bomb = tmp_path / "cache", Bomb(tmp_path / "exploded")
    with Server(model="echo") as server:
        ask(server)
        configure_cache()
        fill(directory, key_of(directory), bomb)  # type: ignore[operator]
        assert ask(server) == ["hello"]
        assert server.stats.requests == 2
        for i in range(130):  # enough to cull
            ask(server, f"{i}")
        assert ask(server) == ["hello"]
        assert server.stats.requests == 132
        assert len(DiskCache(directory)) >= 0
        configure_cache().clear()
    assert not bomb.path.exists()


def test_the_bombs_of_these_tests_are_real(tmp_path: Path) -> None:
    with diskcache.Cache(str(tmp_path)) as cache:
        cache.set("key", Bomb(tmp_path / "exploded"))
        cache.get("key")
    assert (tmp_path / "exploded").exists()


# ---------------------------------------------------------------- killed while writing

WRITE = """
    import sys
    from dspx.cache.disk import DiskCache
    cache = DiskCache(sys.argv[1])
    first = int(sys.argv[2])
    for i in range(first, first + 100_000):
        cache.put(f"key {i}", {"number": i, "text": "x" * (400_000 if i % 5 == 0 else 50)})
        print(i, flush=True)
"""


@pytest.mark.slow
def test_a_process_killed_while_it_writes_loses_nothing_that_was_written(tmp_path: Path) -> None:
    written: list[int] = []
    for round_ in range(6):
        process = start(WRITE, tmp_path, round_ * 1_000_000)
        assert process.stdout is not None
        assert process.stdout.readline()
        time.sleep(random.Random(round_).uniform(0.02, 0.15))
        process.send_signal(signal.SIGKILL)
        process.wait()
        written += range(round_ * 1_000_000, round_ * 1_000_000 + 1 + process.stdout.read().count("\n"))
        process.stdout.close()
        assert process.stderr is not None
        process.stderr.close()
    cache = DiskCache(tmp_path)
    assert len(written) > 20
    for i in written:
        found = cache.get(f"key {i}")
        assert found["number"] == i
        assert len(found["text"]) == (400_000 if i % 5 == 0 else 50)
    cache.put("after", 1)
    assert cache.get("after") == 1
    cache.close()
    with sqlite3.connect(tmp_path / "cache.db") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
    print(f"\n{len(written)} values written before 6 kills, all there")


# ---------------------------------------------------------------- no place to write


@pytest.mark.skipif(sys.platform == "win32", reason="modes of directories")
def test_a_directory_that_cannot_be_written_costs_one_warning(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a directory")
    configure_cache(disk_cache_dir=blocked / "cache")
    with Server(model="echo") as server:
        with pytest.warns(RuntimeWarning, match="cannot be used"):
            assert ask(server) == ["hello"]
        assert ask(server, "again") == ["again"]  # a second warning would be an error
        assert ask(server) == ["hello"]
        assert server.stats.requests == 2  # memory still remembers


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_directory_that_was_made_read_only_still_answers(tmp_path: Path) -> None:
    with Server(model="echo") as server:
        ask(server)
        configure_cache()
        directory = tmp_path / "cache"
        for path in directory.iterdir():
            path.chmod(stat.S_IRUSR)
        directory.chmod(stat.S_IRUSR | stat.S_IXUSR)
        try:
            with pytest.warns(RuntimeWarning, match="cannot be used"):
                assert ask(server, "new") == ["new"]
        finally:
            directory.chmod(stat.S_IRWXU)


def test_without_a_home_a_program_still_answers() -> None:
    with Server(model="schema") as server:
        unset = dict.fromkeys(("HOME", "DSPX_CACHEDIR", "DSPY_CACHEDIR", "XDG_CACHE_HOME"))
        process = start(
            """
            import os, sys, warnings
            warnings.simplefilter("ignore", RuntimeWarning)
            import pathlib
            def nowhere():
                raise RuntimeError("Could not determine home directory.")
            pathlib.Path.home = nowhere
            import dspx
            lm = dspx.LM("openai/echo", api_base=sys.argv[1], api_key="none")
            print(lm("one")[0], lm("one")[0])
            """,
            server.api_base,
            **unset,
        )
        assert output_of(process) == "one one"
        assert server.stats.requests == 1


def test_an_answer_is_not_cached_twice_under_equal_requests(tmp_path: Path) -> None:
    with Server(model="echo") as server:
        first, second = server.lm("echo", temperature=0.5), server.lm("echo", temperature=0.5)
        assert first("hi") == second("hi") == ["hi"]
        assert server.stats.requests == 1
        with dspx.track_usage() as usage:
            second("hi")
        assert (usage.calls, usage.cache_hits, usage.total_tokens) == (0, 1, 0)
