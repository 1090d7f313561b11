"""The transport of sync calls: httpx, with a transport of one connection for each call in flight.

One httpx pool shared by many threads spends its time on its lock (3.7 ms of CPU a call with 64 threads);
transports of one connection each, kept on a last-in-first-out list, do not, and outlive the thread.
"""

from __future__ import annotations

import os
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from functools import lru_cache
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

from dspx.errors import LMConfigurationError
from dspx.lm.transport import tls
from dspx.lm.transport.reply import Arriving, Outgoing, Reply, no_answer, too_late
from dspx.lm.transport.timeouts import Timeout
from dspx.runtime.locks import Lock

KEPT = 4
"""How many idle connections an origin keeps for as long as its server does; a surplus goes sooner."""
KEPT_SECONDS = 60.0
SURPLUS_SECONDS = 3.0

_STALE = (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError)


def post(call: Outgoing, limits: Timeout) -> Reply:
    """The whole reply. A kept connection that the server ended meanwhile is replaced once."""
    end = None if limits.total is None else time.monotonic() + limits.total
    lane, response = _send(call, limits)
    pieces: list[bytes] = []
    try:
        for piece in response.iter_bytes():
            pieces.append(piece)
            if end is not None and time.monotonic() > end:
                raise too_late(call.url, limits)
    except BaseException as error:
        lane.close()
        _explain(call.url, error, limits)
        raise
    response.close()
    _idle.give(lane)
    return Reply(response.status_code, _headers(response), b"".join(pieces))


@asynccontextmanager
async def arriving(call: Outgoing, limits: Timeout) -> AsyncGenerator[Arriving]:
    """The reply while it arrives; never waits but by blocking."""
    lane, response = _send(call, limits)
    whole = False

    async def pieces() -> AsyncIterator[bytes]:
        nonlocal whole
        try:
            for piece in response.iter_bytes():
                yield piece
        except httpx.HTTPError as error:
            _explain(call.url, error, limits)
        whole = True

    try:
        yield Arriving(response.status_code, _headers(response), pieces())
    finally:
        response.close()
        if whole:
            _idle.give(lane)
        else:
            lane.close()


def close() -> None:
    """Close the connections that wait for their next call; look proxies up again."""
    _idle.close()
    _proxy_for.cache_clear()


class Lane:
    """A transport of one connection to one origin."""

    __slots__ = ("idle_since", "origin", "transport", "used")

    def __init__(self, origin: tuple[str, str]) -> None:
        self.origin = origin
        self.used = False
        self.idle_since = 0.0
        self.transport = httpx.HTTPTransport(
            verify=tls.context() if origin[0] == "https" else False,
            proxy=_proxy_for(origin),
            limits=httpx.Limits(
                max_connections=1, max_keepalive_connections=1, keepalive_expiry=KEPT_SECONDS
            ),
        )

    def close(self) -> None:
        self.transport.close()


class _Idle:
    """Lanes that wait, by origin; last in, first out, so that the least used grow old and are closed."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._lanes: dict[tuple[str, str], list[Lane]] = {}
        self._sweeping = False

    def take(self, origin: tuple[str, str]) -> Lane | None:
        with self._lock:
            waiting = self._lanes.get(origin)
            return waiting.pop() if waiting else None

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

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_idle.forget_after_fork)


def _send(call: Outgoing, limits: Timeout) -> tuple[Lane, httpx.Response]:
    """A lane and the reply whose head arrived on it."""
    request = _request(call, limits)
    origin = _origin_of(request)
    while True:
        lane = _idle.take(origin) or Lane(origin)
        try:
            return lane, lane.transport.handle_request(request)
        except BaseException as error:
            lane.close()
            if lane.used and isinstance(error, _STALE):
                continue  # the server ended it while it was idle; nothing of a reply came
            _explain(call.url, error, limits)
            raise


def _request(call: Outgoing, limits: Timeout) -> httpx.Request:
    read = limits.total if limits.read is None else limits.read
    timeout = {"connect": limits.connect, "read": read, "write": read, "pool": None}
    try:
        return httpx.Request(
            "POST", call.url, headers=call.headers, content=call.body, extensions={"timeout": timeout}
        )
    except (httpx.InvalidURL, UnicodeEncodeError) as error:
        raise LMConfigurationError(f"This call cannot be sent: {error}.") from error


def _origin_of(request: httpx.Request) -> tuple[str, str]:
    return request.url.scheme, request.url.netloc.decode("ascii", "replace")


def _headers(response: httpx.Response) -> dict[str, str]:
    return {name.lower(): value for name, value in response.headers.items()}


def _explain(url: str, error: BaseException, limits: Timeout) -> None:
    """Raise httpx's error as dspx's; return where it is none."""
    if isinstance(error, httpx.TimeoutException):
        raise too_late(url, limits) from error
    if isinstance(error, httpx.UnsupportedProtocol):
        raise LMConfigurationError(f"{url} is no http or https address.") from error
    if isinstance(error, httpx.RemoteProtocolError):
        raise no_answer(url, ConnectionError("the connection ended before the reply did")) from error
    if isinstance(error, httpx.HTTPError):
        raise no_answer(url, error) from error


@lru_cache(maxsize=256)
def _proxy_for(origin: tuple[str, str]) -> httpx.Proxy | None:
    scheme, netloc = origin
    host = urlsplit(f"//{netloc}").hostname or ""
    proxies = getproxies()
    address = proxies.get(scheme) or proxies.get("all")
    return None if address is None or proxy_bypass(host) else httpx.Proxy(address)
