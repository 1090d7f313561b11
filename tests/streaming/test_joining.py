from __future__ import annotations

from typing import Any

import pytest

from dspx.streaming import FieldDelta, FieldDone, StatusMessage, StreamChunk, StreamResponse
from dspx.streaming.joining import joined


def chunk(text: Any, predict_id: int = 1, finish: str | None = None, **more: Any) -> StreamChunk:
    return StreamChunk.of("m", predict_id, 0, {"content": text, **more}, finish)


def test_neighbouring_pieces_of_one_text_become_one_piece():
    assert joined(FieldDelta("a", "f", "x", 1), FieldDelta("a", "f", "y", 1)) == FieldDelta("a", "f", "xy", 1)
    assert joined(StreamResponse("a", "f", "x", False), StreamResponse("a", "f", "y", False)).chunk == "xy"
    assert joined(chunk("x"), chunk("y")) == chunk("xy")


@pytest.mark.parametrize(
    ("last", "new"),
    [
        (FieldDelta("a", "f", "x", 1), FieldDelta("a", "f", "y", 2)),
        (FieldDelta("a", "f", "x", 1), FieldDelta("a", "g", "y", 1)),
        (FieldDelta("a", "f", "x", 1), FieldDone("a", "f", "x", 1)),
        (StatusMessage("a"), StatusMessage("b")),
        (StreamResponse("a", "f", "x", False), StreamResponse("a", "f", "", True)),
        (StreamResponse("a", "f", "x", True), StreamResponse("a", "f", "y", False)),
        (StreamResponse("a", "f", "x", False), StreamResponse("b", "f", "y", False)),
        (StreamResponse("a", "f", object(), False), StreamResponse("a", "f", "y", False)),
        (chunk("x"), chunk("y", predict_id=2)),
        (chunk("x"), chunk(None, finish="stop")),
        (chunk("x"), chunk("y", reasoning_content="z")),
        ({"a": 1}, {"b": 2}),
    ],
)
def test_everything_else_stays_apart(last: Any, new: Any):
    assert joined(last, new) is None
