from __future__ import annotations

from typing import Any

import orjson
import pydantic
import pytest

from dspx.lm.request import Request
from dspx.lm.response import Output
from dspx.testing.models.base import Model, count_tokens, schema_asked, tokens_of, tool_call, usage_of
from dspx.testing.models.echo import Echo

TOOLS: list[dict[str, Any]] = [
    {
        "type": "function",
        "function": {
            "name": "look",
            "parameters": {"type": "object", "properties": {"q": {"type": "string"}}},
        },
    },
    {"type": "function", "function": {"name": "stop"}},
]


def request(messages: list[dict[str, Any]] | None = None, **params: Any) -> Request:
    return Request("m", messages or [{"role": "user", "content": "Find it"}], params)


def called(**params: Any) -> tuple[str, Any] | None:
    output = tool_call(request(tools=TOOLS, **params))
    if output is None:
        return None
    assert output.finish_reason == "tool_calls"
    return output.tool_calls[0].name, orjson.loads(output.tool_calls[0].arguments)


def test_the_first_tool_is_called_with_valid_arguments() -> None:
    assert called() == ("look", {"q": "sample q"})


@pytest.mark.parametrize(
    "choice", [{"type": "function", "function": {"name": "stop"}}, {"type": "function", "name": "stop"}]
)
def test_the_chosen_tool_is_called(choice: Any) -> None:
    assert called(tool_choice=choice) == ("stop", {})


def test_none_means_no_call() -> None:
    assert called(tool_choice="none") is None
    assert tool_call(request()) is None


def test_after_a_tool_has_answered_only_a_required_call_follows() -> None:
    messages = [{"role": "user", "content": "Find it"}, {"role": "tool", "content": "found"}]
    assert tool_call(request(messages, tools=TOOLS)) is None
    assert tool_call(request(messages, tools=TOOLS, tool_choice="required")) is not None


def test_the_schema_asked_for_may_be_a_class() -> None:
    class Answer(pydantic.BaseModel):
        x: int

    asked = schema_asked(request(response_format=Answer))
    assert asked is not None
    assert asked["properties"]["x"]["type"] == "integer"


@pytest.mark.parametrize("text", ["", "one", " two  words ", "a\n\nb\tc", "  "])
def test_tokens_joined_are_the_text(text: str) -> None:
    assert "".join(tokens_of(text)) == text


def test_usage_counts_both_directions() -> None:
    usage = usage_of(request(), [Output("12345678")])
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (2, 2, 4)
    assert count_tokens("") == 0


def test_the_models_are_models() -> None:
    assert isinstance(Echo(), Model)
