"""Streams of sync calls: what is written leaves in one piece, when it is time to read."""

from __future__ import annotations

import socket
from collections.abc import Generator

import httpcore
import pytest

from dspx.lm.transport.sockets import Stream


class Plain(httpcore.NetworkStream):
    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock

    def get_extra_info(self, info: str) -> object:
        return self.sock if info == "socket" else None

    def close(self) -> None:
        self.sock.close()


@pytest.fixture
def ends() -> Generator[tuple[Stream, socket.socket]]:
    here, there = socket.socketpair()
    there.settimeout(5)
    yield Stream(Plain(here)), there
    here.close()
    there.close()


def test_head_and_body_arrive_together(ends: tuple[Stream, socket.socket]) -> None:
    stream, server = ends
    stream.write(b"head ")
    stream.write(b"body")
    server.sendall(b"answer")
    assert stream.read(100, timeout=5) == b"answer"
    assert server.recv(100) == b"head body"


def test_an_answer_that_does_not_come_is_a_read_timeout(ends: tuple[Stream, socket.socket]) -> None:
    with pytest.raises(httpcore.ReadTimeout):
        ends[0].read(100, timeout=0.01)


def test_what_the_server_said_before_it_hung_up_is_read(ends: tuple[Stream, socket.socket]) -> None:
    stream, server = ends
    stream.write(b"x" * 100)
    server.sendall(b"too large")
    server.close()
    assert stream.read(100, timeout=5) == b"too large"


def test_a_connection_that_was_closed_is_a_read_error(ends: tuple[Stream, socket.socket]) -> None:
    stream, _ = ends
    stream.close()
    with pytest.raises(httpcore.ReadError):
        stream.read(100, timeout=5)
