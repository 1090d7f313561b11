"""Legacy text completions."""

from __future__ import annotations

from typing import Any

import pytest

from dspx.errors import LMUnsupportedFeatureError
from dspx.lm.request import Request
from dspx.lm.response import Output
from dspx.lm.wire.openai_text import OpenAIText

WIRE = OpenAIText()
REQUEST = Request("openai/gpt-3.5-turbo-instruct", [])


def test_messages_become_one_prompt(encode: Any):
    messages = [{"role": "system", "content": "S"}, {"role": "user", "content": "U"}]
    call, body = encode(
        "openai/gpt-3.5-turbo-instruct", messages, model_type="text", max_completion_tokens=9, stop=["x"]
    )
    assert call.url == "https://api.openai.com/v1/completions"
    assert body == {
        "model": "gpt-3.5-turbo-instruct",
        "prompt": "S\n\nU\n\nBEGIN RESPONSE:",
        "max_tokens": 9,
        "stop": ["x"],
    }


def test_logprobs_are_a_number_here(encode: Any):
    assert encode("openai/x", model_type="text", logprobs=True, top_logprobs=3)[1]["logprobs"] == 3
    assert encode("openai/x", model_type="text", logprobs=True)[1]["logprobs"] == 1


def test_tools_are_refused(encode: Any):
    with pytest.raises(LMUnsupportedFeatureError, match="tools"):
        encode("openai/x", model_type="text", tools=[{"type": "function", "function": {"name": "f"}}])


def test_an_answer_is_its_text():
    body = {"choices": [{"text": "yo", "finish_reason": "stop"}, {"text": "", "finish_reason": "length"}]}
    assert WIRE.decode(body, REQUEST).outputs == (
        Output("yo", finish_reason="stop"),
        Output("", finish_reason="length"),
    )


def test_a_stream_of_texts_is_put_together():
    assembler = WIRE.assembler(REQUEST)
    deltas = assembler.feed(None, '{"choices": [{"text": "y", "index": 0, "finish_reason": null}]}')
    deltas += assembler.feed(None, '{"choices": [{"text": "o", "index": 0, "finish_reason": "stop"}]}')
    assert [delta.text for delta in deltas] == ["y", "o"]
    assert assembler.finish().outputs == (Output("yo", finish_reason="stop"),)
