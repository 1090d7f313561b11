"""Leases in real time: the heart that beats on a thread. What can be told on a fake clock is in the conformance suite."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from dspx.errors import StoreError
from dspx.runtime import clock
from dspx.runtime.clock import FakeClock
from dspx.store import LeaseHeld, LeaseLost, Store
from dspx.store.lease import this_process


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_a_lease_is_kept_alive_for_longer_than_it_lasts(store: Store) -> None:
    fake = FakeClock(1000)
    with clock.use(fake), store.lease("r", "me", 0.03) as lease:
        for _ in range(5):
            fake.advance(0.02)
            wait_until(lambda: lease.expires == fake.time() + 0.03)
        assert not lease.lost
        with pytest.raises(LeaseHeld):
            store.lease("r", "you")
    with store.lease("r", "you"):
        pass


def test_without_a_heart_it_runs_out(store: Store) -> None:
    lease = store.lease("r", "me", 0.05, heartbeat=False)
    time.sleep(0.06)
    with pytest.raises(LeaseLost, match=r"did not beat for 0\.05 s"):
        lease.check()
    assert "lost=True" in repr(lease)


def test_a_lease_taken_by_another_is_noticed(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    mine = store.lease("r", "me", 0.03)
    theirs = store.lease("r", "me", 60, heartbeat=False)  # as after a long sleep of the machine
    wait_until(lambda: "another process may work on it" in caplog.text)
    assert mine.lost
    mine.release()
    theirs.beat()


def test_a_store_that_fails_for_a_moment_does_not_stop_the_heart(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with store.lease("r", "me", 0.03) as lease:
        beat, beats = lease.beat, list[int]()

        def failing_once() -> None:
            beats.append(1)
            if len(beats) == 1:
                raise StoreError("the disk was away")
            beat()

        monkeypatch.setattr(lease, "beat", failing_once)
        wait_until(lambda: len(beats) > 3)
    assert "the disk was away" in caplog.text


def test_releasing_twice_is_fine(store: Store) -> None:
    lease = store.lease("r")
    lease.release()
    lease.release()
    assert lease.released
    with pytest.raises(LeaseLost):
        lease.beat()


def test_a_process_names_itself_differently_each_time() -> None:
    assert this_process() != this_process()


def test_a_process_killed_on_this_machine_holds_nothing(store: Store) -> None:
    dead = subprocess.Popen([sys.executable, "-c", "pass"])
    dead.wait()
    owner = this_process().replace(f":{os.getpid()}:", f":{dead.pid}:")
    store.lease("r", owner, heartbeat=False)
    store.lease("r", heartbeat=False)  # at once


def test_whoever_lives_or_is_elsewhere_keeps_the_lease(store: Store) -> None:
    for owner in (this_process(), "elsewhere(1):1:abcdef", "my own name", f"elsewhere(1):{2**22 + 1}:abcdef"):
        held = store.lease("r", owner, heartbeat=False)
        with pytest.raises(LeaseHeld):
            store.lease("r", heartbeat=False)
        held.release()
