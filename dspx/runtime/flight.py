"""One call in flight per key: equal calls made meanwhile share its result."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable
from concurrent.futures import Future
from threading import Lock
from typing import Any, TypeVar

from dspx.runtime.bridge import is_async_here, is_blocking

T = TypeVar("T")


class _LeaderGone(Exception):
    """The call that others waited for was cancelled; one of them has to make it."""


class Flights:
    """Calls in flight, by key, shared by threads and tasks."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._flights: dict[Hashable, Future[Any] | None] = {}  # None where nobody waits yet

    async def once(self, key: Hashable, make: Callable[[], Awaitable[T]]) -> tuple[T, bool]:
        """`(make(), False)` for the first caller; the same value and True for those who came meanwhile.

        An error reaches everybody who waited. If the first caller is cancelled, the next one makes the call.
        """
        while (flight := self._boarded(key)) is not None:
            if is_blocking() and is_async_here():
                # Blocking this loop might block the very task that makes the call.
                return await make(), False
            try:
                return await _wait(flight), True
            except _LeaderGone:
                continue
        return await self._lead(key, make), False

    def _boarded(self, key: Hashable) -> Future[Any] | None:
        """The flight to wait for; None for the first caller, who makes the call."""
        with self._lock:
            if key not in self._flights:
                self._flights[key] = None
                return None
            flight = self._flights[key]
            if flight is None:
                flight = self._flights[key] = Future()
            return flight

    async def _lead(self, key: Hashable, make: Callable[[], Awaitable[T]]) -> T:
        try:
            value = await make()
        except Exception as error:
            if (flight := self._landed(key)) is not None:
                flight.set_exception(error)
            raise
        except BaseException:
            if (flight := self._landed(key)) is not None:
                flight.set_exception(_LeaderGone())
            raise
        if (flight := self._landed(key)) is not None:
            flight.set_result(value)
        return value

    def _landed(self, key: Hashable) -> Future[Any] | None:
        with self._lock:
            return self._flights.pop(key)


async def _wait(flight: Future[Any]) -> Any:
    if is_blocking():
        return flight.result()
    import asyncio

    return await asyncio.shield(asyncio.wrap_future(flight))
