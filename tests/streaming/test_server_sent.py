from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

import dspx
from dspx.streaming import (
    FieldDelta,
    FieldDone,
    Final,
    Restart,
    StatusMessage,
    StreamChunk,
    StreamResponse,
    streaming_response,
)


def lines(*items: Any) -> list[Any]:
    async def source() -> Any:
        for item in items:
            yield item

    async def read() -> list[str]:
        return [line async for line in streaming_response(source())]

    *events, end = asyncio.run(read())
    assert end == "data: [DONE]\n\n"
    assert all(event.startswith("data: ") and event.endswith("\n\n") for event in events)
    return [json.loads(event[6:]) for event in events]


def test_a_stream_ends_with_done():
    assert lines() == []


def test_a_prediction_is_its_values():
    prediction = dspx.Prediction(answer="x", scores=[1, 2])
    assert lines(prediction) == [{"prediction": {"answer": "x", "scores": [1, 2]}}]
    assert lines(Final(prediction)) == lines(prediction)


def test_a_chunk_is_json_in_a_string():
    (line,) = lines(StreamChunk.of("m", 1, 0, {"content": "hi"}, None))
    assert json.loads(line["chunk"])["choices"][0]["delta"]["content"] == "hi"


def test_responses_and_status_messages_have_forms_of_their_own():
    assert lines(StreamResponse("a", "answer", "x", False), StatusMessage("on it")) == [
        {
            "chunk": {
                "predict_name": "a",
                "signature_field_name": "answer",
                "chunk": "x",
                "is_last_chunk": False,
            }
        },
        {"status": "on it"},
    ]


def test_typed_events_name_their_kind():
    events = lines(FieldDelta("a", "f", "x", 0), FieldDone("a", "f", [1], 0), Restart("a", None, 0))
    assert [event["event"] for event in events] == ["delta", "done", "restart"]
    assert events[0] == {"event": "delta", "predictor": "a", "field": "f", "text": "x", "call": 0}


def test_objects_of_the_programs_own_are_data():
    assert lines({"step": 1}) == [{"data": {"step": 1}}]


def test_what_has_no_json_form_is_named():
    with pytest.raises(dspx.UsageError, match="function in the stream has no JSON form"):
        lines(lines)
