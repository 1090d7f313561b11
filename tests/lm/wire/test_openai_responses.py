"""OpenAI Responses: items in, items out, events between."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dspx.errors import LMInvalidRequestError, LMServerError, LMStreamAssemblyError, LMUnsupportedFeatureError
from dspx.lm.request import Request
from dspx.lm.response import Output, ToolCall
from dspx.lm.usage import Usage
from dspx.lm.wire.openai_responses import OpenAIResponses

WIRE = OpenAIResponses()
REQUEST = Request("openai/gpt-5", [{"role": "user", "content": "hi"}])

REASONING = {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "hm"}]}
MESSAGE = {
    "type": "message",
    "role": "assistant",
    "content": [
        {
            "type": "output_text",
            "text": "Hello",
            "annotations": [{"type": "url_citation", "url": "https://x"}],
        }
    ],
}
CALL = {"type": "function_call", "call_id": "c1", "name": "f", "arguments": '{"a":1}'}
USAGE = {
    "input_tokens": 10,
    "output_tokens": 5,
    "total_tokens": 15,
    "input_tokens_details": {"cached_tokens": 1},
    "output_tokens_details": {"reasoning_tokens": 2},
}
BODY = {
    "id": "r1",
    "model": "gpt-5-x",
    "status": "completed",
    "output": [REASONING, MESSAGE, CALL],
    "usage": USAGE,
    "error": None,
}


def feed(assembler: Any, *events: Any) -> list[Any]:
    return [
        delta for event in events for delta in assembler.feed(event.get("type"), orjson.dumps(event).decode())
    ]


def test_the_whole_conversation_as_items(encode: Any, golden: Any, conversation: Any):
    messages, params = conversation
    call, body = encode("openai/gpt-4o", messages, model_type="responses", **params)
    assert call.url == "https://api.openai.com/v1/responses"
    golden("openai_responses", body)


def test_parameters_have_their_names_here(encode: Any):
    _, body = encode(
        "openai/gpt-5",
        model_type="responses",
        max_completion_tokens=9,
        reasoning_effort="low",
        verbosity="high",
        logprobs=True,
        top_logprobs=2,
        store=False,
        response_format={"type": "json_object"},
        tool_choice="required",
        stream=True,
    )
    body.pop("input")
    assert body == {
        "model": "gpt-5",
        "max_output_tokens": 9,
        "reasoning": {"effort": "low"},
        "text": {"format": {"type": "json_object"}, "verbosity": "high"},
        "include": ["message.output_text.logprobs"],
        "top_logprobs": 2,
        "store": False,
        "tool_choice": "required",
        "stream": True,
    }


def test_thoughts_are_sent_back_as_they_came(encode: Any):
    message = WIRE.decode(BODY, REQUEST).outputs[0].to_message()
    _, body = encode("openai/gpt-5", [message], model_type="responses")
    assert body["input"] == [REASONING, {"role": "assistant", "content": "Hello"}, CALL]


def test_stop_sequences_are_refused(encode: Any):
    with pytest.raises(LMUnsupportedFeatureError, match="stop"):
        encode("openai/gpt-5", model_type="responses", stop=["x"])


def test_the_developer_role_stands_for_system(encode: Any):
    _, body = encode(
        "openai/gpt-5", [{"role": "system", "content": "s"}], model_type="responses", use_developer_role=True
    )
    assert body["input"] == [{"role": "developer", "content": "s"}]


def test_an_answer_with_everything():
    response = WIRE.decode(BODY, REQUEST)
    assert response.outputs == (
        Output(
            text="Hello",
            reasoning="hm",
            tool_calls=(ToolCall("c1", "f", '{"a":1}'),),
            citations=({"type": "url_citation", "url": "https://x"},),
            finish_reason="tool_calls",
            thinking=(REASONING,),
        ),
    )
    assert response.usage == Usage(10, 5, 15, 1, 2)


def test_an_answer_cut_off_says_so():
    body = {**BODY, "status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}
    assert WIRE.decode(body, REQUEST).outputs[0].finish_reason == "length"


def test_a_failed_answer_is_an_error():
    with pytest.raises(LMServerError, match="broke"):
        WIRE.decode(
            {**BODY, "status": "failed", "error": {"code": "server_error", "message": "broke"}}, REQUEST
        )


def events(cut: int) -> list[dict[str, Any]]:
    """The stream of BODY, its texts cut at a place."""
    text, arguments = "Hello", '{"a":1}'
    return [
        {"type": "response.created", "response": {"id": "r1", "model": "gpt-5-x", "error": None}},
        {
            "type": "response.output_item.added",
            "output_index": 0,
            "item": {"type": "reasoning", "summary": []},
        },
        {"type": "response.reasoning_summary_text.delta", "output_index": 0, "delta": "hm"},
        {"type": "response.output_item.done", "output_index": 0, "item": REASONING},
        {"type": "response.output_item.added", "output_index": 1, "item": {"type": "message", "content": []}},
        {"type": "response.output_text.delta", "output_index": 1, "delta": text[:cut]},
        {"type": "response.output_text.delta", "output_index": 1, "delta": text[cut:]},
        {"type": "response.output_item.done", "output_index": 1, "item": MESSAGE},
        {"type": "response.output_item.added", "output_index": 2, "item": {**CALL, "arguments": ""}},
        {"type": "response.function_call_arguments.delta", "output_index": 2, "delta": arguments[:cut]},
        {"type": "response.function_call_arguments.delta", "output_index": 2, "delta": arguments[cut:]},
        {"type": "response.output_item.done", "output_index": 2, "item": CALL},
        {"type": "response.completed", "response": BODY},
    ]


@given(st.integers(0, 5), st.booleans())
def test_any_cut_of_a_stream_gives_the_response_that_comes_whole(cut: int, items_left_out: bool):
    stream = events(cut)
    if items_left_out:
        stream[-1] = {"type": "response.completed", "response": {**BODY, "output": []}}
    assembler = WIRE.assembler(REQUEST)
    deltas = feed(assembler, *stream)
    assert assembler.finish() == WIRE.decode(BODY, REQUEST)
    assert "".join(delta.text for delta in deltas if delta.kind == "text") == "Hello"
    assert "".join(delta.text for delta in deltas if delta.kind == "reasoning") == "hm"
    calls = [delta for delta in deltas if delta.kind == "tool_call"]
    assert "".join(delta.text for delta in calls) == '{"a":1}'
    assert all(delta.payload == {"index": 0, "id": "c1", "name": "f"} for delta in calls)


def test_a_stream_that_breaks_off_keeps_what_had_come():
    assembler = WIRE.assembler(REQUEST)
    feed(assembler, *events(3)[:6])
    with pytest.raises(LMStreamAssemblyError) as caught:
        assembler.finish()
    assert caught.value.partial.text == "Hel"


def test_errors_in_the_stream_are_raised():
    failed = {"type": "response.failed", "response": {"error": {"code": "server_error", "message": "broke"}}}
    with pytest.raises(LMServerError, match="broke"):
        feed(WIRE.assembler(REQUEST), failed)
    with pytest.raises(LMInvalidRequestError, match="bad"):
        feed(WIRE.assembler(REQUEST), {"type": "error", "code": "invalid_prompt", "message": "bad"})
