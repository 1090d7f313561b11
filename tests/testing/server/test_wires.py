"""Each protocol, whole and as a stream, read by dspx's own wires: what the server says is what the LM understands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
import pytest

import dspx
from dspx.core.streams import Delta, sink
from dspx.lm.response import Output, Response, ToolCall
from dspx.testing import Server
from tests.testing.server.raw import ask, chat

PROTOCOLS = ["openai", "responses", "anthropic", "gemini"]
CALL = ToolCall("call_1", "look", '{"q":"a longer query, with \\"quotes\\""}')
TOOL = {
    "type": "function",
    "function": {"name": "look", "parameters": {"type": "object", "properties": {"q": {"type": "string"}}}},
}


class Kept:
    """A sink that keeps the pieces."""

    def __init__(self) -> None:
        self.deltas: list[Delta] = []

    def on_call(self) -> None: ...
    def on_delta(self, delta: Delta) -> None:
        self.deltas.append(delta)

    def on_prediction(self, prediction: Any) -> None: ...


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    models = {
        "thinker": lambda request: Output("The answer, in words.", reasoning="First think, then say."),
        "caller": lambda request: Output(None, tool_calls=(CALL,), finish_reason="tool_calls"),
    }
    with Server("echo", models=models) as running:
        yield running


def lm_for(server: Server, protocol: str, model: str = "echo") -> dspx.LM:
    if protocol == "responses":
        return server.lm(model, model_type="responses", cache=False)
    # A name that the provider's facts know, so that schemas and tools are sent.
    return server.lm(model, provider=protocol, cache=False)


def respond(lm: dspx.LM, text: str = "Hello there, you", **params: Any) -> Response:
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": text}]
    return dspx.runtime.bridge.run(lm.respond_to(messages, params))


def streamed(lm: dspx.LM, text: str = "Hello there, you", **params: Any) -> tuple[Response, list[Delta]]:
    kept = Kept()
    with sink.using(kept):
        response = respond(lm, text, **params)
    return response, kept.deltas


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_text_and_usage_arrive(server: Server, protocol: str) -> None:
    response = respond(lm_for(server, protocol))
    assert response.text == "Hello there, you"
    assert response.outputs[0].finish_reason == "stop"
    assert (response.usage.prompt_tokens, response.usage.completion_tokens) == (7, 4)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("model", ["echo", "thinker", "caller"])
def test_a_stream_says_what_the_whole_answer_says(server: Server, protocol: str, model: str) -> None:
    lm = lm_for(server, protocol, model)
    whole = respond(lm)
    response, deltas = streamed(lm)
    assert response.outputs == whole.outputs
    assert response.usage == whole.usage
    assert "".join(delta.text for delta in deltas if delta.kind == "text") == (whole.text or "")
    assert len(deltas) > 1 or model == "caller"


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_reasoning_arrives(server: Server, protocol: str) -> None:
    output = respond(lm_for(server, protocol, "thinker")).outputs[0]
    assert (output.text, output.reasoning) == ("The answer, in words.", "First think, then say.")


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_tool_calls_arrive(server: Server, protocol: str) -> None:
    output = respond(lm_for(server, protocol, "caller")).outputs[0]
    assert [call.name for call in output.tool_calls] == ["look"]
    assert orjson.loads(output.tool_calls[0].arguments) == orjson.loads(CALL.arguments)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_tools_that_are_offered_are_called(server: Server, protocol: str) -> None:
    output = respond(lm_for(server, protocol), tools=[TOOL]).outputs[0]
    assert orjson.loads(output.tool_calls[0].arguments) == {"q": "sample q"}
    chosen = {"type": "function", "function": {"name": "look"}}
    assert respond(lm_for(server, protocol), tools=[TOOL], tool_choice=chosen).outputs[0].tool_calls
    assert respond(lm_for(server, protocol), tools=[TOOL], tool_choice="required").outputs[0].tool_calls
    assert respond(lm_for(server, protocol), tools=[TOOL], tool_choice="none").text == "Hello there, you"


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_conversation_with_tools_is_read(server: Server, protocol: str) -> None:
    messages = [
        {"role": "user", "content": "Find it"},
        {"role": "assistant", "content": "I look.", "tool_calls": [CALL.to_openai()]},
        {"role": "tool", "tool_call_id": "call_1", "content": "found"},
    ]
    response = dspx.runtime.bridge.run(lm_for(server, protocol).respond_to(messages, {"tools": [TOOL]}))
    assert response.outputs[0].tool_calls == ()


@pytest.mark.parametrize("protocol", ["openai", "responses", "anthropic", "gemini"])
def test_the_limit_is_reported(server: Server, protocol: str) -> None:
    response = respond(lm_for(server, protocol), max_tokens=2)
    assert response.text == "Hello there,"
    assert response.outputs[0].finish_reason == "length"


@pytest.mark.parametrize("protocol", ["openai", "responses", "gemini"])
def test_a_json_schema_is_obeyed(server: Server, protocol: str) -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer", "minimum": 3}}, "required": ["n"]}
    form = {"type": "json_schema", "json_schema": {"name": "N", "schema": schema}}
    assert orjson.loads(respond(lm_for(server, protocol), response_format=form).text or "") == {"n": 3}


def test_anthropic_takes_a_json_schema_too(server: Server) -> None:
    body = {
        **chat(max_tokens=100),
        "system": [{"type": "text", "text": "s"}],
        "output_config": {
            "format": {"type": "json_schema", "schema": {"type": "object", "properties": {"n": {"const": 1}}}}
        },
    }
    answer = ask(server.port, "/v1/messages", body).json
    assert orjson.loads(answer["content"][0]["text"]) == {"n": 1}


@pytest.mark.parametrize("protocol", ["openai", "gemini"])
def test_several_completions_arrive(server: Server, protocol: str) -> None:
    assert len(respond(lm_for(server, protocol), n=2).outputs) == 2


@pytest.mark.parametrize(
    ("path", "status", "kind"),
    [
        ("/v1/chat/completions", 429, ("error", "code", "rate_limit_exceeded")),
        ("/v1/messages", 429, ("error", "type", "rate_limit_error")),
        ("/v1beta/models/m:generateContent", 429, ("error", "status", "RESOURCE_EXHAUSTED")),
        ("/v1beta/models/m:generateContent", 503, ("error", "status", "UNAVAILABLE")),
        ("/v1/responses", 503, ("error", "type", "server_error")),
    ],
)
def test_errors_have_the_protocols_form(path: str, status: int, kind: tuple[str, str, str]) -> None:
    with Server("echo", faults=[status]) as server:
        answer = ask(server.port, path, {})
    assert answer.status == status
    assert answer.json[kind[0]][kind[1]] == kind[2]


def test_chat_streams_usage_where_it_is_asked_for(server: Server) -> None:
    asked = chat("a", stream=True, stream_options={"include_usage": True})
    events = ask(server.port, "/v1/chat/completions", asked).events
    assert events[-2]["usage"]["total_tokens"] == 2
    assert events[-2]["choices"] == []
    without = ask(server.port, "/v1/chat/completions", chat("a", stream=True)).events
    assert not any("usage" in event for event in without[:-1])


@pytest.mark.parametrize("stream", [False, True])
def test_chat_gives_log_probabilities(server: Server, stream: bool) -> None:
    asked = chat("one two", logprobs=True, top_logprobs=2, stream=stream)
    answer = ask(server.port, "/v1/chat/completions", asked)
    choice = answer.events[-2]["choices"][0] if stream else answer.json["choices"][0]
    tokens = choice["logprobs"]["content"]
    assert [token["token"] for token in tokens] == ["one", " two"]
    assert len(tokens[0]["top_logprobs"]) == 2
    assert tokens[0]["logprob"] < 0


def test_legacy_completions_go_on_with_a_text(server: Server) -> None:
    whole = ask(server.port, "/v1/completions", {"model": "echo", "prompt": "Once upon"}).json
    assert (whole["object"], whole["choices"][0]["text"]) == ("text_completion", "Once upon")
    events = ask(
        server.port, "/v1/completions", {"model": "echo", "prompt": ["Once upon"], "stream": True}
    ).events
    assert "".join(event["choices"][0]["text"] for event in events[:-1]) == "Once upon"


def test_responses_take_items_and_instructions(server: Server) -> None:
    body = {
        "model": "echo",
        "instructions": "Be brief.",
        "input": [
            {"type": "reasoning", "summary": []},
            {"role": "user", "content": [{"type": "input_text", "text": "Hello"}]},
        ],
        "text": {"format": {"type": "json_object"}},
    }
    answer = ask(server.port, "/v1/responses", body).json
    assert orjson.loads(answer["output"][0]["content"][0]["text"]) == {"echo": "Hello"}


def test_gemini_takes_json_without_a_schema(server: Server) -> None:
    body = {
        "contents": [{"role": "user", "parts": [{"text": "Hello"}]}],
        "systemInstruction": {"parts": [{"text": "s"}]},
        "generationConfig": {"responseMimeType": "application/json"},
    }
    answer = ask(server.port, "/v1beta/models/echo:generateContent", body).json
    assert orjson.loads(answer["candidates"][0]["content"]["parts"][0]["text"]) == {"echo": "Hello"}
