"""Map over items: bounded, ordered, cancellable; threads in a sync call, tasks in an async one."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from contextvars import copy_context
from dataclasses import dataclass
from threading import Event, Lock
from typing import Any, Generic, TypeVar

from dspx.runtime import clock
from dspx.runtime.bridge import is_async_here, is_blocking, run

T = TypeVar("T")
R = TypeVar("R")


@dataclass(slots=True)
class Outcome(Generic[R]):
    """What became of one item: a value, an error, or neither if it was never started."""

    index: int
    value: R | None = None
    error: BaseException | None = None
    started: bool = False
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        return self.started and self.error is None


class Stop:
    """A flag that keeps a fan-out from starting more items."""

    def __init__(self) -> None:
        self._event = Event()

    def set(self) -> None:
        self._event.set()

    def __bool__(self) -> bool:
        return self._event.is_set()


Item = TypeVar("Item")


async def fan_out(
    fn: Callable[[T], Awaitable[R]],
    items: Iterable[T],
    *,
    workers: int,
    on_done: Callable[[Outcome[R]], None] | None = None,
    stop: Stop | None = None,
    timeout: float | None = None,
) -> list[Outcome[R]]:
    """What `fn` makes of each item, in the items' order, with at most `workers` at work.

    In a sync call `workers` threads each step `fn(item)`; in an async one tasks await it. A single one is
    this thread, unless it runs a loop: users' async functions could not be called on it. An item's
    exception becomes its outcome's `error`. `on_done` sees each outcome as it is ready, one at a time.
    What one item sets in its context, no other sees.
    Set `stop` (also from `on_done`) to start no more items; those never started have `started=False`.
    `timeout` (seconds per item, async calls only) cancels an item and records `TimeoutError`.
    A `KeyboardInterrupt` sets `stop`, gives what is in flight no more time, and is raised again.
    """
    work = _Work(fn, list(items), on_done, Stop() if stop is None else stop, timeout)
    workers = max(1, min(workers, len(work.outcomes)))
    if not is_blocking():
        await work.with_tasks(workers)
    elif workers == 1 and not is_async_here():
        work.in_this_thread()
    else:
        work.with_threads(workers)
    return work.outcomes


class _Work(Generic[T, R]):
    def __init__(
        self,
        fn: Callable[[T], Awaitable[R]],
        items: list[T],
        on_done: Callable[[Outcome[R]], None] | None,
        stop: Stop,
        timeout: float | None,
    ) -> None:
        self.fn = fn
        self.items = items
        self.outcomes: list[Outcome[R]] = [Outcome(i) for i in range(len(items))]
        self.on_done = on_done
        self.stop = stop
        self.timeout = timeout
        self.done_lock = Lock()
        self.waiting: deque[Outcome[R]] = deque(self.outcomes)

    def in_this_thread(self) -> None:
        while (outcome := self.take()) is not None:
            copy_context().run(run, self.one(outcome))

    def with_threads(self, workers: int) -> None:
        from dspx.runtime.workers import submit

        def worker() -> None:
            try:
                self.in_this_thread()
            except BaseException:
                self.stop.set()
                raise

        try:
            for future in [submit(copy_context().run, worker) for _ in range(workers)]:
                future.result()
        except BaseException:
            self.stop.set()
            raise

    async def with_tasks(self, workers: int) -> None:
        import asyncio

        async def worker() -> None:
            while (outcome := self.take()) is not None:
                await asyncio.ensure_future(self.one(outcome))

        tasks = [asyncio.ensure_future(worker()) for _ in range(workers)]
        try:
            await asyncio.gather(*tasks)
        except BaseException:
            self.stop.set()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            raise

    def take(self) -> Outcome[R] | None:
        try:
            return None if self.stop else self.waiting.popleft()
        except IndexError:
            return None

    async def one(self, outcome: Outcome[R]) -> None:
        outcome.started = True
        started = clock.now()
        try:
            outcome.value = await self.within_time(self.items[outcome.index])
        except Exception as error:  # noqa: BLE001  an item's failure is data
            outcome.error = error
        outcome.seconds = clock.now() - started
        if self.on_done is not None:
            with self.done_lock:
                self.on_done(outcome)

    def within_time(self, item: T) -> Awaitable[R]:
        if self.timeout is None or is_blocking():
            return self.fn(item)
        import asyncio

        return asyncio.wait_for(self.fn(item), self.timeout)  # type: ignore[arg-type]


def bind_context(fn: Callable[..., R]) -> Callable[..., R]:
    """`fn`, carrying the settings, trace and trackers of this place to whatever thread calls it.

    A plain `threading.Thread` starts without them: `Thread(target=dspx.bind_context(work))`.
    """
    context = copy_context()

    def bound(*args: Any, **kwargs: Any) -> R:
        return context.copy().run(fn, *args, **kwargs)

    return bound
