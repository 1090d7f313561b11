"""The transport of async calls: one aiohttp session for each event loop, without a bound of its own.

httpx's own async pool takes 7-11 ms of CPU a call with hundreds in flight; aiohttp 0.1-0.3 ms.
"""

from __future__ import annotations

import asyncio
import atexit
import io
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import aiohttp

from dspx.errors import LMConfigurationError
from dspx.lm.transport import tls
from dspx.lm.transport.proxies import origin_of, proxy_for
from dspx.lm.transport.reply import Arriving, Outgoing, Reply, no_answer, too_late
from dspx.lm.transport.timeouts import Timeout
from dspx.runtime.turns import Turns

KEPT = 4
"""How many idle connections to a host a loop keeps for KEPT_SECONDS; a surplus goes sooner."""
KEPT_SECONDS = 15.0
SURPLUS_SECONDS = 3.0
PER_TURN = 8
"""How many calls are sent in one turn of a loop; the others follow in the next ones."""
_LINE = 256 * 1024
_LARGE = 1024 * 1024


async def post(call: Outgoing, limits: Timeout) -> Reply:
    """The whole reply. A kept connection that the server ended meanwhile is replaced once."""
    loop = await _loop()
    await loop.turns.take()
    try:
        async with await _head(loop.session, call, limits) as response:
            return Reply(response.status, _headers(response), await response.read())
    except Exception as error:
        _explain(call.url, error, limits)
        raise
    finally:
        loop.thin_out()


@asynccontextmanager
async def arriving(call: Outgoing, limits: Timeout) -> AsyncGenerator[Arriving]:
    """The reply while it arrives."""
    loop = await _loop()
    await loop.turns.take()
    try:
        async with await _head(loop.session, call, limits) as response:
            yield Arriving(response.status, _headers(response), response.content.iter_any())
    except Exception as error:
        _explain(call.url, error, limits)
        raise
    finally:
        loop.thin_out()


async def _head(session: aiohttp.ClientSession, call: Outgoing, limits: Timeout) -> aiohttp.ClientResponse:
    """The reply whose head arrived; its body is still to be read."""
    timeout = aiohttp.ClientTimeout(total=limits.total, sock_connect=limits.connect, sock_read=limits.read)
    ask = partial(
        session.request,
        call.method,
        call.url,
        headers=call.headers,
        timeout=timeout,
        allow_redirects=False,
        ssl=tls.context() if call.url.startswith("https:") else True,
        proxy=proxy_for(*origin_of(call.url)),
    )
    try:
        return await ask(data=_body(call))
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
        # A kept connection that the server ended while it was idle, most likely.
        return await ask(data=_body(call))


def _body(call: Outgoing) -> Any:
    """aiohttp complains of much data that is not a file; a file is used up by one attempt."""
    if not call.body and call.method == "GET":
        return None
    return call.body if len(call.body) < _LARGE else io.BytesIO(call.body)


class _Loop:
    """A loop's session, closed when the loop shuts its async generators down, as `asyncio.run` does."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=KEPT_SECONDS)
        self.session = aiohttp.ClientSession(
            connector=self.connector,
            trust_env=False,  # aiohttp would read the environment in a thread, for every call
            read_bufsize=_LINE,
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("User-Agent",),
        )
        self.turns = Turns(loop, PER_TURN)
        self.until_shutdown = self._closed_at_shutdown()
        self.thinning = False

    def thin_out(self) -> None:
        """Have the surplus of idle connections closed once it has waited long enough."""
        if not self.thinning and any(len(idle) > KEPT for idle in self._idle()):
            self.thinning = True
            self.loop.call_later(SURPLUS_SECONDS / 2, self._close_surplus)

    def _close_surplus(self) -> None:
        self.thinning = False
        now = self.loop.time()
        for idle in self._idle():
            # The oldest is the first. aiohttp stamps with the monotonic clock, as its loops do.
            while len(idle) > KEPT and now - idle[0][1] > SURPLUS_SECONDS:
                connection, _ = idle[0]
                del idle[0]
                connection.close()
        self.thin_out()

    def _idle(self) -> Iterable[Any]:
        """For each host its idle connections, with the time since when they are. aiohttp has no public way to them;
        should they move, the surplus stays for KEPT_SECONDS."""
        return getattr(self.connector, "_conns", {}).values()

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


async def _loop() -> _Loop:
    running = asyncio.get_running_loop()
    known = _loops.get(id(running))
    if known is None or known.loop is not running:
        forget_dead_loops()
        known = _loops[id(running)] = _Loop(running)
        await anext(known.until_shutdown)
    return known


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
