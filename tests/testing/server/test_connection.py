from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from dspx.testing import Server
from tests.testing.server.raw import chat, open_socket, post_bytes


@pytest.fixture
def server() -> Iterator[Server]:
    with Server("echo") as running:
        yield running


def read_one(sock: object) -> tuple[bytes, bytes]:
    """Head and body of one reply with a length."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += sock.recv(65536)  # type: ignore[attr-defined]
    head, _, body = data.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
    while len(body) < length:
        body += sock.recv(65536)  # type: ignore[attr-defined]
    return head, body


def said(body: bytes) -> str:
    return json.loads(body)["choices"][0]["message"]["content"]


def test_a_connection_is_kept_for_the_next_request(server: Server) -> None:
    with open_socket(server.port) as sock:
        for text in ("one", "two"):
            sock.sendall(post_bytes(chat(text)))
            assert said(read_one(sock)[1]) == text
    assert server.stats.connections == 1


def test_requests_may_come_in_pieces(server: Server) -> None:
    request = post_bytes(chat("in pieces"))
    with open_socket(server.port) as sock:
        for start in range(0, len(request), 40):
            sock.sendall(request[start : start + 40])
        assert said(read_one(sock)[1]) == "in pieces"


def test_requests_may_come_together(server: Server) -> None:
    with open_socket(server.port) as sock:
        sock.sendall(post_bytes(chat("one")) + post_bytes(chat("two")))
        data = b""
        while data.count(b"HTTP/1.1 200") < 2 or not data.endswith(b"}"):
            data += sock.recv(65536)
    assert data.index(b"one") < data.index(b"two")


def test_connection_close_is_obeyed(server: Server) -> None:
    with open_socket(server.port) as sock:
        sock.sendall(post_bytes(chat("x"), "/v1/chat/completions", "connection: close"))
        read_one(sock)
        assert sock.recv(1) == b""


def test_a_chunked_body_is_read(server: Server) -> None:
    body = json.dumps(chat("chunked")).encode()
    head = b"POST /v1/chat/completions HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n"
    half = len(body) // 2
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:half], body[half:]))
    with open_socket(server.port) as sock:
        sock.sendall(head + chunks[:20])
        sock.sendall(chunks[20:] + b"0\r\n\r\n")
        assert said(read_one(sock)[1]) == "chunked"


def test_who_waits_for_leave_to_send_gets_it(server: Server) -> None:
    request = post_bytes(chat("x"), "/v1/chat/completions", "expect: 100-continue")
    head, _, body = request.partition(b"\r\n\r\n")
    with open_socket(server.port) as sock:
        sock.sendall(head + b"\r\n\r\n")
        assert sock.recv(100).startswith(b"HTTP/1.1 100")
        sock.sendall(body)
        assert said(read_one(sock)[1]) == "x"


@pytest.mark.parametrize("garbage", [b"hello\r\n\r\n", b"x" * 100_000])
def test_what_is_no_http_is_refused(server: Server, garbage: bytes) -> None:
    with open_socket(server.port) as sock:
        sock.sendall(garbage)
        assert sock.recv(100).startswith(b"HTTP/1.1 400")


def test_a_client_that_goes_away_is_counted(server: Server) -> None:
    server.service.latency = 5.0
    with open_socket(server.port) as sock:
        sock.sendall(post_bytes(chat()))
        _wait_for(lambda: server.stats.in_flight == 1)
    _wait_for(lambda: server.stats.outcomes == {"abandoned": 1})
    assert server.stats.in_flight == 0


def test_stopping_ends_what_is_in_flight() -> None:
    with Server("echo", latency=30.0) as server, open_socket(server.port) as sock:
        sock.sendall(post_bytes(chat()))
        _wait_for(lambda: server.stats.in_flight == 1)
        server.stop()
        try:
            assert sock.recv(10) == b""
        except ConnectionResetError:
            pass


def _wait_for(condition: object) -> None:
    import time

    for _ in range(500):
        if condition():  # type: ignore[operator]
            return
        time.sleep(0.002)
    raise AssertionError("it did not come to pass")
