"""Stores and more than one process: killed ones, concurrent ones, waiting ones."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dspx.store import LeaseHeld, Run, Store
from dspx.testing.store_conformance import rollout

ROOT = Path(__file__).resolve().parent.parent.parent


@contextmanager
def worker(*arguments: str) -> Generator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.store.worker", *arguments],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def rest_of(process: subprocess.Popen[str]) -> list[str]:
    assert process.stdout is not None
    return process.stdout.read().split()


@pytest.mark.parametrize("after", [1, 40])
def test_a_killed_process_loses_nothing_that_it_committed(url: str, after: int) -> None:
    with worker("write_one_by_one", url, "r", "0") as process:
        keys = [said(process) for _ in range(after)]
        process.kill()
        keys += rest_of(process)
    with Store(url) as store:
        found = [found.key for found in store.find_rollouts("r")]
        assert found[: len(keys)] == keys
        assert len(found) <= len(keys) + 1  # committed, and killed before it could say so
        assert store.record_rollout(rollout("r", 10**6)).sequence == len(found) + 1


def test_a_batch_that_was_cut_off_is_not_there_at_all(url: str) -> None:
    for attempt in range(4):
        run_id = f"r{attempt}"
        with worker("write_batches", url, run_id, "400") as process:
            done = int(said(process)) + 1
            time.sleep(0.006 * attempt)
            process.kill()
            done += len(rest_of(process))
        with Store(url) as store:
            found = store.find_rollouts(run_id)
        assert len(found) in (400 * done, 400 * (done + 1))
        assert [r.sequence for r in found] == list(range(1, len(found) + 1))


def test_processes_that_make_a_store_at_once_and_write_to_one_run_lose_nothing(url: str) -> None:
    writers = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.store.worker", "write_some", url, "r", f"w{n}", "50"], cwd=ROOT
        )
        for n in range(3)
    ]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    with Store(url) as store:
        found = store.find_rollouts("r")
    assert {r.key for r in found} == {f"w{n}-{number}" for n in range(3) for number in range(50)}
    assert [r.sequence for r in found] == list(range(1, 151))


def test_a_second_process_fails_or_waits_until_the_first_lets_go(url: str) -> None:
    with Store(url) as store, worker("hold", url, "r", "30") as process:
        assert said(process) == "held"
        with pytest.raises(LeaseHeld, match="holder"):
            store.lease("r")
        with pytest.raises(LeaseHeld):
            store.lease("r", on_conflict="wait", timeout=0.1)
        assert process.stdin is not None
        process.stdin.close()
        with store.lease("r", "second", on_conflict="wait", timeout=20) as lease:
            lease.beat()
        assert said(process) == "released"


def test_a_killed_processs_lease_runs_out(url: str) -> None:
    with Store(url) as store, worker("hold", url, "r", "0.6") as process:
        assert said(process) == "held"
        first = expiry(store, "r")
        while expiry(store, "r") == first:
            time.sleep(0.01)  # its heart beats, sooner or later
        process.kill()
        with store.lease("r", "second", on_conflict="wait", timeout=20):
            pass


def expiry(store: Store, run_id: str) -> float:
    try:
        store.lease(run_id, "somebody else", heartbeat=False).release()
    except LeaseHeld as held:
        return held.expires
    raise AssertionError(f"nobody holds {run_id}")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child_uses_connections_of_its_own(url: str) -> None:
    import multiprocessing

    with Store(url) as store:
        store.runs.record(Run("r"))

        def write() -> None:
            for number in range(20):
                store.record_rollout(rollout("r", 100 + number))
            store.close()

        child = multiprocessing.get_context("fork").Process(target=write)
        child.start()
        for number in range(20):
            store.record_rollout(rollout("r", number))
        child.join(30)
        assert child.exitcode == 0
        assert len(store.find_rollouts("r")) == 40
