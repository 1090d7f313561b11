"""A stream as server-sent events, for a web server to pass on."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable
from dataclasses import fields
from typing import Any

from dspx.core.canonical import to_plain
from dspx.core.prediction import Prediction
from dspx.errors import UsageError
from dspx.streaming.chunk import StreamChunk
from dspx.streaming.events import (
    FieldDelta,
    FieldDone,
    FieldPart,
    Final,
    Observed,
    Restart,
    Thought,
    ToolCalled,
)
from dspx.streaming.messages import StatusMessage, StreamResponse

_TYPED = {
    FieldDelta: "delta",
    FieldPart: "part",
    FieldDone: "done",
    Restart: "restart",
    Thought: "thought",
    ToolCalled: "tool_call",
    Observed: "observation",
}


async def streaming_response(streamer: AsyncIterable[Any]) -> AsyncGenerator[str, None]:
    """The items of a stream as `data: …` lines, and `data: [DONE]` at the end.

    A `Prediction` is `{"prediction": {…}}`, a model's chunk `{"chunk": "…"}` (JSON as text, as in DSPy), a
    `StreamResponse` `{"chunk": {…}}`, a `StatusMessage` `{"status": "…"}`, a typed event `{"event": …}`; an
    object of your own is `{"data": …}`.
    """
    import orjson

    async for item in streamer:
        yield f"data: {orjson.dumps(_readable(item)).decode()}\n\n"
    yield "data: [DONE]\n\n"


def _readable(item: Any) -> dict[str, Any]:
    if isinstance(item, Final):
        item = item.prediction
    if isinstance(item, Prediction):
        return {"prediction": to_plain(item.toDict())}
    if isinstance(item, StreamChunk):
        return {"chunk": item.json()}
    if isinstance(item, StreamResponse):
        return {"chunk": _fields_of(item)}
    if isinstance(item, StatusMessage):
        return {"status": item.message}
    kind = _TYPED.get(type(item))
    if kind is not None:
        return {"event": kind, **_fields_of(item)}
    try:
        return {"data": to_plain(item)}
    except TypeError as error:
        raise UsageError(
            f"A {type(item).__name__} in the stream has no JSON form ({error}); send plain data instead."
        ) from error


def _fields_of(record: Any) -> dict[str, Any]:
    return to_plain({field.name: getattr(record, field.name) for field in fields(record)})
