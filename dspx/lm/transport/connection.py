"""One connection of sync calls: Python's own http.client, direct or through a proxy.

At every system call a thread hands the interpreter to another one, and with hundreds of threads that is most of what
a call costs. So a request leaves in one piece, and a time limit that did not change is not set again.
"""

from __future__ import annotations

import ssl
from base64 import b64encode
from collections.abc import Mapping
from functools import lru_cache
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from selectors import EVENT_READ, DefaultSelector
from socket import socket
from typing import Any
from urllib.parse import unquote, urlsplit

from dspx.lm.transport import tls
from dspx.lm.transport.proxies import proxy_for
from dspx.lm.transport.reply import Outgoing
from dspx.lm.transport.timeouts import Timeout


def connection_to(scheme: str, netloc: str) -> Connection:
    """A connection to an origin, through its proxy if it has one. It is opened by the first call."""
    host, port = _host_and_port(scheme, netloc)
    proxy = proxy_for(scheme, netloc)
    if proxy is None:
        return Secure(host, port, context=tls.context()) if scheme == "https" else Connection(host, port)
    way = urlsplit(proxy)
    known = _credentials(way.username, way.password)
    if scheme == "https":
        tunnelled = Secure(way.hostname or "", way.port or 80, context=tls.context())
        tunnelled.set_tunnel(host, port, known)
        return tunnelled
    forwarded = Connection(way.hostname or "", way.port or 80)
    forwarded.told_to_proxy = known
    forwarded.target_prefix = f"{scheme}://{netloc.rpartition('@')[2]}"
    return forwarded


class Connection(HTTPConnection):
    """http.client's, for whole requests that are made one after the other."""

    told_to_proxy: Mapping[str, str] = {}
    target_prefix = ""
    _unsent: list[bytes] | None = None

    def ask(self, call: Outgoing, limits: Timeout) -> None:
        """Send a call; `getresponse` reads the head of its reply. An `OSError` where nothing can be reached."""
        whole = self._whole(call)
        sock = self._opened(limits)
        try:
            sock.sendall(whole)
        except TimeoutError:
            raise
        except OSError:
            return  # the server ended it early: what it said before that is read next

    def send(self, data: Any) -> None:
        """What http.client calls for each part of a request: they are kept until the request is whole."""
        if self._unsent is None:
            super().send(data)
        else:
            self._unsent.append(data)

    @property
    def is_quiet(self) -> bool:
        """Whether the server said nothing, as it should between two calls: it would be that it hangs up."""
        if self.sock is None:
            return False
        with DefaultSelector() as selector:
            selector.register(self.sock, EVENT_READ)
            return not selector.select(0)

    def _whole(self, call: Outgoing) -> bytes:
        self._unsent = []
        headers = {**call.headers, **self.told_to_proxy}
        body = call.body if call.body or call.method != "GET" else None
        self.request(call.method, self.target_prefix + _target(call.url), body, headers)
        whole, self._unsent = b"".join(self._unsent), None
        return whole

    def _opened(self, limits: Timeout) -> socket:
        if self.sock is None:
            self.timeout = limits.connect
            self.connect()
        sock: Any = self.sock
        read = limits.total if limits.read is None else limits.read
        if sock.gettimeout() != read:
            sock.settimeout(read)
        return sock


class Secure(Connection, HTTPSConnection):
    """The same over TLS."""

    def __init__(self, host: str, port: int, *, context: ssl.SSLContext) -> None:
        HTTPSConnection.__init__(self, host, port, context=context)


class _Response(HTTPResponse):
    """A reply, without the early hints that may come before it."""

    def begin(self) -> None:
        super().begin()
        while 101 < self.status < 200:
            self.headers = self.msg = None  # type: ignore[assignment]
            super().begin()


Connection.response_class = _Response


@lru_cache(maxsize=1024)
def _target(url: str) -> str:
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _host_and_port(scheme: str, netloc: str) -> tuple[str, int]:
    parts = urlsplit(f"{scheme}://{netloc}")
    host = parts.hostname or ""
    if not host.isascii():
        host = host.encode("idna").decode()
    return host, parts.port or (443 if scheme == "https" else 80)


def _credentials(name: str | None, password: str | None) -> dict[str, str]:
    if not name:
        return {}
    both = f"{unquote(name)}:{unquote(password or '')}"
    return {"Proxy-Authorization": f"Basic {b64encode(both.encode()).decode()}"}
