"""Hand items over while work goes on: any thread or task puts, one reader takes. And start such work."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from contextvars import copy_context
from threading import Lock
from typing import Any, Generic, Protocol, TypeVar

from dspx.runtime.bridge import is_blocking, run

T = TypeVar("T")


class ReaderGone(BaseException):
    """The reader has closed the channel. It ends the work that puts, which `except Exception` must not stop."""


class Channel(Generic[T]):
    """A queue between work and its one reader.

    `put` never waits. From `limit` unread items on, `merge(last, new)` may make one of two, so that memory
    stays bounded where items can be joined; `send` waits for the reader instead.
    """

    def __init__(self, limit: int = 1024, merge: Callable[[T, T], T | None] | None = None) -> None:
        self._limit = limit
        self._merge = merge
        self._lock = Lock()
        self._items: list[T] = []
        self._reader: _Waiter | None = None
        self._senders: list[_Waiter] = []
        self._ended = False
        self._error: BaseException | None = None
        self._closed = False

    # ------------------------------------------------------------ the work's side

    def put(self, item: T) -> None:
        """Append an item; `ReaderGone` once nobody reads."""
        with self._lock:
            if self._closed:
                raise ReaderGone
            items = self._items
            joined = self._merge(items[-1], item) if self._merge and len(items) >= self._limit else None
            if joined is None:
                items.append(item)
            else:
                items[-1] = joined
            reader, self._reader = self._reader, None
        if reader is not None:
            reader.wake()

    async def send(self, item: T) -> None:
        """Append an item as soon as fewer than `limit` are unread."""
        while True:
            with self._lock:
                if self._closed or len(self._items) < self._limit:
                    break
                waiter = _waiter()
                self._senders.append(waiter)
            await waiter.wait()
        self.put(item)

    def end(self, error: BaseException | None = None) -> None:
        """No more items; the reader gets what is there, and then the error."""
        with self._lock:
            self._ended, self._error = True, error
            reader, self._reader = self._reader, None
        if reader is not None:
            reader.wake()

    # ------------------------------------------------------------ the reader's side

    async def take(self) -> list[T]:
        """All unread items, waiting for the first; none at the end. Raises what the work ended with."""
        while True:
            with self._lock:
                items, self._items = self._items, []
                senders, self._senders = self._senders, []
                if not items and not self._ended:
                    self._reader = _waiter()
                waiter, ended = self._reader, self._ended
            for sender in senders:
                sender.wake()
            if items:
                return items
            if ended:
                if self._error is not None:
                    raise self._error
                return []
            assert waiter is not None
            await waiter.wait()

    def close(self) -> None:
        """Nobody reads any more: the next `put` raises `ReaderGone`."""
        with self._lock:
            self._closed = True
            self._items = []
            senders, self._senders = self._senders, []
        for sender in senders:
            sender.wake()


# ---------------------------------------------------------------- waiting


class _Waiter(Protocol):
    def wake(self) -> None: ...
    async def wait(self) -> None: ...


class _Thread:
    """Blocks until woken."""

    __slots__ = ("_gate",)

    def __init__(self) -> None:
        self._gate = Lock()
        self._gate.acquire()

    def wake(self) -> None:
        self._gate.release()

    async def wait(self) -> None:
        self._gate.acquire()


class _Task:
    """Suspends until woken; a wake in the loop's own thread costs no system call."""

    __slots__ = ("_future", "_loop")

    def __init__(self) -> None:
        import asyncio

        self._loop = asyncio.get_running_loop()
        self._future: asyncio.Future[None] = self._loop.create_future()

    def wake(self) -> None:
        import asyncio

        if asyncio._get_running_loop() is self._loop:
            self._set()
        elif not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._set)

    async def wait(self) -> None:
        await self._future

    def _set(self) -> None:
        if not self._future.done():
            self._future.set_result(None)


def _waiter() -> _Waiter:
    return _Thread() if is_blocking() else _Task()


# ---------------------------------------------------------------- starting work


class Job:
    """Work under way beside the code that started it."""

    def __init__(self, future: Any) -> None:
        self._future = future

    async def cancel(self) -> None:
        """End it. A task is cancelled and waited for; a thread goes on until it next puts."""
        self._future.cancel()
        if not is_blocking():
            import asyncio

            await asyncio.wait([self._future])


def start(work: Callable[[], Coroutine[Any, Any, None]], channel: Channel[Any]) -> Job:
    """Run `work()` as a task in an async call, on a worker thread in a sync one; its end ends the channel."""

    def ended(future: Any) -> None:
        channel.end(_cancelled() if future.cancelled() else future.exception())

    if is_blocking():
        from dspx.runtime.workers import submit

        future: Any = submit(copy_context().run, lambda: run(work()))
    else:
        import asyncio

        future = asyncio.ensure_future(work())
    future.add_done_callback(ended)
    return Job(future)


def start_on_background_loop(work: Callable[[], Coroutine[Any, Any, None]], channel: Channel[Any]) -> Job:
    """The same for work that really awaits, started from sync code."""
    import asyncio

    from dspx.runtime.workers import background_loop

    future = copy_context().run(asyncio.run_coroutine_threadsafe, work(), background_loop())
    future.add_done_callback(lambda done: channel.end(_cancelled() if done.cancelled() else done.exception()))
    return Job(future)


def _cancelled() -> BaseException:
    import asyncio

    return asyncio.CancelledError("the streamed program was cancelled")
