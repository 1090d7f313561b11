from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any

import pytest

from dspx.runtime.bridge import run
from dspx.runtime.waiting import Signal, outcome

Run = Callable[[Coroutine[Any, Any, Any]], Any]
both = pytest.mark.parametrize("run", [run, asyncio.run], ids=["sync", "async"])


@both
def test_a_signal_wakes_whoever_waits(run: Run) -> None:
    signal = Signal()
    threading.Timer(0.02, signal.give).start()
    assert run(signal.wait(5)) is True
    assert signal.given
    assert run(signal.wait(0)) is True


@both
def test_a_signal_that_does_not_come_is_false_and_may_come_later(run: Run) -> None:
    signal = Signal()
    assert run(signal.wait(0.01)) is False
    signal.give()
    signal.give()
    assert run(signal.wait()) is True


@both
def test_the_outcome_of_a_future_arrives(run: Run) -> None:
    future: Future[int] = Future()
    threading.Timer(0.02, future.set_result, [5]).start()
    assert run(outcome(future)) == 5
    assert run(outcome(future, 1)) == 5


@both
def test_a_wait_that_ends_early_leaves_the_future_alone(run: Run) -> None:
    future: Future[int] = Future()
    with pytest.raises(TimeoutError):
        run(outcome(future, 0.01))
    assert not future.cancelled()
    future.set_result(1)


@both
def test_an_error_of_the_future_is_raised_its_own_timeouts_too(run: Run) -> None:
    future: Future[int] = Future()
    future.set_exception(TimeoutError("its own"))
    with pytest.raises(TimeoutError, match="its own"):
        run(outcome(future, 1))


def test_a_cancelled_wait_leaves_the_signal_to_others() -> None:
    async def main() -> None:
        signal = Signal()
        first = asyncio.create_task(signal.wait())
        second = asyncio.create_task(signal.wait(5))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.sleep(0)
        signal.give()
        assert await second

    asyncio.run(main())
