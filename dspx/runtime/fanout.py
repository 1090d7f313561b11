"""Map over items: bounded, ordered, cancellable; threads in a sync call, tasks in an async one."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from contextvars import copy_context
from dataclasses import dataclass
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from dspx.runtime import clock
from dspx.runtime.bridge import is_async_here, is_blocking, run, step

if TYPE_CHECKING:
    from concurrent.futures import Future

T = TypeVar("T")
R = TypeVar("R")

_SHORT = 0.001
"""Seconds. Items that take less are done sooner by one thread than by many that fight for the interpreter's lock."""


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

    __slots__ = ("given",)

    def __init__(self) -> None:
        self.given = False

    def set(self) -> None:
        self.given = True

    def __bool__(self) -> bool:
        return self.given


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

    In a sync call threads each step `fn(item)`; in an async one tasks await it. The first thread works alone as
    long as items take less than a millisecond, as cached answers do; then the others join it, for good. A single
    one is this thread, unless it runs a loop: users' async functions could not be called on it. An item's
    exception becomes its outcome's `error`. `on_done` sees each outcome as it is ready, one at a time.
    What one item sets in its context, no other sees.
    Set `stop` (also from `on_done`) to start no more items; those never started have `started=False`.
    `timeout` (seconds per item, async calls only) cancels an item and records `TimeoutError`.
    A `KeyboardInterrupt` sets `stop`, gives what is in flight no more time, and is raised again.
    """
    items = list(items)
    found: list[Outcome[R] | None] = [None] * len(items)

    def keep(outcome: Outcome[R]) -> None:
        found[outcome.index] = outcome
        if on_done is not None:
            on_done(outcome)

    await hand_out(fn, items, workers=workers, on_done=keep, stop=stop, timeout=timeout)
    return [Outcome(index) if outcome is None else outcome for index, outcome in enumerate(found)]


async def hand_out(
    fn: Callable[[T], Awaitable[R]],
    items: Iterable[T],
    *,
    workers: int,
    on_done: Callable[[Outcome[R]], None],
    stop: Stop | None = None,
    timeout: float | None = None,
) -> None:
    """`fan_out` for an `on_done` that takes all there is to keep: of outcomes no list is made."""
    work = _Work(fn, list(items), on_done, Stop() if stop is None else stop, timeout)
    workers = max(1, min(workers, len(work.items)))
    if not is_blocking():
        await work.with_tasks(workers)
    elif workers == 1 and not is_async_here():
        await work.in_this_thread()
    else:
        work.with_threads(workers)


class _Work(Generic[T, R]):
    def __init__(
        self,
        fn: Callable[[T], Awaitable[R]],
        items: list[T],
        on_done: Callable[[Outcome[R]], None],
        stop: Stop,
        timeout: float | None,
    ) -> None:
        self.fn = fn
        self.items = items
        self.on_done = on_done
        self.stop = stop
        self.timeout = timeout
        self.done_lock = Lock()
        self.waiting = deque(range(len(items)))

    async def in_this_thread(self) -> None:
        while (outcome := self.take()) is not None:
            copy_context().run(step, self.one(outcome))

    def with_threads(self, workers: int) -> None:
        from dspx.runtime.workers import submit

        def worker() -> None:
            try:
                run(self.in_this_thread())
            except BaseException:
                self.stop.set()
                raise

        try:
            started = [submit(copy_context().run, worker)]
            if workers > 1 and self.takes_long(started[0]):
                others = min(workers - 1, len(self.waiting))
                started += [submit(copy_context().run, worker) for _ in range(others)]
            for future in started:
                future.result()
        except BaseException:
            self.stop.set()
            raise

    def takes_long(self, first: Future[Any]) -> bool:
        """Wait until the first worker's items turn out to be no short ones, or it is done with all of them.

        It takes two looks in a row: after a single pause, as the garbage collector makes, work goes on as before.
        """
        from dspx.runtime.workers import is_done

        left, looked, slow = len(self.items), monotonic(), 0
        while slow < 2:
            if is_done(first, _SHORT):
                return False
            left_now, now = len(self.waiting), monotonic()
            slow = slow + 1 if (left - left_now) * _SHORT < now - looked else 0
            left, looked = left_now, now
        return True

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
            return None if self.stop.given else Outcome(self.waiting.popleft())
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
