"""Streaming: CPU per token, from the socket to the listener."""

from __future__ import annotations

import asyncio
import importlib
import json
from collections.abc import Callable

from benchmarks.cases import Times, case
from benchmarks.groups.calling import BODY, JSON
from benchmarks.material import INPUTS, signature
from benchmarks.side import Side
from benchmarks.timing import total


async def _read_with_httpx(url: str) -> int:
    import httpx

    body = BODY[:-1] + ', "stream": true}'
    seen = 0
    async with (
        httpx.AsyncClient() as client,
        client.stream("POST", f"{url}/chat/completions", content=body, headers=JSON) as reply,
    ):
        async for line in reply.aiter_lines():
            if line.startswith("data: {"):
                seen += bool(json.loads(line[6:])["choices"])
    return seen


def _floor(pause: int) -> Callable[[Side], float]:
    def measure(side: Side) -> float:
        tokens = _tokens(side, pause)
        url = side.url(0, tokens, pause)
        asyncio.run(_read_with_httpx(side.url(0, 1)))
        return total(lambda: asyncio.run(_read_with_httpx(url))) / tokens

    return measure


def _tokens(side: Side, pause: int) -> int:
    return side.pick(600, 300, 10) if pause else side.pick(3000, 1000, 10)


def _token(pause: int) -> Callable[[Side], float]:
    def measure(side: Side) -> float:
        tokens = _tokens(side, pause)
        asyncio.run(_read(side, 1, 0))
        seen = 0

        def once() -> None:
            nonlocal seen
            seen = asyncio.run(_read(side, tokens, pause))

        spent = total(once)
        assert seen > tokens * 0.9, f"{seen} pieces of {tokens} tokens"
        return spent / tokens

    return measure


async def _read(side: Side, tokens: int, pause: int) -> int:
    """How many pieces of the field came."""
    api = side.api
    streaming = importlib.import_module(f"{side.name}.streaming")
    predict = side.once("predict", lambda: api.Predict(signature(api)))
    listener = streaming.StreamListener(signature_field_name="answer")
    program = api.streamify(predict, stream_listeners=[listener])
    pieces = 0
    with api.context(lm=side.lm(side.url(0, tokens, pause))):
        async for item in program(**INPUTS):
            pieces += isinstance(item, streaming.StreamResponse)
    return pieces


case(
    "stream.token",
    "streaming, CPU per token",
    target=Times(8),
    floor=_floor(0),
    floor_title="httpx's lines and json.loads",
)(_token(0))

case(
    "stream.paced",
    "  a token per millisecond",
    floor=_floor(1),
    floor_title="the same, where each token wakes the loop",
)(_token(1))
