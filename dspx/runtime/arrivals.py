"""Wait for an answer on a socket, as one of hundreds of threads that do.

A thread whose answer arrives asks for the interpreter, and asks again every 5 ms until it has it. When hundreds
do, the asking takes more time than their work. So they sleep on locks, and one thread watches all their sockets and
wakes a few at a time: it needs the interpreter itself in between, so hardly anybody is woken to stand in line.
"""

from __future__ import annotations

import os
import select
import threading
from _thread import LockType, allocate_lock

POSSIBLE = hasattr(select, "epoll")
"""Where it is not (it takes Linux), each thread waits for its own socket."""

AT_A_TIME = 16


def wait(fd: int, seconds: float | None) -> bool:
    """Whether there is something to read on the socket with this number, or it ended, within so many seconds.

    None waits for as long as it takes.
    """
    return _arrivals.wait(fd, seconds)


class Arrivals:
    """The threads that sleep, by their sockets, and the one that wakes them. It starts with the first wait."""

    def __init__(self) -> None:
        self._start = threading.Lock()
        self._epoll: select.epoll | None = None
        self._sleeping: dict[int, LockType] = {}

    def wait(self, fd: int, seconds: float | None) -> bool:
        turn = allocate_lock()
        turn.acquire()
        self._sleeping[fd] = turn
        try:
            self._watch(fd)
            return turn.acquire(timeout=-1 if seconds is None else min(seconds, threading.TIMEOUT_MAX))
        finally:
            self._sleeping.pop(fd, None)

    def _watch(self, fd: int) -> None:
        epoll = self._epoll or self._started()
        once = select.EPOLLIN | select.EPOLLONESHOT
        try:
            epoll.modify(fd, once)
        except FileNotFoundError:  # a socket that was not waited for before
            epoll.register(fd, once)

    def _started(self) -> select.epoll:
        with self._start:
            if self._epoll is None:
                self._epoll = select.epoll()
                threading.Thread(
                    target=self._wake, args=(self._epoll,), name="dspx-arrivals", daemon=True
                ).start()
            return self._epoll

    def _wake(self, epoll: select.epoll) -> None:
        while True:
            for fd, _ in epoll.poll(maxevents=AT_A_TIME):
                turn = self._sleeping.pop(fd, None)
                if turn is not None:
                    turn.release()


_arrivals = Arrivals()


def _forget_after_fork() -> None:
    """Threads do not survive a fork, so the child starts with none."""
    global _arrivals
    _arrivals = Arrivals()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)
