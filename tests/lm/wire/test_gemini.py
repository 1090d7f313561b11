"""Gemini generateContent: requests, answers, streams."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dspx.errors import LMInvalidRequestError, LMRateLimitError, LMStreamAssemblyError, LMUnexpectedError
from dspx.lm.request import Request
from dspx.lm.response import Output, ToolCall
from dspx.lm.usage import Usage
from dspx.lm.wire.gemini import GeminiGenerateContent

WIRE = GeminiGenerateContent()
MODEL = "gemini/gemini-2.5-flash"
REQUEST = Request(MODEL, [{"role": "user", "content": "hi"}])
TOOLS = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}]


def feed(assembler: Any, *events: Any) -> list[Any]:
    return [delta for event in events for delta in assembler.feed(None, orjson.dumps(event).decode())]


# ---------------------------------------------------------------- requests


def test_the_whole_conversation_as_gemini_wants_it(encode: Any, golden: Any, conversation: Any):
    messages, params = conversation
    call, body = encode(MODEL, messages, **params)
    assert (
        call.url == "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:generateContent"
    )
    assert call.headers["x-goog-api-key"] == "gm-secret"
    golden("gemini", body)


def test_streams_have_their_own_address(encode: Any):
    call, _ = encode("gemini/tunedModels/mine", stream=True)
    assert call.url.endswith("/v1beta/tunedModels/mine:streamGenerateContent?alt=sse")


def test_parameters_have_their_names_here(encode: Any):
    _, body = encode(
        MODEL,
        top_k=3,
        stop=["x"],
        n=2,
        seed=1,
        presence_penalty=0.5,
        frequency_penalty=0.25,
        logprobs=True,
        top_logprobs=2,
        response_format={"type": "json_object"},
        safety_settings=[{"category": "A"}],
    )
    assert body["generationConfig"] == {
        "topK": 3,
        "candidateCount": 2,
        "seed": 1,
        "presencePenalty": 0.5,
        "frequencyPenalty": 0.25,
        "stopSequences": ["x"],
        "responseLogprobs": True,
        "logprobs": 2,
        "responseMimeType": "application/json",
    }
    assert body["safetySettings"] == [{"category": "A"}]


@pytest.mark.parametrize(
    ("model", "effort", "config"),
    [
        (MODEL, "low", {"thinkingBudget": 2_048, "includeThoughts": True}),
        (MODEL, "none", {"thinkingBudget": 0}),
        (MODEL, 512, {"thinkingBudget": 512, "includeThoughts": True}),
        ("gemini/gemini-3.8-flash", "low", {"thinkingLevel": "low", "includeThoughts": True}),
        ("gemini/gemini-3.8-flash", "max", {"thinkingLevel": "high", "includeThoughts": True}),
        ("gemini/gemini-3.8-flash", "none", {"thinkingLevel": "minimal", "includeThoughts": False}),
    ],
)
def test_an_effort_is_a_budget_or_a_level(encode: Any, model: str, effort: Any, config: dict[str, Any]):
    assert encode(model, reasoning_effort=effort)[1]["generationConfig"]["thinkingConfig"] == config


@pytest.mark.parametrize(
    ("choice", "sent"),
    [
        ("auto", {"mode": "AUTO"}),
        ("required", {"mode": "ANY"}),
        ("none", {"mode": "NONE"}),
        ({"type": "function", "function": {"name": "f"}}, {"mode": "ANY", "allowedFunctionNames": ["f"]}),
    ],
)
def test_a_choice_of_tools_is_translated(encode: Any, choice: Any, sent: dict[str, Any]):
    _, body = encode(MODEL, tools=[*TOOLS, {"googleSearch": {}}], tool_choice=choice)
    assert body["toolConfig"] == {"functionCallingConfig": sent}
    assert body["tools"] == [{"functionDeclarations": [{"name": "f"}]}, {"googleSearch": {}}]


def test_sounds_and_files_are_sent_inline(encode: Any):
    content = [
        {"type": "input_audio", "input_audio": {"data": "AA", "format": "mp3"}},
        {"type": "file", "file": {"file_id": "https://files/f1", "format": "application/pdf"}},
    ]
    _, body = encode(MODEL, [{"role": "user", "content": content}])
    assert body["contents"][0]["parts"] == [
        {"inlineData": {"mimeType": "audio/mp3", "data": "AA"}},
        {"fileData": {"fileUri": "https://files/f1", "mimeType": "application/pdf"}},
    ]


def test_signatures_are_sent_back_on_their_calls(encode: Any):
    parts = [
        {"text": "so", "thoughtSignature": "sig0"},
        {"functionCall": {"name": "f", "args": {"a": 1}}, "thoughtSignature": "sig1"},
        {"functionCall": {"name": "g", "args": {}}},
    ]
    message = (
        WIRE.decode({"candidates": [{"content": {"parts": parts}, "finishReason": "STOP"}]}, REQUEST)
        .outputs[0]
        .to_message()
    )
    results = [{"role": "tool", "tool_call_id": f"call_{place}", "content": "r"} for place in (0, 1)]
    _, body = encode("gemini/gemini-3.8-flash", [{"role": "user", "content": "q"}, message, *results])
    assert body["contents"][1] == {"role": "model", "parts": parts}
    assert [part["functionResponse"]["name"] for part in body["contents"][2]["parts"]] == ["f", "g"]


def test_calls_of_another_models_get_the_word_that_google_documents(encode: Any):
    calls = [{"id": "x", "type": "function", "function": {"name": "f", "arguments": "{}"}}]
    _, body = encode("gemini/gemini-3.8-flash", [{"role": "assistant", "content": None, "tool_calls": calls}])
    assert body["contents"][0]["parts"][0]["thoughtSignature"] == "skip_thought_signature_validator"


# ---------------------------------------------------------------- answers

BODY: dict[str, Any] = {
    "candidates": [
        {
            "index": 0,
            "content": {
                "role": "model",
                "parts": [
                    {"text": "hm", "thought": True},
                    {"text": "Hello"},
                    {"functionCall": {"name": "f", "args": {"a": 1}}},
                    {"functionCall": {"id": "own", "name": "g"}, "thoughtSignature": "s"},
                ],
            },
            "finishReason": "STOP",
            "logprobsResult": {
                "chosenCandidates": [{"token": "a", "logProbability": -0.5}],
                "topCandidates": [{"candidates": [{"token": "b", "logProbability": -1.5}]}],
            },
            "groundingMetadata": {"groundingChunks": [{"web": {"uri": "https://x", "title": "X"}}]},
        }
    ],
    "usageMetadata": {
        "promptTokenCount": 10,
        "candidatesTokenCount": 5,
        "thoughtsTokenCount": 2,
        "cachedContentTokenCount": 4,
        "totalTokenCount": 17,
    },
    "modelVersion": "gemini-2.5-flash-x",
    "responseId": "r1",
}


def test_an_answer_with_everything():
    response = WIRE.decode(BODY, REQUEST)
    assert response.outputs == (
        Output(
            text="Hello",
            reasoning="hm",
            tool_calls=(ToolCall("call_0", "f", '{"a":1}'), ToolCall("own", "g", "{}")),
            logprobs={
                "content": [
                    {"token": "a", "logprob": -0.5, "top_logprobs": [{"token": "b", "logprob": -1.5}]}
                ]
            },
            citations=({"type": "url_citation", "url": "https://x", "title": "X"},),
            finish_reason="tool_calls",
            thinking=({"type": "thought_signature", "signature": "s", "tool_call_id": "own"},),
        ),
    )
    assert response.usage == Usage(10, 7, 17, 4, 2)
    assert (response.model, response.id) == ("gemini-2.5-flash-x", "r1")


@pytest.mark.parametrize(
    ("reason", "meaning"),
    [("STOP", "stop"), ("MAX_TOKENS", "length"), ("SAFETY", "content_filter"), ("OTHER", "other")],
)
def test_reasons_have_openais_names(reason: str, meaning: str):
    assert WIRE.decode({"candidates": [{"finishReason": reason}]}, REQUEST).outputs == (
        Output("", finish_reason=meaning),
    )


def test_a_refused_prompt_is_an_error_with_the_reason():
    with pytest.raises(LMInvalidRequestError, match="PROHIBITED_CONTENT"):
        WIRE.decode({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}}, REQUEST)


def test_no_candidates_and_no_reason_is_not_an_answer():
    with pytest.raises(LMUnexpectedError, match="candidates"):
        WIRE.decode({"usageMetadata": {}}, REQUEST)


# ---------------------------------------------------------------- streams

words = st.text(min_size=1, max_size=12)
parts = st.lists(
    st.one_of(
        st.builds(lambda text: {"text": text}, words),
        st.builds(lambda text: {"text": text, "thought": True}, words),
        st.builds(lambda name, value: {"functionCall": {"name": name, "args": {"a": value}}}, words, words),
    ),
    min_size=1,
    max_size=5,
)


@given(parts, st.integers(1, 5))
def test_any_cut_of_a_stream_gives_the_response_that_comes_whole(whole: list[dict[str, Any]], step: int):
    pieces: list[dict[str, Any]] = []
    for part in whole:
        text = part.get("text")
        if text is None:
            pieces.append(part)
        else:
            pieces += [{**part, "text": text[start : start + step]} for start in range(0, len(text), step)]
    body = {**BODY, "candidates": [{"index": 0, "content": {"parts": whole}, "finishReason": "STOP"}]}
    events = [
        {
            "candidates": [{"content": {"role": "model", "parts": [piece]}, "index": 0}],
            "usageMetadata": {"promptTokenCount": 10},
        }
        for piece in pieces
    ]
    events.append({**BODY, "candidates": [{"index": 0, "finishReason": "STOP"}]})
    assembler = WIRE.assembler(REQUEST)
    deltas = feed(assembler, *events)
    response = assembler.finish()
    assert response == WIRE.decode(body, REQUEST)
    assert "".join(delta.text for delta in deltas if delta.kind == "text") == (response.text or "")
    told = [ToolCall(d.payload["id"], d.payload["name"], d.text) for d in deltas if d.kind == "tool_call"]
    assert tuple(told) == response.outputs[0].tool_calls


def test_logprobs_of_a_stream_follow_each_other():
    def event(token: str, reason: str | None) -> dict[str, Any]:
        result = {"chosenCandidates": [{"token": token, "logProbability": -1.0}]}
        candidate = {
            "content": {"parts": [{"text": token}]},
            "logprobsResult": result,
            "finishReason": reason,
        }
        return {"candidates": [candidate]}

    assembler = WIRE.assembler(REQUEST)
    feed(assembler, event("a", None), event("b", "STOP"))
    assert [step["token"] for step in assembler.finish().outputs[0].logprobs["content"]] == ["a", "b"]


def test_a_stream_that_breaks_off_keeps_what_had_come():
    assembler = WIRE.assembler(REQUEST)
    feed(assembler, {"candidates": [{"content": {"parts": [{"text": "Hel"}]}}]})
    with pytest.raises(LMStreamAssemblyError) as caught:
        assembler.finish()
    assert caught.value.partial.text == "Hel"


def test_a_prompt_refused_in_a_stream_is_an_error():
    assembler = WIRE.assembler(REQUEST)
    feed(assembler, {"promptFeedback": {"blockReason": "SAFETY"}})
    with pytest.raises(LMInvalidRequestError, match="SAFETY"):
        assembler.finish()


def test_an_error_in_the_stream_is_raised():
    error = {"error": {"code": 429, "message": "slow", "status": "RESOURCE_EXHAUSTED"}}
    with pytest.raises(LMRateLimitError):
        feed(WIRE.assembler(REQUEST), error)
