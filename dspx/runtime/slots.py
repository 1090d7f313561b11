"""At most so many at work at once, over all threads and loops."""

from __future__ import annotations

from collections import deque
from threading import Lock

from dspx.runtime.waiting import Signal


class Slots:
    """`await slots.take(8)` waits while eight are taken; `slots.give()` frees one."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._taken = 0
        self._waiting: deque[Signal] = deque()

    async def take(self, limit: int) -> None:
        """Take a slot. The limit may differ from call to call."""
        while True:
            with self._lock:
                if self._taken < limit:
                    self._taken += 1
                    return
                turn = Signal()
                self._waiting.append(turn)
            try:
                await turn.wait()
            except BaseException:
                self._forgo(turn)
                raise

    def give(self) -> None:
        """Free a slot."""
        with self._lock:
            self._taken -= 1
        self._call_next()

    def _call_next(self) -> None:
        with self._lock:
            turn = self._waiting.popleft() if self._waiting else None
        if turn is not None:
            turn.give()

    def _forgo(self, turn: Signal) -> None:
        """Whoever waited was cancelled: its turn, if it had come, is the next one's."""
        with self._lock:
            if turn in self._waiting:
                self._waiting.remove(turn)
                return
        self._call_next()
