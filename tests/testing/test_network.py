from __future__ import annotations

import asyncio
import socket
import threading

import pytest

import dspx
from dspx.testing import NetworkForbidden, Server, no_network
from dspx.testing.network import is_forbidden


def test_other_machines_cannot_be_reached() -> None:
    with no_network():
        assert is_forbidden()
        with pytest.raises(NetworkForbidden, match=r"reach 192\.0\.2\.1"):
            socket.create_connection(("192.0.2.1", 80), timeout=0.1)
        with pytest.raises(NetworkForbidden, match=r"reach example\.com"):
            socket.getaddrinfo("example.com", 80)
        with socket.socket() as sock, pytest.raises(NetworkForbidden, match=r"connect to 192\.0\.2\.1:80"):
            sock.connect(("192.0.2.1", 80))
    assert not is_forbidden()


def test_nor_from_another_thread_or_loop() -> None:
    raised: list[BaseException] = []

    def reach() -> None:
        try:
            asyncio.run(asyncio.open_connection("192.0.2.1", 80))  # type: ignore[arg-type]
        except NetworkForbidden as error:
            raised.append(error)

    with no_network():
        thread = threading.Thread(target=reach)
        thread.start()
        thread.join()
    assert len(raised) == 1


def test_an_lm_fails_at_once_instead_of_trying_again() -> None:
    lm = dspx.LM("openai/gpt-4o-mini", api_base="http://192.0.2.1/v1", api_key="none", cache=False)
    with no_network(), pytest.raises(NetworkForbidden):
        lm("hello")


def test_this_machine_can() -> None:
    with no_network(), Server("echo") as server:
        assert server.lm("echo", cache=False)("hello") == ["hello"]
        socket.getaddrinfo("localhost", 80)


def test_unix_sockets_can() -> None:
    first, second = socket.socketpair()
    with no_network(), first, second, socket.socket(socket.AF_UNIX) as unix, pytest.raises(FileNotFoundError):
        unix.connect("/nonexistent/socket")


def test_named_hosts_can() -> None:
    with no_network(allow=["192.0.2.1"]):
        with pytest.raises(OSError, match=r".") as raised:
            socket.create_connection(("192.0.2.1", 9), timeout=0.01)
        assert not isinstance(raised.value, NetworkForbidden)


def test_what_any_block_forbids_is_forbidden() -> None:
    with no_network(), no_network(allow=["192.0.2.1"]), pytest.raises(NetworkForbidden):
        socket.create_connection(("192.0.2.1", 9), timeout=0.01)


def test_datagrams_count_too() -> None:
    with (
        no_network(),
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock,
        pytest.raises(NetworkForbidden),
    ):
        sock.sendto(b"x", ("192.0.2.1", 9))
