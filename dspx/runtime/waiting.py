"""Wait for what another thread or task does: blocks in a sync call, suspends in an async one."""

from __future__ import annotations

from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from typing import TypeVar

from dspx.runtime.bridge import is_blocking

T = TypeVar("T")


async def outcome(future: Future[T], seconds: float | None = None) -> T:
    """The result of a future that another thread fulfils. `TimeoutError` when it takes longer than `seconds`.

    The future itself goes on when the wait ends early.
    """
    if is_blocking():
        try:
            return future.result(seconds)
        except FutureTimeout as error:
            if future.done():
                raise
            raise TimeoutError from error
    import asyncio

    waiting = asyncio.shield(asyncio.wrap_future(future))
    if seconds is None:
        return await waiting
    try:
        return await asyncio.wait_for(waiting, seconds)
    except asyncio.TimeoutError as error:
        if future.done():
            raise
        raise TimeoutError from error


class Signal:
    """Given once, from any thread or task; awaited by one or many."""

    __slots__ = ("_future",)

    def __init__(self) -> None:
        self._future: Future[None] = Future()

    def give(self) -> None:
        """Wake whoever waits, now or later."""
        if not self._future.done():
            self._future.set_result(None)

    @property
    def given(self) -> bool:
        return self._future.done()

    async def wait(self, seconds: float | None = None) -> bool:
        """Whether the signal came; False when `seconds` passed without it."""
        if self._future.done():
            return True
        try:
            await outcome(self._future, seconds)
        except TimeoutError:
            return False
        return True
