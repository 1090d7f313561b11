"""A pool: fresh sandboxes for everybody, some of them ready, never more than it was told."""

from __future__ import annotations

import gc
import threading
from functools import partial

import pytest

from dspx.errors import SandboxError, UsageError
from dspx.runtime.bridge import run
from dspx.runtime.fanout import fan_out
from dspx.sandbox import LocalInterpreter, SandboxPool
from dspx.testing import FakeInterpreter

local = partial(LocalInterpreter, unsafe=True)


def test_nothing_passes_from_one_borrower_to_the_next() -> None:
    with SandboxPool(max=1, factory=local) as pool:
        with pool() as first:
            first.execute("left_behind = 1")
        with pool() as second:
            assert second.execute("'left_behind' in globals()") is False


def test_at_most_max_are_in_use_at_once() -> None:
    at_work, most = 0, 0
    lock = threading.Lock()

    class Counted(FakeInterpreter):
        async def _started(self) -> object:
            nonlocal at_work, most
            with lock:
                at_work += self._session is None
                most = max(most, at_work)
            return await super()._started()

        async def ashutdown(self) -> None:
            nonlocal at_work
            with lock:
                at_work -= self._session is not None
            await super().ashutdown()

    pool = SandboxPool(max=2, factory=Counted)

    async def borrow(n: int) -> int:
        with pool() as interpreter:
            return interpreter.execute("n * 2", {"n": n})

    outcomes = run(fan_out(borrow, range(12), workers=6))
    assert [outcome.value for outcome in outcomes] == [n * 2 for n in range(12)]
    assert most <= 2
    assert at_work == 0


def test_min_are_ready_before_anybody_asks() -> None:
    started = threading.Semaphore(0)

    class Started(FakeInterpreter):
        async def _started(self) -> object:
            session = await super()._started()
            started.release()
            return session

    pool = SandboxPool(min=2, max=4, factory=Started)
    for _ in range(2):
        assert started.acquire(timeout=10)
    borrowed = pool()
    assert borrowed.execute("1") == 1
    for _ in range(2):  # the execution, and the one that takes the borrowed one's place
        assert started.acquire(timeout=10)
    borrowed.shutdown()
    pool.close()
    assert pool.ready == 0
    with pytest.raises(SandboxError, match="closed"):
        pool().execute("1")


def test_a_forgotten_interpreter_gives_its_place_back() -> None:
    pool = SandboxPool(max=1, factory=FakeInterpreter)
    pool().execute("1")
    gc.collect()
    with pool() as after:
        assert after.execute("2") == 2


def test_a_pool_of_none_is_refused() -> None:
    for least, most in ((-1, 2), (3, 2), (0, 0)):
        with pytest.raises(UsageError):
            SandboxPool(min=least, max=most)
