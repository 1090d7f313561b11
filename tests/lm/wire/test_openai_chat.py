"""OpenAI Chat Completions: requests, answers, streams."""

from __future__ import annotations

from typing import Any

import orjson
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dspx.errors import LMRateLimitError, LMStreamAssemblyError, LMUnexpectedError
from dspx.lm.request import Request
from dspx.lm.response import Output, ToolCall
from dspx.lm.usage import Usage
from dspx.lm.wire.openai_chat import OpenAIChat

WIRE = OpenAIChat()
REQUEST = Request("openai/gpt-4o-mini", [{"role": "user", "content": "hi"}])


def feed(assembler: Any, *events: Any) -> list[Any]:
    return [delta for event in events for delta in assembler.feed(None, orjson.dumps(event).decode())]


def chunk(delta: dict[str, Any], finish: str | None = None, index: int = 0, **more: Any) -> dict[str, Any]:
    return {
        "id": "r1",
        "model": "gpt",
        "choices": [{"index": index, "delta": delta, "finish_reason": finish, **more}],
    }


# ---------------------------------------------------------------- requests


def test_the_whole_conversation_as_openai_wants_it(encode: Any, golden: Any, conversation: Any):
    messages, params = conversation
    call, body = encode("openai/gpt-4o", messages, **params)
    assert call.url == "https://api.openai.com/v1/chat/completions"
    golden("openai_chat", body)


def test_plain_messages_are_not_copied():
    from dspx.lm.resolve import resolve

    endpoint = resolve("openai/gpt-4o", api_key="k", environ={})
    payload = WIRE.payload(REQUEST, endpoint)
    assert payload["messages"][0] is REQUEST.messages[0]


def test_unknown_parameters_go_as_they_are(encode: Any):
    _, body = encode("openai/gpt-4o", seed=1, n=3, stop=["x"], logprobs=True, top_logprobs=2, verbosity="low")
    assert {name: body[name] for name in ("seed", "n", "stop", "logprobs", "top_logprobs", "verbosity")} == {
        "seed": 1,
        "n": 3,
        "stop": ["x"],
        "logprobs": True,
        "top_logprobs": 2,
        "verbosity": "low",
    }


def test_reasoning_models_have_another_name_for_the_limit(encode: Any):
    assert encode("openai/gpt-5", max_tokens=9)[1]["max_completion_tokens"] == 9
    assert "max_tokens" not in encode("openai/gpt-5", max_tokens=9)[1]
    assert encode("openai/gpt-4o", max_tokens=9)[1]["max_tokens"] == 9
    assert encode("openai/gpt-4o", max_completion_tokens=9)[1]["max_completion_tokens"] == 9


def test_other_servers_know_only_the_old_name(encode: Any):
    assert encode("groq/llama", max_completion_tokens=9)[1]["max_tokens"] == 9


def test_mistral_has_its_own_word_for_seed(encode: Any):
    _, body = encode("mistral/mistral-small-latest", stream=True, seed=4)
    assert body["random_seed"] == 4
    assert body["stream"] is True
    assert "stream_options" not in body


def test_the_developer_role_stands_for_system(encode: Any):
    messages = [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}]
    _, body = encode("openai/gpt-5", messages, use_developer_role=True)
    assert [message["role"] for message in body["messages"]] == ["developer", "user"]
    assert "use_developer_role" not in body


def test_streams_ask_for_usage(encode: Any):
    _, body = encode("openai/gpt-4o", stream=True)
    assert body["stream"] is True
    assert body["stream_options"] == {"include_usage": True}


def test_a_pydantic_class_becomes_a_response_format(encode: Any):
    class Answer(pydantic.BaseModel):
        sky: str

    form = encode("openai/gpt-4o", response_format=Answer)[1]["response_format"]
    assert form["json_schema"]["strict"] is True
    assert form["json_schema"]["schema"]["additionalProperties"] is False


def test_what_only_other_protocols_know_is_left_out(encode: Any):
    thinking = [{"type": "thinking", "thinking": "t", "signature": "s"}]
    messages = [
        {"role": "user", "content": [{"type": "text", "text": "u", "cache_control": {"type": "ephemeral"}}]},
        {"role": "assistant", "content": "a", "thinking_blocks": thinking, "reasoning_content": "t"},
    ]
    _, body = encode("openai/gpt-4o", messages)
    assert body["messages"] == [
        {"role": "user", "content": [{"type": "text", "text": "u"}]},
        {"role": "assistant", "content": "a"},
    ]
    marked = encode("openrouter/anthropic/claude", messages)[1]["messages"][0]["content"][0]
    assert marked["cache_control"] == {"type": "ephemeral"}


