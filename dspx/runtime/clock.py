"""Now, sleep, deadlines: the only clock. Tests replace it."""

from __future__ import annotations

import time as _time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Protocol

from dspx.runtime.bridge import is_blocking


class Clock(Protocol):
    """What a clock must do. `sleep` is awaited in async calls and blocks in sync ones."""

    def now(self) -> float: ...
    def time(self) -> float: ...
    async def sleep(self, seconds: float) -> None: ...


class SystemClock:
    """The machine's clock."""

    now = staticmethod(_time.monotonic)
    time = staticmethod(_time.time)

    async def sleep(self, seconds: float) -> None:
        if is_blocking():
            _time.sleep(max(0.0, seconds))
            return
        import asyncio

        await asyncio.sleep(max(0.0, seconds))


class FakeClock:
    """A clock that stands still until somebody sleeps; `slept` lists for how long."""

    def __init__(self, start: float = 0.0) -> None:
        self._now = start
        self.slept: list[float] = []

    def now(self) -> float:
        return self._now

    def time(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        self._now += max(0.0, seconds)


_clock: Clock = SystemClock()


def now() -> float:
    """Seconds on a clock that never goes back; only differences mean anything."""
    return _clock.now()


def time() -> float:
    """Seconds since 1970."""
    return _clock.time()


async def sleep(seconds: float) -> None:
    """Wait: blocks this thread in a sync call, suspends the task in an async one."""
    await _clock.sleep(seconds)


@contextmanager
def use(clock: Clock) -> Generator[Clock]:
    """Replace the clock of the whole process, for tests."""
    global _clock
    before, _clock = _clock, clock
    try:
        yield clock
    finally:
        _clock = before
