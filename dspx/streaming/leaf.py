"""Follow one leaf's answer: pieces of the completion in, events out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dspx.core.streams import Delta
from dspx.streaming.events import FieldDelta, FieldDone, FieldPart, Restart

Emit = Callable[[Any], None]


class LeafReader:
    """A sink for one call of a leaf. Of several completions it follows the first.

    When the leaf is done, what was said of each text field is compared with its value: what is missing is
    added, and what differs is taken back and said again. So the pieces are the value, whatever the parser did.
    """

    def __init__(self, emit: Emit, name: str, call: int, signature: Any, adapter: Any) -> None:
        self._emit = emit
        self._name = name
        self._call = call
        self._signature = signature
        self._adapter = adapter
        self._natives = _natives(signature)
        self._native_fields: set[str] = set()
        self._said: dict[str, list[str]] = {}
        self._asked = 0
        self._fields: Any = None

    def on_call(self) -> None:
        self._asked += 1
        if self._asked > 1:
            if self._said or self._native_fields:
                self._emit(Restart(self._name, None, self._call))
            self._said.clear()
            self._native_fields.clear()
        self._fields = _field_stream(self._adapter, self._signature, again=self._asked > 1)

    def on_delta(self, delta: Delta) -> None:
        if delta.index:
            return
        for field, read in self._natives:
            part = read(delta)
            if part is not None:
                self._native_fields.add(field)
                self._say_native(field, part)
        if delta.kind == "text" and self._fields is not None:
            for field, text in self._fields.feed(delta.text):
                if field not in self._native_fields:
                    self._say(field, text)

    def on_prediction(self, prediction: Any) -> None:
        if self._fields is not None:
            for field, text in self._fields.close():
                if field not in self._native_fields:
                    self._say(field, text)
        for field in self._signature.output_fields:
            if field in prediction:
                value = prediction[field]
                self._settle(field, value)
                self._emit(FieldDone(self._name, field, value, self._call))

    def _say(self, field: str, text: str) -> None:
        self._said.setdefault(field, []).append(text)
        self._emit(FieldDelta(self._name, field, text, self._call))

    def _say_native(self, field: str, part: Any) -> None:
        if isinstance(part, str):
            self._say(field, part)
        else:
            self._emit(FieldPart(self._name, field, part, self._call))

    def _settle(self, field: str, value: Any) -> None:
        text = value if isinstance(value, str) else _text_in(value)
        if text is None:
            return
        said = "".join(self._said.get(field, ()))
        if said == text:
            return
        if not text.startswith(said):
            self._emit(Restart(self._name, field, self._call))
            said = ""
            self._said[field] = []
        if len(said) < len(text):
            self._say(field, text[len(said) :])


def _field_stream(adapter: Any, signature: Any, again: bool) -> Any:
    """The adapter's incremental reader; None where it has none. Whoever asks again may use another layout."""
    if again:
        adapter = getattr(adapter, "_asks_again", lambda: adapter)() or adapter
    open_stream = getattr(adapter, "field_stream", None)
    return open_stream(signature) if open_stream is not None else None


def _natives(signature: Any) -> list[tuple[str, Callable[[Any], Any]]]:
    """The fields that may come beside the text, and what finds their pieces (reasoning, citations)."""
    found = signature.__plans__.get("native_streams")
    if found is None:
        found = signature.__plans__["native_streams"] = [
            (name, field.annotation.parse_stream_chunk)
            for name, field in signature.output_fields.items()
            if _streams_by_itself(field.annotation)
        ]
    return found


def _streams_by_itself(annotation: Any) -> bool:
    is_streamable = getattr(annotation, "is_streamable", None)
    return isinstance(annotation, type) and callable(is_streamable) and bool(is_streamable())


def _text_in(value: Any) -> str | None:
    """The text of a value that reads like one, such as `Reasoning`."""
    content = getattr(value, "content", None)
    return content if isinstance(content, str) and str(value) == content else None
