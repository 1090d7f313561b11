"""Connections of sync calls: a request leaves in one piece, and what the server said is what is read."""

from __future__ import annotations

import socket
from collections.abc import Generator
from dataclasses import replace
from http.client import HTTPResponse

import pytest

from dspx.lm.transport import Timeout
from dspx.lm.transport.connection import Connection, Secure, connection_to
from dspx.lm.transport.proxies import proxy_for
from dspx.lm.transport.reply import Question
from dspx.lm.wire.base import Call

CALL = Call("http://api.example.com/v1/chat?a=b", {"x-key": "k"}, b"body")
LIMITS = Timeout(connect=5, read=5, total=5)


@pytest.fixture
def ends() -> Generator[tuple[Connection, socket.socket]]:
    here, there = socket.socketpair()
    there.settimeout(5)
    connection = Connection("api.example.com")
    connection.sock = here
    yield connection, there
    here.close()
    there.close()


def reply_on(ends: tuple[Connection, socket.socket], answer: bytes) -> HTTPResponse:
    ends[0].ask(CALL, LIMITS)
    ends[1].sendall(answer)
    return ends[0].getresponse()


def test_head_and_body_leave_in_one_piece(ends: tuple[Connection, socket.socket]) -> None:
    connection, server = ends
    connection.ask(CALL, LIMITS)
    head, _, body = server.recv(1000).partition(b"\r\n\r\n")
    first, *headers = head.decode().split("\r\n")
    assert first == "POST /v1/chat?a=b HTTP/1.1"
    assert {"Host: api.example.com", "x-key: k", "Content-Length: 4"} <= set(headers)
    assert body == b"body"


def test_a_post_without_a_body_says_so_and_a_get_says_nothing(ends: tuple[Connection, socket.socket]) -> None:
    connection, server = ends
    connection.ask(replace(CALL, body=b""), LIMITS)
    assert b"Content-Length: 0" in server.recv(1000)
    server.sendall(b"HTTP/1.1 204 None\r\n\r\n")
    connection.getresponse().close()
    connection.ask(Question("http://api.example.com"), LIMITS)
    asked = server.recv(1000)
    assert asked.startswith(b"GET / HTTP/1.1\r\n")
    assert b"ontent-" not in asked


def test_an_answer_that_does_not_come_is_a_timeout(ends: tuple[Connection, socket.socket]) -> None:
    ends[0].ask(CALL, replace(LIMITS, read=0.01))
    with pytest.raises(TimeoutError):
        ends[0].getresponse()


def test_what_the_server_said_before_it_hung_up_is_read(ends: tuple[Connection, socket.socket]) -> None:
    connection, server = ends
    server.sendall(b"HTTP/1.1 413 Too large\r\nconnection: close\r\n\r\ntoo large")
    server.close()
    connection.ask(replace(CALL, body=b"x" * 1_000_000), LIMITS)
    response = connection.getresponse()
    assert (response.status, response.read()) == (413, b"too large")


def test_early_hints_are_not_the_answer(ends: tuple[Connection, socket.socket]) -> None:
    hints = b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n"
    response = reply_on(
        ends, b"HTTP/1.1 100 Continue\r\n\r\n" + hints * 2 + b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
    )
    assert (response.status, response.headers["link"], response.read()) == (200, None, b"ok")


def test_a_server_that_speaks_between_two_calls_is_not_quiet(ends: tuple[Connection, socket.socket]) -> None:
    connection, server = ends
    assert connection.is_quiet
    server.close()
    assert not connection.is_quiet
    assert not Connection("api.example.com").is_quiet


def test_a_direct_connection_goes_to_the_host() -> None:
    connection = connection_to("http", "user@api.example.com:81")
    assert (type(connection), connection.host, connection.port) == (Connection, "api.example.com", 81)
    secure = connection_to("https", "bücher.example")
    assert (type(secure), secure.host, secure.port) == (Secure, "xn--bcher-kva.example", 443)


def test_a_proxy_is_told_who_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://me%40home:w%3Ard@proxy.example")
    proxy_for.cache_clear()
    connection = connection_to("http", "api.example.com:81")
    assert (connection.host, connection.port) == ("proxy.example", 80)
    assert connection.target_prefix == "http://api.example.com:81"
    assert connection.told_to_proxy == {"Proxy-Authorization": "Basic bWVAaG9tZTp3OnJk"}
