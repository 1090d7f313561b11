"""Pieces of completions as OpenAI's SDK shows them: what `streamify` gives where nobody listens to fields."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dspx.core.streams import Delta
from dspx.lm.response import Shape


class StreamChunk(Shape):
    """`chunk.choices[0].delta.content` is the text; `chunk.predict_id` is the `id()` of the leaf that asked."""

    @classmethod
    def of(
        cls, model: str, predict_id: int, index: int, delta: dict[str, Any], finish: str | None
    ) -> StreamChunk:
        choice = Shape(index=index, delta=Shape(delta), finish_reason=finish)
        return cls(
            id=None, object="chat.completion.chunk", model=model, predict_id=predict_id, choices=[choice]
        )

    def with_content(self, text: str) -> StreamChunk:
        """The same chunk with another text."""
        return StreamChunk.of(self.model, self.predict_id, self.choices[0].index, {"content": text}, None)

    def json(self) -> str:
        import orjson

        return orjson.dumps(self).decode()


class ChunkSink:
    """A sink that passes the pieces on as chunks, and says at the end that they end."""

    def __init__(self, emit: Callable[[Any], None], leaf: Any, model: str) -> None:
        self._emit = emit
        self._predict_id = id(leaf)
        self._model = model

    def on_call(self) -> None: ...

    def on_delta(self, delta: Delta) -> None:
        self._emit(self._chunk(delta.index, _content_of(delta), None))

    def on_prediction(self, prediction: Any) -> None:
        self._emit(self._chunk(0, {"content": None}, "stop"))

    def _chunk(self, index: int, content: dict[str, Any], finish_reason: str | None) -> StreamChunk:
        return StreamChunk.of(self._model, self._predict_id, index, content, finish_reason)


def _content_of(delta: Delta) -> dict[str, Any]:
    if delta.kind == "reasoning":
        return {"content": None, "reasoning_content": delta.text}
    if delta.kind == "tool_call":
        called: dict[str, Any] = delta.payload if isinstance(delta.payload, dict) else {}
        function = Shape(name=called.get("name"), arguments=delta.text)
        call = Shape(index=called.get("index", 0), id=called.get("id"), type="function", function=function)
        return {"content": None, "tool_calls": [call]}
    if delta.payload is not None:
        return {"content": delta.text, "provider_specific_fields": delta.payload}
    return {"content": delta.text}
