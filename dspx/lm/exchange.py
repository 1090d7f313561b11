"""One request over HTTP: encode, send, decode, price. The innermost of the layers that an LM is made of."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import replace
from functools import reduce
from operator import add
from typing import Any

from dspx.core import streams
from dspx.errors import LMError, LMStreamAssemblyError
from dspx.lm import transport
from dspx.lm.cost import price
from dspx.lm.request import Request
from dspx.lm.response import Response
from dspx.lm.retry import time_left
from dspx.lm.wire.base import Endpoint, parse_body
from dspx.runtime.fanout import fan_out


class Exchange:
    """Asks an endpoint. `timeout` is in seconds for one attempt; `client` is a user's own httpx client."""

    def __init__(self, endpoint: Endpoint, timeout: float | None = None, client: Any = None) -> None:
        self.endpoint = endpoint
        self.timeout = timeout
        self.client = client

    async def ask(self, request: Request) -> Response:
        """The endpoint's response. Any error is an LMError, and says whether trying again may help."""
        n = request.params.get("n") or 1
        if n > 1 and not self.endpoint.facts.n:
            return await self._several(request, n)
        sink = streams.sink.get()
        response = await (self._whole(request) if sink is None else self._streamed(request, sink))
        if response.cost is None and response.usage.total_tokens:
            cost = price(request.model, response.usage)
            if cost is not None:
                return replace(response, cost=cost)
        return response

    async def _whole(self, request: Request) -> Response:
        endpoint = self.endpoint
        reply = await transport.post(
            endpoint.wire.encode(request, endpoint), timeout=time_left(self.timeout), client=self.client
        )
        if not 200 <= reply.status < 300:
            raise endpoint.wire.decode_error(reply.status, reply.headers, reply.body, request, endpoint)
        return endpoint.wire.decode(parse_body(reply.body, request), request)

    async def _streamed(self, request: Request, sink: streams.StreamSink) -> Response:
        endpoint = self.endpoint
        asked = replace(request, stream=True)
        assembler = endpoint.wire.assembler(asked)
        told = False
        try:
            arriving = transport.stream(
                endpoint.wire.encode(asked, endpoint), timeout=time_left(self.timeout), client=self.client
            )
            async with aclosing(arriving) as events:  # a listener may have had enough
                async for event in events:
                    for delta in assembler.feed(event.event, event.data):
                        told = True
                        sink.on_delta(delta)
            return assembler.finish()
        except transport.StatusError as error:
            reply = error.reply
            raise endpoint.wire.decode_error(
                reply.status, reply.headers, reply.body, request, endpoint
            ) from error
        except LMStreamAssemblyError as error:
            error.retryable = not told
            raise
        except LMError as error:
            error.retryable = error.retryable and not told  # what a user has seen is not taken back
            raise

    async def _several(self, request: Request, n: int) -> Response:
        """`n` completions of an endpoint that makes one at a time: as many requests, at once."""
        single = replace(request, params={k: v for k, v in request.params.items() if k != "n"})

        async def one(_: int) -> Response:
            return await self.ask(single)

        with streams.sink.using(None):  # interleaved pieces of several completions would make no sense
            outcomes = await fan_out(one, range(n), workers=n)
        for outcome in outcomes:
            if outcome.error is not None:
                raise outcome.error
        answers = [outcome.value for outcome in outcomes if outcome.value is not None]
        costs = [answer.cost for answer in answers if answer.cost is not None]
        return replace(
            answers[0],
            outputs=tuple(output for answer in answers for output in answer.outputs),
            usage=reduce(add, (answer.usage for answer in answers)),
            cost=sum(costs) if costs else None,
        )
