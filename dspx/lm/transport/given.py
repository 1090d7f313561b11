"""The transport through a user's own httpx client or transport, sync or async, from either kind of call."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from dspx.errors import LMConfigurationError
from dspx.lm.transport.proxies import client_for
from dspx.lm.transport.reply import Arriving, Outgoing, no_answer, too_late
from dspx.lm.transport.timeouts import Timeout
from dspx.runtime.bridge import in_thread, is_blocking, on_background_loop


@asynccontextmanager
async def arriving(call: Outgoing, limits: Timeout, client: Any) -> AsyncGenerator[Arriving]:
    """The reply while it arrives.

    Without a client, it is the one for the proxy of the address, or one made for this call: that is how respx sees it.
    """
    client = client_for(call.url) if client is None else client
    own = client is None
    client = _client_for(client)
    try:
        if isinstance(client, httpx.Client):
            async with _from_sync_client(call, limits, client) as reply:
                yield reply
        else:
            async with _from_async_client(call, limits, client) as reply:
                yield reply
    except httpx.TimeoutException as error:
        raise too_late(call.url, limits) from error
    except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        raise LMConfigurationError(f"{call.url} is no http or https address: {error}.") from error
    except httpx.HTTPError as error:
        raise no_answer(call.url, error) from error
    finally:
        if own:
            await (in_thread(client.close) if isinstance(client, httpx.Client) else client.aclose())


@asynccontextmanager
async def _from_sync_client(
    call: Outgoing, limits: Timeout, client: httpx.Client
) -> AsyncGenerator[Arriving]:
    request = client.build_request(
        call.method, call.url, headers=call.headers, content=call.body or None, timeout=_timeout(limits)
    )
    response = await in_thread(client.send, request, stream=True)

    async def pieces() -> AsyncIterator[bytes]:
        iterator = response.iter_bytes()
        while piece := await in_thread(lambda: next(iterator, b"")):
            yield piece

    try:
        yield Arriving(response.status_code, _headers(response), pieces())
    finally:
        await in_thread(response.close)


@asynccontextmanager
async def _from_async_client(
    call: Outgoing, limits: Timeout, client: httpx.AsyncClient
) -> AsyncGenerator[Arriving]:
    request = client.build_request(
        call.method, call.url, headers=call.headers, content=call.body or None, timeout=_timeout(limits)
    )
    if is_blocking():
        # An async client in a sync call works where async work of sync calls is done: whole, not in pieces.
        response = on_background_loop(client.send, request)
    else:
        response = await client.send(request, stream=True)

    async def whole() -> AsyncIterator[bytes]:
        yield response.content

    try:
        pieces = whole() if response.is_stream_consumed else response.aiter_bytes()
        yield Arriving(response.status_code, _headers(response), pieces)
    finally:
        if not is_blocking():
            await response.aclose()


def _client_for(client: Any) -> httpx.Client | httpx.AsyncClient:
    if isinstance(client, (httpx.Client, httpx.AsyncClient)):
        return client
    if client is None:
        return httpx.Client() if is_blocking() else httpx.AsyncClient()
    # MockTransport is both; then what fits the call is taken.
    if isinstance(client, httpx.BaseTransport) and (
        is_blocking() or not isinstance(client, httpx.AsyncBaseTransport)
    ):
        return httpx.Client(transport=client)
    if isinstance(client, httpx.AsyncBaseTransport):
        return httpx.AsyncClient(transport=client)
    raise LMConfigurationError(
        f"http_client= takes an httpx.Client, httpx.AsyncClient or httpx transport, not {type(client).__name__}."
    )


def _timeout(limits: Timeout) -> httpx.Timeout:
    read = limits.total if limits.read is None else limits.read
    return httpx.Timeout(connect=limits.connect, read=read, write=read, pool=None)


def _headers(response: httpx.Response) -> dict[str, str]:
    return {name.lower(): value for name, value in response.headers.items()}
