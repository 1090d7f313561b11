"""Send a call and read its answer, whole or as it arrives. The only place where dspx opens a socket.

`post`, `get` and `stream` are the same for sync and async calls: in a sync call they block, in an async one they
suspend. Connections are kept and shared by the whole process.

A client of your own (`client=httpx.Client(...)`, `httpx.AsyncClient(...)` or an httpx transport) is used
instead where one is given. While respx is intercepting httpx, every call goes through httpx.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

from dspx.lm.transport.reply import Arriving, Outgoing, Question, Reply, StatusError, host_of
from dspx.lm.transport.sse import EventParser, ServerEvent
from dspx.lm.transport.timeouts import Timeout
from dspx.runtime.bridge import is_blocking

__all__ = [
    "Outgoing",
    "Reply",
    "ServerEvent",
    "StatusError",
    "Timeout",
    "close",
    "get",
    "post",
    "set_gate",
    "stream",
]


async def get(
    url: str,
    headers: dict[str, str] | None = None,
    *,
    timeout: float | Timeout | None = None,
    client: Any = None,
) -> Reply:
    """The reply to a GET; all else as `post`."""
    return await post(Question(url, headers or {}), timeout=timeout, client=client)


async def post(call: Outgoing, *, timeout: float | Timeout | None = None, client: Any = None) -> Reply:
    """The reply to `call`. LMTransportError where none arrived, LMTimeoutError where none did in time.

    `timeout` limits the call, in seconds; a `Timeout` says more; None gives it ten minutes. A reply of any
    status is a reply. A kept connection that turns out to be dead is replaced once, silently.
    """
    limits = Timeout.of(timeout)
    _check_gate(call)
    if _is_for_httpx(call, client):
        async with _arriving(call, limits, client) as reply:
            return await reply.whole()
    if is_blocking():
        from dspx.lm.transport import blocking

        return blocking.post(call, limits)
    from dspx.lm.transport import awaiting

    return await awaiting.post(call, limits)


async def stream(
    call: Outgoing, *, timeout: float | Timeout | None = None, client: Any = None
) -> AsyncGenerator[ServerEvent, None]:
    """The server-sent events of the reply to `call`, as they arrive. StatusError where it is not 2xx.

    `timeout` limits the wait for each piece. A reply that is one JSON document is one event.
    """
    _check_gate(call)
    async with _arriving(call, Timeout.of(timeout).for_stream(), client) as reply:
        if not 200 <= reply.status < 300:
            raise StatusError(await reply.whole())
        kind = reply.headers.get("content-type", "")
        if "json" in kind and "event-stream" not in kind:
            yield ServerEvent(None, (await reply.whole()).body.decode("utf-8", "replace"))
            return
        parser = EventParser()
        async for piece in reply.pieces:
            for event in parser.feed(piece):
                yield event
        for event in parser.finish():
            yield event


def set_gate(gate: Callable[[str], None] | None) -> None:
    """Have `gate(host)` called before every call: it raises to forbid it. None lets everything pass."""
    global _gate
    _gate = gate


def close() -> None:
    """Close the connections of sync calls that wait for their next call, and look proxies up again.

    Loops close their own connections.
    """
    for name in ("blocking", "proxies"):
        part = sys.modules.get(f"dspx.lm.transport.{name}")
        if part is not None:
            part.close()


_gate: Callable[[str], None] | None = None


def _check_gate(call: Outgoing) -> None:
    if _gate is not None:
        _gate(host_of(call.url).rpartition(":")[0] or host_of(call.url))


def _arriving(call: Outgoing, limits: Timeout, client: Any) -> AbstractAsyncContextManager[Arriving]:
    if _is_for_httpx(call, client):
        from dspx.lm.transport import given

        return given.arriving(call, limits, client)
    if is_blocking():
        from dspx.lm.transport import blocking

        return blocking.arriving(call, limits)
    from dspx.lm.transport import awaiting

    return awaiting.arriving(call, limits)


def _is_for_httpx(call: Outgoing, client: Any) -> bool:
    if client is not None or _is_mocked():
        return True
    from dspx.lm.transport.proxies import needs_httpx

    return needs_httpx(call.url)


def _is_mocked() -> bool:
    """Whether respx is intercepting httpx right now."""
    mocks = sys.modules.get("respx.mocks")
    return mocks is not None and any(mocker.routers for mocker in mocks.Mocker.registry.values())
