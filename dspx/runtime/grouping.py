"""Single calls that share a function of lists: what comes while one call is under way goes together in the next."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from threading import Lock
from typing import Any, Generic, TypeVar, cast

from dspx.runtime.bridge import is_async_here, is_blocking
from dspx.runtime.waiting import Signal

T = TypeVar("T")
R = TypeVar("R")


def _nobody_elses(error: BaseException) -> bool:
    return False


class Grouped(Generic[T, R]):
    """`await grouped(item)`: the item's part of `fn([item, …])`.

    A call that comes alone is made at once; nobody waits for company. Those that come meanwhile, from threads or
    tasks, wait for it and go together, `most` at a time. A group runs in the context of one of its callers.
    When a group fails, each of its calls is made again by itself, so that an error is only its own caller's;
    unless `shared(error)` says that the others would fare no better.
    """

    def __init__(
        self,
        fn: Callable[[list[T]], Awaitable[Sequence[R]]],
        most: int = 64,
        shared: Callable[[BaseException], bool] = _nobody_elses,
    ) -> None:
        self.fn = fn
        self.most = most
        self.shared = shared
        self._lock = Lock()
        self._busy = False
        self._waiting: deque[_Seat] = deque()

    async def __call__(self, item: T) -> R:
        if is_blocking() and is_async_here():
            # Waiting would block this loop, and perhaps the very task that makes the call.
            return await self._alone(item)
        seat = _Seat(item)
        if not self._is_first(seat):
            await self._turn_of(seat)
        if seat.leads:
            await self._lead(seat)
        if seat.again:
            return await self._alone(item)
        if seat.error is not None:
            raise seat.error
        return cast("R", seat.result)

    async def _alone(self, item: T) -> R:
        return (await self.fn([item]))[0]

    def _is_first(self, seat: _Seat) -> bool:
        with self._lock:
            if self._busy:
                self._waiting.append(seat)
            else:
                self._busy = seat.leads = True
            return seat.leads

    async def _turn_of(self, seat: _Seat) -> None:
        try:
            await seat.turn.wait()
        except BaseException:
            with self._lock:
                seat.gone = True
                if seat in self._waiting:
                    self._waiting.remove(seat)
            if seat.leads:
                self._hand_over()
            raise

    async def _lead(self, seat: _Seat) -> None:
        group = [seat, *self._others()]
        try:
            results = await self.fn([each.item for each in group])
            for each, result in zip(group, results, strict=True):
                each.result = result
        except Exception as error:  # noqa: BLE001  it is raised in each of the calls
            for each in group:
                each.again = len(group) > 1 and not self.shared(error)
                each.error = error
        except BaseException:
            with self._lock:  # this caller was cancelled, the others were not
                self._waiting.extendleft(each for each in reversed(group[1:]) if not each.gone)
            self._hand_over()
            raise
        for each in group[1:]:
            each.turn.give()
        self._hand_over()

    def _others(self) -> list[_Seat]:
        with self._lock:
            return [self._waiting.popleft() for _ in range(min(self.most - 1, len(self._waiting)))]

    def _hand_over(self) -> None:
        """The next in the queue makes the next call."""
        with self._lock:
            following = self._waiting.popleft() if self._waiting else None
            if following is None:
                self._busy = False
                return
            following.leads = True
        following.turn.give()


class _Seat:
    """One call in the queue."""

    __slots__ = ("again", "error", "gone", "item", "leads", "result", "turn")

    def __init__(self, item: Any) -> None:
        self.item = item
        self.turn = Signal()
        self.leads = False
        self.again = False
        self.gone = False
        self.result: Any = None
        self.error: Exception | None = None
