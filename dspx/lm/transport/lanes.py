"""Connections of sync calls that wait for their next one: a list for each origin, last in, first out.

A pool shared by many threads spends its time on itself. A lane is used by one call alone, goes back when the reply
was read, and so outlives short-lived threads; the least used grow old and are closed.
"""

from __future__ import annotations

import time

from dspx.lm.transport.connection import connection_to
from dspx.runtime.locks import Lock

KEPT = 4
"""How many idle connections an origin keeps for KEPT_SECONDS; a surplus goes sooner."""
KEPT_SECONDS = 60.0
SURPLUS_SECONDS = 3.0
FRESH_SECONDS = 0.5


class Lane:
    """One connection to one origin, direct or through a proxy."""

    __slots__ = ("connection", "idle_since", "origin", "used")

    def __init__(self, origin: tuple[str, str]) -> None:
        self.origin = origin
        self.used = False
        self.idle_since = 0.0
        self.connection = connection_to(*origin)

    @property
    def stands(self) -> bool:
        """Whether it can still be used, as far as this end knows. One that was used just now is not looked at."""
        idle = time.monotonic() - self.idle_since
        return idle < FRESH_SECONDS or (idle < KEPT_SECONDS and self.connection.is_quiet)


class Lanes:
    """All lanes of the process. `busy` are out with calls."""

    def __init__(self) -> None:
        self.busy = 0
        self._lock = Lock()
        self._idle: dict[tuple[str, str], list[Lane]] = {}
        self._sweeping = False

    def take(self, origin: tuple[str, str]) -> Lane:
        """A lane that still stands, or a new one; `give` or `drop` it."""
        while True:
            with self._lock:
                waiting = self._idle.get(origin)
                lane = waiting.pop() if waiting else None
                self.busy += 1
            if lane is None:
                return self._new(origin)
            if lane.stands:
                return lane
            self.drop(lane)

    def give(self, lane: Lane) -> None:
        """The call is over; the next one may have the lane, unless the server ended it."""
        if lane.connection.sock is None:
            self.drop(lane)
            return
        lane.used = True
        lane.idle_since = time.monotonic()
        with self._lock:
            self.busy -= 1
            waiting = self._idle.setdefault(lane.origin, [])
            waiting.append(lane)
            sweep = len(waiting) > KEPT and not self._sweeping
            self._sweeping = self._sweeping or sweep
        if sweep:
            from dspx.runtime.workers import submit

            submit(self._sweep)

    def drop(self, lane: Lane) -> None:
        """The call is over, and so is the lane."""
        with self._lock:
            self.busy -= 1
        lane.connection.close()

    def close(self) -> None:
        """Close those that wait."""
        with self._lock:
            closing = [lane for waiting in self._idle.values() for lane in waiting]
            self._idle.clear()
        for lane in closing:
            lane.connection.close()

    def count(self) -> int:
        """How many wait."""
        with self._lock:
            return sum(len(waiting) for waiting in self._idle.values())

    def forget_after_fork(self) -> None:
        """In a child process: the connections are the parent's, and only this end's handles are closed."""
        self._lock = Lock()
        self._sweeping = False
        self.busy = 0
        self.close()

    def _new(self, origin: tuple[str, str]) -> Lane:
        try:
            return Lane(origin)
        except BaseException:
            with self._lock:
                self.busy -= 1
            raise

    def _sweep(self) -> None:
        """Close the surplus once it has waited long enough; end when there is none."""
        while True:
            time.sleep(SURPLUS_SECONDS / 2)
            now = time.monotonic()
            closing: list[Lane] = []
            with self._lock:
                for waiting in self._idle.values():
                    while len(waiting) > KEPT and now - waiting[0].idle_since > SURPLUS_SECONDS:
                        closing.append(waiting.pop(0))
                self._sweeping = any(len(waiting) > KEPT for waiting in self._idle.values())
                done = not self._sweeping
            for lane in closing:
                lane.connection.close()
            if done:
                return
