"""The transport of sync calls: httpcore, the engine of httpx, with one connection for each call in flight.

A pool shared by many threads spends its time on its lock (an httpx client takes 3.7 ms of CPU a call with 64
threads); single connections on a last-in-first-out list do not, and they outlive short-lived threads.
"""

from __future__ import annotations

import os
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import httpcore

from dspx.errors import LMConfigurationError
from dspx.lm.transport import tls
from dspx.lm.transport.proxies import origin_of, proxy_for
from dspx.lm.transport.reply import Arriving, Outgoing, Reply, no_answer, too_late
from dspx.lm.transport.sockets import Sockets
from dspx.lm.transport.timeouts import Timeout
from dspx.runtime.locks import Lock

KEPT = 4
"""How many idle connections an origin keeps for as long as its server does; a surplus goes sooner."""
KEPT_SECONDS = 60.0
SURPLUS_SECONDS = 3.0
FRESH_SECONDS = 0.5

_STALE = (
    httpcore.RemoteProtocolError,
    httpcore.ReadError,
    httpcore.WriteError,
    httpcore.ConnectionNotAvailable,
)
_ERRORS = (
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.ProxyError,
    httpcore.ConnectionNotAvailable,
)


def post(call: Outgoing, limits: Timeout) -> Reply:
    """The whole reply. A kept connection that the server ended meanwhile is replaced once."""
    end = None if limits.total is None else time.monotonic() + limits.total
    lane, response = _send(call, limits)
    pieces: list[bytes] = []
    try:
        for piece in response.iter_stream():
            pieces.append(piece)
            if end is not None and time.monotonic() > end:
                raise too_late(call.url, limits)
    except BaseException as error:
        lane.close()
        _explain(call.url, error, limits)
        raise
    response.close()
    _idle.give(lane)
    return Reply(response.status, _headers(response), b"".join(pieces))


@asynccontextmanager
async def arriving(call: Outgoing, limits: Timeout) -> AsyncGenerator[Arriving]:
    """The reply while it arrives; never waits but by blocking."""
    lane, response = _send(call, limits)
    whole = False

    async def pieces() -> AsyncIterator[bytes]:
        nonlocal whole
        try:
            for piece in response.iter_stream():
                yield piece
        except (httpcore.TimeoutException, *_ERRORS) as error:
            _explain(call.url, error, limits)
        whole = True

    try:
        yield Arriving(response.status, _headers(response), pieces())
    finally:
        response.close()
        if whole:
            _idle.give(lane)
        else:
            lane.close()


def close() -> None:
    """Close the connections that wait for their next call; look proxies up again."""
    _idle.close()
    proxy_for.cache_clear()


class Lane:
    """One connection to one origin, direct or through a proxy."""

    __slots__ = ("connection", "idle_since", "origin", "used")

    def __init__(self, origin: tuple[str, str]) -> None:
        self.origin = origin
        self.used = False
        self.idle_since = 0.0
        self.connection = _connection(origin)

    @property
    def stands(self) -> bool:
        """Whether it can still be used, as far as this end knows. One that was used just now is not looked at."""
        if time.monotonic() - self.idle_since < FRESH_SECONDS:
            return True
        if isinstance(self.connection, httpcore.HTTPConnection):
            return not (self.connection.is_closed() or self.connection.has_expired())
        return True  # a proxy's pool looks after its connection itself

    def close(self) -> None:
        self.connection.close()


