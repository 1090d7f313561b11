"""Anthropic Messages: requests, answers, streams."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dspx.errors import LMServerError, LMStreamAssemblyError, LMUnsupportedFeatureError, UsageError
from dspx.lm.request import Request
from dspx.lm.response import Output, ToolCall
from dspx.lm.usage import Usage
from dspx.lm.wire.anthropic import AnthropicMessages

WIRE = AnthropicMessages()
MODEL = "anthropic/claude-sonnet-4-5"
REQUEST = Request(MODEL, [{"role": "user", "content": "hi"}])
CITED = {
    "type": "char_location",
    "cited_text": "a",
    "document_index": 0,
    "start_char_index": 0,
    "end_char_index": 3,
}


def feed(assembler: Any, *events: Any) -> list[Any]:
    return [
        delta for event in events for delta in assembler.feed(event.get("type"), orjson.dumps(event).decode())
    ]


# ---------------------------------------------------------------- requests


def test_the_whole_conversation_as_anthropic_wants_it(encode: Any, golden: Any, conversation: Any):
    messages, params = conversation
    call, body = encode(MODEL, messages, **params)
    assert call.url == "https://api.anthropic.com/v1/messages"
    assert call.headers["x-api-key"] == "sk-ant-secret"
    assert call.headers["anthropic-version"] == "2023-06-01"
    assert "authorization" not in call.headers
    golden("anthropic", body)


def test_a_limit_is_always_sent(encode: Any):
    assert encode(MODEL)[1]["max_tokens"] == 16_384
    assert encode("anthropic/claude-3-haiku-20240307")[1]["max_tokens"] == 4_096
    assert encode(MODEL, max_completion_tokens=7)[1]["max_tokens"] == 7


def test_parameters_have_their_names_here(encode: Any):
    _, body = encode(MODEL, stop="END", user="u1", top_k=5, seed=3, temperature=1.4, stream=True)
    assert body["stop_sequences"] == ["END"]
    assert body["metadata"] == {"user_id": "u1"}
    assert body["top_k"] == 5
    assert body["temperature"] == 1.0
    assert body["stream"] is True
    assert "seed" not in body
    assert "stop" not in body


def test_models_with_fixed_sampling_are_sent_none(encode: Any):
    _, body = encode("anthropic/claude-opus-5", temperature=0.3, top_p=0.5)
    assert "temperature" not in body
    assert "top_p" not in body


@pytest.mark.parametrize("name", ["logprobs", "frequency_penalty", "presence_penalty"])
def test_what_the_protocol_cannot_do_is_refused(encode: Any, name: str):
    with pytest.raises(LMUnsupportedFeatureError, match=name):
        encode(MODEL, **{name: True})
    encode(MODEL, **{name: 0})


def test_an_older_model_thinks_within_a_budget(encode: Any):
    _, body = encode(MODEL, reasoning_effort="low", max_tokens=100, temperature=0.5)
    assert body["thinking"] == {"type": "enabled", "budget_tokens": 2_048}
    assert body["max_tokens"] == 2_148
    assert "temperature" not in body


def test_a_newer_model_is_told_an_effort(encode: Any):
    _, body = encode("anthropic/claude-opus-4-6", reasoning_effort="high")
    assert body["thinking"] == {"type": "adaptive"}
    assert body["output_config"] == {"effort": "high"}


def test_thinking_can_be_off_or_the_users_own(encode: Any):
    assert encode(MODEL, reasoning_effort="none")[1]["thinking"] == {"type": "disabled"}
    own = {"type": "enabled", "budget_tokens": 5_000}
    assert encode(MODEL, thinking=own, reasoning_effort="low")[1]["thinking"] == own


def test_signed_thoughts_are_sent_back_first(encode: Any):
    body = {
        "content": [
            {"type": "thinking", "thinking": "hm", "signature": "s"},
            {"type": "redacted_thinking", "data": "xx"},
            {"type": "tool_use", "id": "t1", "name": "f", "input": {"a": 1}},
        ],
        "stop_reason": "tool_use",
    }
    message = WIRE.decode(body, REQUEST).outputs[0].to_message()
    _, sent = encode(MODEL, [{"role": "user", "content": "q"}, message])
    assert sent["messages"][1]["content"] == body["content"]


@pytest.mark.parametrize(
    ("choice", "sent"),
    [
        ("auto", {"type": "auto"}),
        ("required", {"type": "any"}),
        ("none", {"type": "none"}),
        ({"type": "function", "function": {"name": "f"}}, {"type": "tool", "name": "f"}),
    ],
)
def test_a_choice_of_tools_is_translated(encode: Any, choice: Any, sent: dict[str, Any]):
    tools = [{"type": "function", "function": {"name": "f"}}]
    _, body = encode(MODEL, tools=tools, tool_choice=choice)
    assert body["tool_choice"] == sent
    assert body["tools"] == [{"name": "f", "input_schema": {"type": "object", "properties": {}}}]


def test_neighbours_of_one_role_are_joined_and_empty_messages_left_out(encode: Any):
    messages = [
        {"role": "user", "content": "a"},
        {"role": "user", "content": ""},
        {"role": "user", "content": "b"},
        {"role": "assistant", "content": "so \n"},
    ]
    _, body = encode(MODEL, messages)
    assert [(turn["role"], [block["text"] for block in turn["content"]]) for turn in body["messages"]] == [
        ("user", ["a", "b"]),
        ("assistant", ["so"]),
    ]


def test_nothing_to_say_is_an_error_here(encode: Any):
    with pytest.raises(UsageError, match="nothing to send"):
        encode(MODEL, [{"role": "system", "content": "s"}])


def test_uploaded_files_need_a_header(encode: Any):
    call, body = encode(MODEL, [{"role": "user", "content": [{"type": "file", "file": {"file_id": "f1"}}]}])
    assert body["messages"][0]["content"] == [
        {"type": "document", "source": {"type": "file", "file_id": "f1"}}
    ]
    assert call.headers["anthropic-beta"] == "files-api-2025-04-14"


def test_sounds_are_refused(encode: Any):
    sound = {"type": "input_audio", "input_audio": {"data": "AA", "format": "wav"}}
    with pytest.raises(LMUnsupportedFeatureError, match="input_audio"):
        encode(MODEL, [{"role": "user", "content": [sound]}])


def test_a_json_mode_without_schema_is_left_to_the_prompt(encode: Any):
    assert "output_config" not in encode(MODEL, response_format={"type": "json_object"})[1]


def test_a_schema_is_closed_and_freed_of_what_is_refused_here(encode: Any):
    schema = {"type": "object", "properties": {"n": {"type": "integer", "minimum": 1, "default": 3}}}
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    assert encode(MODEL, response_format=form)[1]["output_config"]["format"]["schema"] == {
        "type": "object",
        "properties": {"n": {"type": "integer"}},
        "required": ["n"],
        "additionalProperties": False,
    }


def test_a_schema_that_cannot_be_held_to_is_refused(encode: Any):
    mapping = {"type": "object", "additionalProperties": {"type": "integer"}}
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": mapping}}
    with pytest.raises(LMUnsupportedFeatureError, match="open mappings"):
        encode(MODEL, response_format=form)
    with pytest.raises(LMUnsupportedFeatureError, match="a JSON schema"):
        encode("anthropic/claude-3-haiku-20240307", response_format=form)


# ---------------------------------------------------------------- cache marks

TALK = [
    {"role": "system", "content": "s"},
    {"role": "user", "content": "demo"},
    {"role": "assistant", "content": "demo"},
    {"role": "user", "content": "q"},
]


def marks(body: dict[str, Any]) -> list[Any]:
    blocks = [
        *body.get("tools", []),
        *body.get("system", []),
        *(b for turn in body["messages"] for b in turn["content"]),
    ]
    return [block.get("cache_control") for block in blocks]


def test_marks_go_after_system_history_and_the_last_message(encode: Any):
    mark = {"type": "ephemeral"}
    assert marks(encode(MODEL, TALK, prompt_cache=True)[1]) == [mark, None, mark, mark]
    assert marks(encode(MODEL, TALK)[1]) == [None, None, None, None]


def test_marks_may_last_an_hour_and_stand_where_asked(encode: Any):
    hour = {"type": "ephemeral", "ttl": "1h"}
    assert marks(encode(MODEL, TALK, prompt_cache="1h")[1]) == [hour, None, hour, hour]
    assert marks(encode(MODEL, TALK, prompt_cache={"ttl": "1h", "at": ["system"]})[1]) == [
        hour,
        None,
        None,
        None,
    ]
    with pytest.raises(UsageError, match="middle"):
        encode(MODEL, TALK, prompt_cache={"at": ["middle"]})


def test_a_users_own_mark_stays(encode: Any):
    block = {"type": "text", "text": "q", "cache_control": {"type": "ephemeral"}}
    assert marks(encode(MODEL, [{"role": "user", "content": [block]}])[1]) == [{"type": "ephemeral"}]


# ---------------------------------------------------------------- answers

BODY: dict[str, Any] = {
    "id": "m1",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-4-5-20250929",
    "content": [
        {"type": "thinking", "thinking": "hmm", "signature": "sig"},
        {"type": "text", "text": "Hello", "citations": [CITED]},
        {"type": "tool_use", "id": "t1", "name": "f", "input": {"a": 1, "b": "é"}},
        {"type": "tool_use", "id": "t2", "name": "g", "input": {}},
    ],
    "stop_reason": "tool_use",
    "usage": {
        "input_tokens": 10,
        "output_tokens": 5,
        "cache_creation_input_tokens": 7,
        "cache_read_input_tokens": 100,
    },
}


def test_an_answer_with_everything():
    response = WIRE.decode(BODY, REQUEST)
    assert response.outputs == (
        Output(
            text="Hello",
            reasoning="hmm",
            tool_calls=(ToolCall("t1", "f", '{"a":1,"b":"é"}'), ToolCall("t2", "g", "{}")),
            citations=({**CITED, "supported_text": "Hello"},),
            finish_reason="tool_calls",
            thinking=(BODY["content"][0],),
        ),
    )
    details = {"prompt_tokens_details": {"cache_creation_tokens": 7}}
    assert response.usage == Usage(117, 5, 122, 100, 0, details)
    assert response.usage.to_dict()["prompt_tokens_details"] == {
        "cached_tokens": 100,
        "cache_creation_tokens": 7,
    }


@pytest.mark.parametrize(
    ("reason", "meaning"),
    [
        ("end_turn", "stop"),
        ("max_tokens", "length"),
        ("refusal", "content_filter"),
        ("pause_turn", "pause_turn"),
    ],
)
def test_reasons_have_openais_names(reason: str, meaning: str):
    assert WIRE.decode({"content": [], "stop_reason": reason}, REQUEST).outputs == (
        Output("", finish_reason=meaning),
    )


# ---------------------------------------------------------------- streams


def events(body: dict[str, Any], cut: Any) -> list[dict[str, Any]]:
    """The stream of a body; `cut` cuts a text into pieces."""
    start = {**body, "content": [], "stop_reason": None, "usage": {**body["usage"], "output_tokens": 1}}
    made: list[dict[str, Any]] = [{"type": "message_start", "message": start}, {"type": "ping"}]
    for index, block in enumerate(body["content"]):
        first, deltas = _opened(block, cut)
        made.append({"type": "content_block_start", "index": index, "content_block": first})
        made += [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
        made.append({"type": "content_block_stop", "index": index})
    delta = {"stop_reason": body["stop_reason"], "stop_sequence": None}
    made.append(
        {"type": "message_delta", "delta": delta, "usage": {"output_tokens": body["usage"]["output_tokens"]}}
    )
    return [*made, {"type": "message_stop"}]


def _opened(block: dict[str, Any], cut: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    if block["type"] == "text":
        cited = [{"type": "citations_delta", "citation": citation} for citation in block.get("citations", ())]
        pieces = [{"type": "text_delta", "text": part} for part in cut(block["text"])]
        return {"type": "text", "text": ""}, [*cited, *pieces]
    if block["type"] == "thinking":
        pieces = [{"type": "thinking_delta", "thinking": part} for part in cut(block["thinking"])]
        return {"type": "thinking", "thinking": "", "signature": ""}, [
            *pieces,
            {"type": "signature_delta", "signature": block["signature"]},
        ]
    text = orjson.dumps(block["input"]).decode() if block["input"] else ""
    pieces = [{"type": "input_json_delta", "partial_json": part} for part in ["", *cut(text)]]
    return {**block, "input": {}}, pieces


words = st.text(min_size=1, max_size=12)
blocks = st.one_of(
    st.builds(lambda text: {"type": "text", "text": text}, words),
    st.builds(lambda text: {"type": "text", "text": text, "citations": [CITED]}, words),
    st.builds(lambda text, sign: {"type": "thinking", "thinking": text, "signature": sign}, words, words),
    st.builds(
        lambda name, value: {"type": "tool_use", "id": "t", "name": name, "input": value},
        words,
        st.dictionaries(words, words | st.integers(0, 9), max_size=2),
    ),
)


@given(st.lists(blocks, max_size=4), st.integers(1, 5))
def test_any_cut_of_a_stream_gives_the_response_that_comes_whole(content: list[Any], step: int):
    body = {**BODY, "content": content}
    assembler = WIRE.assembler(REQUEST)
    stream = events(body, lambda text: [text[start : start + step] for start in range(0, len(text), step)])
    deltas = feed(assembler, *stream)
    response = assembler.finish()
    assert response == WIRE.decode(body, REQUEST)
    told = "".join(delta.text for delta in deltas if delta.kind == "text")
    assert told == (response.text or "")


def test_tool_deltas_tell_which_call_they_belong_to():
    deltas = feed(WIRE.assembler(REQUEST), *events(BODY, lambda text: [text] if text else []))
    calls = [delta for delta in deltas if delta.kind == "tool_call"]
    assert [(delta.payload["index"], delta.payload["name"]) for delta in calls] == [
        (0, "f"),
        (0, "f"),
        (1, "g"),
    ]


def test_a_stream_that_breaks_off_keeps_what_had_come():
    assembler = WIRE.assembler(REQUEST)
    stream = events(BODY, lambda text: [text])
    cut = next(
        place
        for place, event in enumerate(stream)
        if event.get("delta", {}).get("type") == "input_json_delta"
    )
    feed(assembler, *stream[: cut + 1])
    assembler.feed(
        None,
        '{"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{\\"a\\""}}',
    )
    with pytest.raises(LMStreamAssemblyError) as caught:
        assembler.finish()
    partial = caught.value.partial
    assert partial.text == "Hello"
    assert partial.outputs[0].tool_calls == (ToolCall("t1", "f", '{"a"'),)


def test_an_error_in_the_stream_is_raised():
    with pytest.raises(LMServerError, match="Overloaded") as caught:
        feed(
            WIRE.assembler(REQUEST),
            {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}},
        )
    assert caught.value.retryable
