"""The transport of async calls: one aiohttp session for each event loop, without a bound of its own.

httpx's own async pool takes 7-11 ms of CPU a call with hundreds in flight; aiohttp 0.1-0.3 ms.
"""

from __future__ import annotations

import asyncio
import atexit
import io
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from dspx.errors import LMConfigurationError
from dspx.lm.transport import tls
from dspx.lm.transport.reply import Arriving, Outgoing, Reply, no_answer, too_late
from dspx.lm.transport.timeouts import Timeout

KEPT_SECONDS = 15.0
_LINE = 256 * 1024
_LARGE = 1024 * 1024


async def post(call: Outgoing, limits: Timeout) -> Reply:
    """The whole reply. A kept connection that the server ended meanwhile is replaced once."""
    session = await _session()
    try:
        async with await _head(session, call, limits) as response:
            return Reply(response.status, _headers(response), await response.read())
    except Exception as error:
        _explain(call.url, error, limits)
        raise


@asynccontextmanager
async def arriving(call: Outgoing, limits: Timeout) -> AsyncGenerator[Arriving]:
    """The reply while it arrives."""
    session = await _session()
    try:
        async with await _head(session, call, limits) as response:
            yield Arriving(response.status, _headers(response), response.content.iter_any())
    except Exception as error:
        _explain(call.url, error, limits)
        raise


async def _head(session: aiohttp.ClientSession, call: Outgoing, limits: Timeout) -> aiohttp.ClientResponse:
    """The reply whose head arrived; its body is still to be read."""
    timeout = aiohttp.ClientTimeout(total=limits.total, sock_connect=limits.connect, sock_read=limits.read)
    body = call.body if len(call.body) < _LARGE else io.BytesIO(call.body)
    while True:
        reused: list[bool] = []
        try:
            return await session.post(
                call.url,
                data=body,
                headers=call.headers,
                timeout=timeout,
                allow_redirects=False,
                trace_request_ctx=reused,
                ssl=tls.context() if call.url.startswith("https:") else True,
            )
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
            if not reused:
                raise
            # The server ended a kept connection while it was idle; nothing of a reply came.


async def _note_reuse(session: Any, context: Any, params: Any) -> None:
    context.trace_request_ctx.append(True)


class _Loop:
    """A loop's session, closed when the loop shuts its async generators down, as `asyncio.run` does."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        tracing = aiohttp.TraceConfig()
        tracing.on_connection_reuseconn.append(_note_reuse)
        self.loop = loop
        self.connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=KEPT_SECONDS)
        self.session = aiohttp.ClientSession(
            connector=self.connector,
            trust_env=True,
            trace_configs=[tracing],
            read_bufsize=_LINE,
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("User-Agent",),
        )
        self.until_shutdown = self._closed_at_shutdown()

    async def _closed_at_shutdown(self) -> AsyncGenerator[None, None]:
        try:
            yield
        finally:
            _loops.pop(id(self.loop), None)
            await self.session.close()

    def give_up(self) -> None:
        """The loop was closed without notice: nothing can be waited for any more."""
        self.session.detach()
        closing: Any = self.connector.close().__await__()
        try:
            next(closing)  # what it does before it first waits is all that a closed loop allows
        except StopIteration:
            return
        closing.close()


_loops: dict[int, _Loop] = {}


async def _session() -> aiohttp.ClientSession:
    running = asyncio.get_running_loop()
    known = _loops.get(id(running))
    if known is None or known.loop is not running:
        forget_dead_loops()
        known = _loops[id(running)] = _Loop(running)
        await anext(known.until_shutdown)
    return known.session


def forget_dead_loops() -> None:
    """Drop the sessions of loops that were closed without shutting their generators down."""
    for key, known in list(_loops.items()):
        if known.loop.is_closed():
            _loops.pop(key).give_up()


atexit.register(forget_dead_loops)


def _headers(response: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in response.headers.items()}


def _explain(url: str, error: Exception, limits: Timeout) -> None:
    """Raise aiohttp's error as dspx's; return where it is none."""
    if isinstance(error, (asyncio.TimeoutError, TimeoutError)):
        raise too_late(url, limits) from error
    if isinstance(error, (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError)):
        raise LMConfigurationError(f"{url} is no http or https address.") from error
    if isinstance(error, (aiohttp.ClientPayloadError, aiohttp.ServerDisconnectedError)):
        raise no_answer(url, ConnectionError("the connection ended before the reply did")) from error
    if isinstance(error, (aiohttp.ClientError, OSError)):
        raise no_answer(url, error) from error