def test_deepseek_gets_its_reasoning_back_beside_tool_calls(encode: Any):
    calls = [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]
    message = {"role": "assistant", "content": None, "tool_calls": calls, "reasoning_content": "because"}
    assert encode("deepseek/deepseek-chat", [message])[1]["messages"][0]["reasoning_content"] == "because"
    assert "reasoning_content" not in encode("openai/gpt-4o", [message])[1]["messages"][0]


def test_the_prompt_cache_can_be_steered(encode: Any):
    _, body = encode("openai/gpt-4o", prompt_cache={"key": "demo", "retention": "24h"})
    assert (body["prompt_cache_key"], body["prompt_cache_retention"]) == ("demo", "24h")
    assert "prompt_cache_key" not in encode("openai/gpt-4o", prompt_cache=True)[1]


def test_an_effort_may_be_a_dict(encode: Any):
    assert encode("openai/gpt-5", reasoning_effort={"effort": "low"})[1]["reasoning_effort"] == "low"


# ---------------------------------------------------------------- answers


def test_an_answer_with_everything():
    body = {
        "id": "r1",
        "model": "gpt-4o-mini-2024-07-18",
        "choices": [
            {
                "index": 0,
                "finish_reason": "tool_calls",
                "logprobs": {"content": [{"token": "a", "logprob": -0.1}]},
                "message": {
                    "role": "assistant",
                    "content": None,
                    "reasoning_content": "hm",
                    "tool_calls": [
                        {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
                    ],
                    "annotations": [
                        {"type": "url_citation", "url_citation": {"url": "https://x", "title": "X"}}
                    ],
                },
            }
        ],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
    }
    response = WIRE.decode(body, REQUEST)
    assert response.outputs == (
        Output(
            text=None,
            reasoning="hm",
            tool_calls=(ToolCall("c1", "f", '{"a": 1}'),),
            logprobs={"content": [{"token": "a", "logprob": -0.1}]},
            citations=({"type": "url_citation", "url": "https://x", "title": "X"},),
            finish_reason="tool_calls",
        ),
    )
    assert (response.model, response.id, response.usage) == ("gpt-4o-mini-2024-07-18", "r1", Usage(10, 5, 15))


def test_a_refusal_is_text_that_was_filtered():
    output = WIRE.decode(
        {"choices": [{"message": {"content": None, "refusal": "No."}, "finish_reason": "stop"}]}, REQUEST
    )
    assert output.outputs == (Output("No.", finish_reason="content_filter"),)


def test_mistrals_blocks_are_text_and_thoughts():
    content = [
        {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
        {"type": "text", "text": "yes"},
    ]
    output = WIRE.decode({"choices": [{"message": {"content": content}}]}, REQUEST).outputs[0]
    assert (output.text, output.reasoning) == ("yes", "hm")


def test_openrouter_says_what_it_cost():
    body = {"choices": [{"message": {"content": "x"}}], "usage": {"prompt_tokens": 1, "cost": 0.25}}
    assert WIRE.decode(body, REQUEST).cost == 0.25


@pytest.mark.parametrize(
    "body", [{}, {"choices": []}, {"choices": [{"message": {"content": 3}}]}, {"choices": "x"}]
)
def test_another_shape_is_shown(body: dict[str, Any]):
    with pytest.raises(LMUnexpectedError, match="openai_chat") as caught:
        WIRE.decode(body, REQUEST)
    assert not caught.value.retryable


# ---------------------------------------------------------------- streams


def test_deltas_come_as_they_arrive():
    assembler = WIRE.assembler(REQUEST)
    deltas = feed(
        assembler,
        chunk({"role": "assistant", "content": ""}),
        chunk({"reasoning_content": "hm"}),
        chunk({"content": "Hel"}),
        chunk({"content": "lo"}),
        chunk({"tool_calls": [{"index": 0, "id": "c1", "function": {"name": "f", "arguments": ""}}]}),
        chunk({"tool_calls": [{"index": 0, "function": {"arguments": '{"a":1}'}}]}),
        chunk({}, "tool_calls"),
        {"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}},
    )
    assembler.feed(None, "[DONE]")
    assert [(delta.kind, delta.text) for delta in deltas] == [
        ("reasoning", "hm"),
        ("text", "Hel"),
        ("text", "lo"),
        ("tool_call", ""),
        ("tool_call", '{"a":1}'),
    ]
    assert deltas[-1].payload == {"index": 0, "id": "c1", "name": "f"}
    response = assembler.finish()
    assert response.outputs == (
        Output("Hello", "hm", (ToolCall("c1", "f", '{"a":1}'),), finish_reason="tool_calls"),
    )
    assert response.usage == Usage(1, 2, 3)


def test_a_stream_that_breaks_off_keeps_what_had_come():
    assembler = WIRE.assembler(REQUEST)
    feed(assembler, chunk({"content": "Hel"}))
    with pytest.raises(LMStreamAssemblyError) as caught:
        assembler.finish()
    assert caught.value.partial.text == "Hel"
    assert not caught.value.retryable


def test_one_completion_of_two_unfinished_is_not_whole():
    assembler = WIRE.assembler(REQUEST)
    feed(assembler, chunk({"content": "a"}, "stop"), chunk({"content": "b"}, index=1))
    with pytest.raises(LMStreamAssemblyError):
        assembler.finish()


def test_an_empty_stream_is_not_an_answer():
    with pytest.raises(LMStreamAssemblyError) as caught:
        WIRE.assembler(REQUEST).finish()
    assert caught.value.partial is None


def test_a_server_that_never_says_done_is_done_when_it_gives_a_reason():
    assembler = WIRE.assembler(REQUEST)
    feed(assembler, chunk({"content": "a"}, "stop"))
    assert assembler.finish().text == "a"


def test_an_error_in_the_stream_is_raised():
    with pytest.raises(LMRateLimitError):
        feed(WIRE.assembler(REQUEST), {"error": {"message": "slow down", "type": "rate_limit_exceeded"}})


def test_an_event_that_is_no_json_is_shown():
    with pytest.raises(LMStreamAssemblyError, match="oops"):
        WIRE.assembler(REQUEST).feed(None, "oops")


def test_whole_tool_calls_without_index_are_told_apart_by_id():
    assembler = WIRE.assembler(REQUEST)
    for identity in ("a", "b"):
        feed(
            assembler, chunk({"tool_calls": [{"id": identity, "function": {"name": "f", "arguments": "{}"}}]})
        )
    feed(assembler, chunk({}, "tool_calls"))
    assert [call.id for call in assembler.finish().outputs[0].tool_calls] == ["a", "b"]


words = st.text(min_size=1, max_size=12)
calls = st.lists(st.tuples(words, words, words), max_size=3)


@st.composite
def streams(draw: st.DrawFn) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A body as it comes whole, and one of the ways to cut it into events."""
    choices: list[dict[str, Any]] = []
    queues: list[list[dict[str, Any]]] = []
    for index in range(draw(st.integers(1, 3))):
        message: dict[str, Any] = {"role": "assistant", "content": draw(st.none() | words)}
        pieces: list[dict[str, Any]] = []
        reasoning = draw(st.none() | words)
        if reasoning is not None:
            message["reasoning_content"] = reasoning
            pieces += [chunk({"reasoning_content": part}, index=index) for part in draw(cuts(reasoning))]
        if message["content"] is not None:
            pieces += [chunk({"content": part}, index=index) for part in draw(cuts(message["content"]))]
        tool_calls = draw(calls)
        if tool_calls:
            message["tool_calls"] = []
        for place, (identity, name, arguments) in enumerate(tool_calls):
            message["tool_calls"].append({"id": identity, "function": {"name": name, "arguments": arguments}})
            start = {"index": place, "id": identity, "function": {"name": name, "arguments": ""}}
            pieces.append(chunk({"tool_calls": [start]}, index=index))
            for part in draw(cuts(arguments)):
                pieces.append(
                    chunk({"tool_calls": [{"index": place, "function": {"arguments": part}}]}, index=index)
                )
        tokens = draw(st.lists(words, max_size=3))
        logprobs = {"content": [{"token": token, "logprob": -1.0} for token in tokens]} if tokens else None
        for token in tokens:
            pieces.append(chunk({}, index=index, logprobs={"content": [{"token": token, "logprob": -1.0}]}))
        finish = draw(st.sampled_from(["stop", "length", "tool_calls"]))
        pieces.append(chunk({}, finish, index=index))
        queues.append(pieces)
        choices.append({"index": index, "message": message, "finish_reason": finish, "logprobs": logprobs})
    events: list[dict[str, Any]] = []
    while any(queues):
        queue = draw(st.sampled_from([queue for queue in queues if queue]))
        events.append(queue.pop(0))
    usage = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
    events.append({"id": "r1", "model": "gpt", "choices": [], "usage": usage})
    return {"id": "r1", "model": "gpt", "choices": choices, "usage": usage}, events


@st.composite
def cuts(draw: st.DrawFn, text: str) -> list[str]:
    places = sorted(draw(st.sets(st.integers(1, max(1, len(text) - 1)), max_size=4)))
    ends = [*places, len(text)]
    starts = [0, *places]
    return [text[start:end] for start, end in zip(starts, ends, strict=True) if start < end]


@given(streams())
def test_any_cut_of_a_stream_gives_the_response_that_comes_whole(stream: Any):
    body, events = stream
    assembler = WIRE.assembler(REQUEST)
    deltas = feed(assembler, *events)
    assembler.feed(None, "[DONE]")
    response = assembler.finish()
    assert response == WIRE.decode(body, REQUEST)
    for index, output in enumerate(response.outputs):
        told = "".join(delta.text for delta in deltas if delta.index == index and delta.kind == "text")
        assert told == (output.text or "")
