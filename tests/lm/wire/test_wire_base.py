"""What the wires share: bodies that cannot be read, requests that cannot be written, no secret in sight."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dspx.errors import LMError, LMUnexpectedError, UsageError
from dspx.lm.request import Request
from dspx.lm.response import Response
from dspx.lm.wire import WIRES
from dspx.lm.wire.base import parse_body

REQUEST = Request("openai/gpt-4o-mini", [{"role": "user", "content": "hi"}])


@pytest.mark.parametrize("body", [b'{"choices": [{"mess', b"", b"   "])
def test_a_body_cut_off_may_be_asked_for_again(body: bytes):
    with pytest.raises(LMUnexpectedError) as caught:
        parse_body(body, REQUEST)
    assert caught.value.retryable


def test_a_body_that_is_no_json_shows_its_first_words():
    with pytest.raises(LMUnexpectedError, match="<html> Bad Gateway") as caught:
        parse_body(b"<html>\n  Bad Gateway" + b"x" * 5000, REQUEST)
    assert len(str(caught.value)) < 500
    assert caught.value.model == "openai/gpt-4o-mini"


def test_a_body_that_is_no_object_will_not_get_better():
    with pytest.raises(LMUnexpectedError, match="list") as caught:
        parse_body(b"[1]", REQUEST)
    assert not caught.value.retryable


def test_what_pythons_own_reader_takes_is_taken():
    assert parse_body(b'{"a": NaN, "b": -Infinity, "c": "\\ud83d!"}', REQUEST) == {
        "a": None,
        "b": None,
        "c": "?!",
    }


WORDS = [
    *(
        "choices",
        "message",
        "content",
        "text",
        "type",
        "tool_calls",
        "function",
        "usage",
        "output",
        "candidates",
    ),
    *(
        "parts",
        "delta",
        "index",
        "error",
        "reasoning",
        "stop_reason",
        "functionCall",
        "summary",
        "annotations",
    ),
]


def outcome(make: Callable[[], Response]) -> type:
    """What came of it; any other exception than an LMError goes through."""
    try:
        return type(make())
    except LMError:
        return LMError


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(0, 9) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(WORDS), json_values, max_size=4), st.sampled_from(sorted(WIRES)))
def test_any_object_is_a_response_or_an_lm_error(body: dict[str, Any], wire: str):
    assert outcome(lambda: WIRES[wire].decode(body, REQUEST)) in (Response, LMError)


@given(
    st.lists(st.dictionaries(st.sampled_from(WORDS), json_values, max_size=4), max_size=4),
    st.sampled_from(sorted(WIRES)),
)
def test_any_stream_is_a_response_or_an_lm_error(events: list[dict[str, Any]], wire: str):
    assembler = WIRES[wire].assembler(REQUEST)

    def whole() -> Response:
        for event in events:
            assembler.feed(None, orjson.dumps(event).decode())
        return assembler.finish()

    assert outcome(whole) in (Response, LMError)


def test_half_a_surrogate_pair_is_refused_with_a_remedy(encode: Any):
    with pytest.raises(UsageError, match="surrogate"):
        encode("openai/gpt-4o-mini", [{"role": "user", "content": "\ud83d"}])


def test_a_parameter_that_is_no_json_is_named(encode: Any):
    with pytest.raises(UsageError, match="not JSON serializable: object"):
        encode("openai/gpt-4o-mini", metadata={"x": object()})


def test_the_key_is_in_the_call_but_not_in_its_repr(encode: Any):
    call, _ = encode("openai/gpt-4o-mini")
    assert call.headers["authorization"] == "Bearer sk-openai-secret"
    assert call.headers["content-type"] == "application/json"
    assert "secret" not in repr(call)


def test_extra_headers_and_body_are_merged_in(encode: Any):
    call, body = encode("openai/gpt-4o-mini", extra_headers={"X-Trace": "1"}, extra_body={"top_k": 3})
    assert call.headers["x-trace"] == "1"
    assert body["top_k"] == 3
    assert "extra_body" not in body
    assert "extra_headers" not in body


def test_encoding_changes_nothing_of_the_request(encode: Any, conversation: Any):
    import copy

    messages, params = conversation
    before = copy.deepcopy((messages, params))
    for model in ("openai/gpt-4o", "anthropic/claude-sonnet-4-5", "gemini/gemini-2.5-flash"):
        encode(model, messages, prompt_cache=True, **params)
    encode("openai/gpt-4o", messages, model_type="responses", **params)
    assert (messages, params) == before