class _Idle:
    """Lanes that wait, by origin; last in, first out, so that the least used grow old and are closed."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._lanes: dict[tuple[str, str], list[Lane]] = {}
        self._sweeping = False

    def take(self, origin: tuple[str, str]) -> Lane | None:
        """A lane that still stands, or None."""
        while True:
            with self._lock:
                waiting = self._lanes.get(origin)
                lane = waiting.pop() if waiting else None
            if lane is None or lane.stands:
                return lane
            lane.close()

    def give(self, lane: Lane) -> None:
        lane.used = True
        lane.idle_since = time.monotonic()
        with self._lock:
            waiting = self._lanes.setdefault(lane.origin, [])
            waiting.append(lane)
            sweep = len(waiting) > KEPT and not self._sweeping
            self._sweeping = self._sweeping or sweep
        if sweep:
            from dspx.runtime.workers import submit

            submit(self._sweep)

    def _sweep(self) -> None:
        """Close the surplus once it has waited long enough; end when there is none."""
        while True:
            time.sleep(SURPLUS_SECONDS / 2)
            now = time.monotonic()
            closing: list[Lane] = []
            with self._lock:
                for waiting in self._lanes.values():
                    while len(waiting) > KEPT and now - waiting[0].idle_since > SURPLUS_SECONDS:
                        closing.append(waiting.pop(0))
                self._sweeping = any(len(waiting) > KEPT for waiting in self._lanes.values())
                done = not self._sweeping
            for lane in closing:
                lane.close()
            if done:
                return

    def close(self) -> None:
        with self._lock:
            closing = [lane for waiting in self._lanes.values() for lane in waiting]
            self._lanes.clear()
        for lane in closing:
            lane.close()

    def count(self) -> int:
        with self._lock:
            return sum(len(waiting) for waiting in self._lanes.values())

    def forget_after_fork(self) -> None:
        """In a child process: the connections are the parent's, and only this end's handles are closed."""
        self._lock = Lock()
        self._sweeping = False
        self.close()


_idle = _Idle()
_sockets = Sockets()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_idle.forget_after_fork)


def _send(call: Outgoing, limits: Timeout) -> tuple[Lane, httpcore.Response]:
    """A lane and the reply whose head arrived on it."""
    request = _request(call, limits)
    origin = origin_of(call.url)
    while True:
        lane = _idle.take(origin) or Lane(origin)
        try:
            return lane, lane.connection.handle_request(request)
        except BaseException as error:
            lane.close()
            if lane.used and isinstance(error, _STALE):
                continue  # the server ended it while it was idle; nothing of a reply came
            _explain(call.url, error, limits)
            raise


def _request(call: Outgoing, limits: Timeout) -> httpcore.Request:
    read = limits.total if limits.read is None else limits.read
    timeout = {"connect": limits.connect, "read": read, "write": read}
    url, host = _address(call.url)
    try:
        headers = [(name.encode("ascii"), value.encode("latin-1")) for name, value in call.headers.items()]
    except UnicodeEncodeError as error:
        raise LMConfigurationError(
            f"A header of this call cannot be sent: {error}. Was a key copied with a typographic character?"
        ) from error
    headers.append((b"host", host))
    if call.body or call.method != "GET":
        headers.append((b"content-length", b"%d" % len(call.body)))
    return httpcore.Request(
        call.method, url, headers=headers, content=call.body, extensions={"timeout": timeout}
    )


@lru_cache(maxsize=1024)
def _address(url: str) -> tuple[httpcore.URL, bytes]:
    """The address in httpcore's terms, and the Host header's value."""
    scheme, netloc = origin_of(url)
    parts = urlsplit(url)
    host = (parts.hostname or "").encode("idna" if not (parts.hostname or "").isascii() else "ascii")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    shown = netloc.rpartition("@")[2]
    return (
        httpcore.URL(scheme=scheme.encode(), host=host, port=parts.port, target=target.encode()),
        shown.encode("ascii") if shown.isascii() else host,
    )


def _connection(origin: tuple[str, str]) -> Any:
    scheme, netloc = origin
    proxy = proxy_for(scheme, netloc)
    context = tls.context() if scheme == "https" else None
    if proxy is None:
        parts = urlsplit(f"{scheme}://{netloc}")
        host = (parts.hostname or "").encode("idna" if not (parts.hostname or "").isascii() else "ascii")
        port = parts.port or (443 if scheme == "https" else 80)
        return httpcore.HTTPConnection(
            httpcore.Origin(scheme.encode(), host, port),
            ssl_context=context,
            keepalive_expiry=KEPT_SECONDS,
            network_backend=_sockets,
        )
    parts = urlsplit(proxy)
    auth = (parts.username, parts.password or "") if parts.username else None
    address = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    one: dict[str, Any] = {"max_connections": 1, "ssl_context": context, "keepalive_expiry": KEPT_SECONDS}
    if parts.scheme.startswith("socks"):
        return httpcore.SOCKSProxy(address, proxy_auth=auth, **one)
    return httpcore.HTTPProxy(address, proxy_auth=auth, **one)


def _headers(response: httpcore.Response) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}


def _explain(url: str, error: BaseException, limits: Timeout) -> None:
    """Raise httpcore's error as dspx's; return where it is none."""
    if isinstance(error, httpcore.TimeoutException):
        raise too_late(url, limits) from error
    if isinstance(error, httpcore.LocalProtocolError):
        raise LMConfigurationError(f"This call cannot be sent: {error}.") from error
    if isinstance(error, httpcore.RemoteProtocolError):
        raise no_answer(url, ConnectionError("the connection ended before the reply did")) from error
    if isinstance(error, _ERRORS):
        raise no_answer(url, error) from error
