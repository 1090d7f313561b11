"""The transport of sync calls: Python's own http.client, with one connection for each call in flight.

It takes half of what httpcore does; with hundreds of threads it needs `dspx.runtime.arrivals` beside it.
"""

from __future__ import annotations

import os
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager
from http.client import HTTPException, HTTPResponse, IncompleteRead, InvalidURL, RemoteDisconnected

from dspx.errors import LMConfigurationError
from dspx.lm.transport.connection import Connection
from dspx.lm.transport.lanes import Lane, Lanes
from dspx.lm.transport.proxies import origin_of
from dspx.lm.transport.reply import Arriving, Outgoing, Reply, no_answer, too_late
from dspx.lm.transport.timeouts import Timeout
from dspx.runtime import arrivals

CROWD = 100
"""With more calls in flight than this, their threads are woken a few at a time."""
_PIECE = 64 * 1024


def post(call: Outgoing, limits: Timeout) -> Reply:
    """The whole reply. A kept connection that the server ended meanwhile is replaced once."""
    end = None if limits.total is None else time.monotonic() + limits.total
    lane, response = _send(call, limits)
    pieces: list[bytes] = []
    try:
        for piece in _pieces(response):
            pieces.append(piece)
            if end is not None and time.monotonic() > end:
                raise TimeoutError
    except BaseException as error:
        response.close()
        _lanes.drop(lane)
        _explain(call.url, error, limits)
        raise
    _lanes.give(lane)
    return Reply(response.status, _headers(response), b"".join(pieces))


@asynccontextmanager
async def arriving(call: Outgoing, limits: Timeout) -> AsyncGenerator[Arriving]:
    """The reply while it arrives; never waits but by blocking."""
    lane, response = _send(call, limits)
    whole = False

    async def pieces() -> AsyncIterator[bytes]:
        nonlocal whole
        try:
            for piece in _pieces(response):
                yield piece
        except (OSError, HTTPException) as error:
            _explain(call.url, error, limits)
        whole = True

    try:
        yield Arriving(response.status, _headers(response), pieces())
    finally:
        response.close()
        if whole:
            _lanes.give(lane)
        else:
            _lanes.drop(lane)


def close() -> None:
    """Close the connections that wait for their next call."""
    _lanes.close()


_lanes = Lanes()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_lanes.forget_after_fork)


def _send(call: Outgoing, limits: Timeout) -> tuple[Lane, HTTPResponse]:
    """A lane and the reply whose head arrived on it."""
    origin = origin_of(call.url)
    while True:
        lane = _lanes.take(origin)
        try:
            return lane, _head(lane.connection, call, limits)
        except BaseException as error:
            _lanes.drop(lane)
            if lane.used and isinstance(error, OSError) and not isinstance(error, TimeoutError):
                continue  # the server ended it while it was idle; nothing of a reply came
            _explain(call.url, error, limits)
            raise


def _head(connection: Connection, call: Outgoing, limits: Timeout) -> HTTPResponse:
    connection.ask(call, limits)
    if arrivals.POSSIBLE and _lanes.busy > CROWD:
        sock = connection.sock
        if not arrivals.wait(sock.fileno(), sock.gettimeout()):
            raise TimeoutError
    return connection.getresponse()


def _pieces(response: HTTPResponse) -> Iterator[bytes]:
    """The body as it arrives. IncompleteRead where it is shorter than it was said to be."""
    while piece := response.read1(_PIECE):
        yield piece
    missing = response.length
    response.close()
    if missing:
        raise IncompleteRead(b"", missing)


def _headers(response: HTTPResponse) -> dict[str, str]:
    return {name.lower(): value for name, value in response.getheaders()}


def _explain(url: str, error: BaseException, limits: Timeout) -> None:
    """Raise http.client's error, or the socket's, as dspx's; return where it is none."""
    if isinstance(error, TimeoutError):
        raise too_late(url, limits) from error
    if isinstance(error, (RemoteDisconnected, IncompleteRead)):
        raise no_answer(url, ConnectionError("the connection ended before the reply did")) from error
    if isinstance(error, OSError):
        raise no_answer(url, error) from error
    if isinstance(error, UnicodeEncodeError):
        raise LMConfigurationError(
            f"The address or a header of this call cannot be sent: {error}. "
            "Was a key copied with a typographic character?"
        ) from error
    if isinstance(error, (InvalidURL, ValueError)):
        raise LMConfigurationError(f"This call cannot be sent: {error}.") from error
    if isinstance(error, HTTPException):
        raise no_answer(url, error) from error
