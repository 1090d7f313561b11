"""Many threads that wait for their sockets, woken a few at a time."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from types import FrameType

import pytest

from dspx.runtime import arrivals

pytestmark = pytest.mark.skipif(not arrivals.POSSIBLE, reason="needs epoll")

Ends = tuple[socket.socket, socket.socket]


@pytest.fixture
def ends() -> Generator[Ends]:
    here, there = socket.socketpair()
    yield here, there
    here.close()
    there.close()


def test_what_is_there_already_is_not_waited_for(ends: Ends) -> None:
    for _ in range(3):
        ends[1].sendall(b"x")
        assert arrivals.wait(ends[0].fileno(), 5)
        assert ends[0].recv(1) == b"x"


def test_what_comes_later_ends_the_wait(ends: Ends) -> None:
    threading.Timer(0.02, ends[1].sendall, [b"x"]).start()
    assert arrivals.wait(ends[0].fileno(), None)
    assert ends[0].recv(1) == b"x"


def test_a_connection_that_ends_ends_the_wait(ends: Ends) -> None:
    threading.Timer(0.02, ends[1].close).start()
    assert arrivals.wait(ends[0].fileno(), 5)
    assert ends[0].recv(1) == b""


def test_nothing_comes_in_time(ends: Ends) -> None:
    assert not arrivals.wait(ends[0].fileno(), 0.01)
    ends[1].sendall(b"x")
    assert arrivals.wait(ends[0].fileno(), 5)


def test_a_number_is_used_again_for_another_socket() -> None:
    for _ in range(5):
        here, there = socket.socketpair()
        assert not arrivals.wait(here.fileno(), 0.001)
        there.sendall(b"x")
        assert arrivals.wait(here.fileno(), 5)
        here.close()
        there.close()


def test_hundreds_are_woken_by_their_own_sockets() -> None:
    pairs = [socket.socketpair() for _ in range(300)]

    def work(number: int) -> int:
        here = pairs[number][0]
        assert arrivals.wait(here.fileno(), 10)
        return int(here.recv(10, socket.MSG_DONTWAIT))

    with ThreadPoolExecutor(300) as pool:
        found = pool.map(work, range(300))
        for number, (_, there) in enumerate(pairs):
            there.sendall(b"%d" % number)
        assert list(found) == list(range(300))
    for pair in pairs:
        for end in pair:
            end.close()


def test_a_socket_that_cannot_be_watched_is_an_error() -> None:
    here, there = socket.socketpair()
    number = here.fileno()
    here.close()
    there.close()
    with pytest.raises(OSError):
        arrivals.wait(number, 1)
    assert number not in arrivals._arrivals._sleeping


def test_an_interrupt_ends_the_wait_at_once(ends: Ends) -> None:
    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    started = time.monotonic()
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        with pytest.raises(KeyboardInterrupt):
            arrivals.wait(ends[0].fileno(), 30)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert time.monotonic() - started < 5
    assert ends[0].fileno() not in arrivals._arrivals._sleeping


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_child_process_waits_for_itself(ends: Ends) -> None:
    ends[1].sendall(b"x")
    assert arrivals.wait(ends[0].fileno(), 5)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            status = 0 if arrivals.wait(ends[0].fileno(), 5) else 1
        finally:
            os._exit(status)
    _, code = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(code) == 0
    assert arrivals.wait(ends[0].fileno(), 5)
