"""Make one of two neighbouring pieces of text: how a stream that nobody reads for a while stays small."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from dspx.streaming.chunk import StreamChunk
from dspx.streaming.events import FieldDelta
from dspx.streaming.messages import StreamResponse


def joined(last: Any, new: Any) -> Any:
    """Two pieces of the same text as one; None for anything else."""
    kind = type(last)
    if kind is not type(new):
        return None
    if kind is FieldDelta:
        return _deltas(last, new)
    if kind is StreamResponse:
        return _responses(last, new)
    return _chunks(last, new) if kind is StreamChunk else None


def _deltas(last: FieldDelta, new: FieldDelta) -> FieldDelta | None:
    if last.call != new.call or last.field != new.field:
        return None
    return replace(last, text=last.text + new.text)


def _responses(last: StreamResponse, new: StreamResponse) -> StreamResponse | None:
    same = (last.predict_name, last.signature_field_name) == (new.predict_name, new.signature_field_name)
    text = isinstance(last.chunk, str) and isinstance(new.chunk, str)
    if not (same and text) or last.is_last_chunk or new.is_last_chunk:
        return None
    return replace(last, chunk=last.chunk + new.chunk)


def _chunks(last: StreamChunk, new: StreamChunk) -> StreamChunk | None:
    said, says = last.choices[0], new.choices[0]
    plain = said.delta.keys() == says.delta.keys() == {"content"}
    same = (last.predict_id, said.index) == (new.predict_id, says.index)
    if not (plain and same) or said.delta.content is None or says.delta.content is None:
        return None
    return last.with_content(said.delta.content + says.delta.content)
