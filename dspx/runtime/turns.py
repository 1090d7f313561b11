"""So many at a time in one turn of an event loop: a crowd that begins at once does not keep the loop's others waiting."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio


class Turns:
    """`await turns.take()` returns in this turn of the loop for the first `most`, in one of the next for the others.

    Nobody waits for anybody's work: the loop only looks after its timers and sockets in between.
    """

    __slots__ = ("_begun", "_loop", "_most", "_waiting")

    def __init__(self, loop: asyncio.AbstractEventLoop, most: int) -> None:
        self._loop = loop
        self._most = most
        self._begun = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def take(self) -> None:
        if not self._begun:
            self._loop.call_soon(self._next)
        if self._begun < self._most:
            self._begun += 1
            return
        turn: asyncio.Future[None] = self._loop.create_future()
        self._waiting.append(turn)
        await turn

    def _next(self) -> None:
        self._begun = 0
        while self._waiting and self._begun < self._most:
            turn = self._waiting.popleft()
            if not turn.done():  # it may have been cancelled
                turn.set_result(None)
                self._begun += 1
        if self._begun:
            self._loop.call_soon(self._next)
