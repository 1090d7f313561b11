"""What a test model is: a request in, one completion out. And what all of them do alike."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import orjson

from dspx.lm.request import Request
from dspx.lm.response import Output, ToolCall
from dspx.lm.usage import Usage
from dspx.testing.jsonvalues import value_for
from dspx.testing.prompt.reading import text_of


@runtime_checkable
class Model(Protocol):
    """Answers requests. `index` counts the completions of one request (`n`)."""

    def answer(self, request: Request, index: int = 0) -> Any: ...


def schema_asked(request: Request) -> Mapping[str, Any] | None:
    """The JSON schema of `response_format`; an empty one where any JSON object will do; None where none is asked."""
    form = request.params.get("response_format")
    if form is None:
        return None
    if isinstance(form, type):
        return form.model_json_schema()  # type: ignore[attr-defined]
    kind = form.get("type")
    if kind == "json_schema":
        return form["json_schema"].get("schema") or {}
    return {} if kind == "json_object" else None


def tool_call(request: Request) -> Output | None:
    """The call of a tool that the request asks for: the tool chosen, or the first one where tools may be used.

    Once a tool has answered, a model that was left the choice calls no more.
    """
    tools = [tool.get("function") or tool for tool in request.params.get("tools") or ()]
    choice = request.params.get("tool_choice", "auto")
    if not tools or choice == "none":
        return None
    if isinstance(choice, Mapping):
        name = (choice.get("function") or choice).get("name")
        tools = [tool for tool in tools if tool.get("name") == name] or tools
    elif choice != "required" and any(message.get("role") == "tool" for message in request.messages):
        return None
    tool = tools[0]
    arguments = value_for(tool.get("parameters") or {"type": "object"}, tool["name"])
    call = ToolCall(f"call_{tool['name']}", tool["name"], orjson.dumps(arguments).decode())
    return Output(text=None, tool_calls=(call,), finish_reason="tool_calls")


def last_text(request: Request) -> str:
    """The last user message, or whatever came last."""
    for message in reversed(request.messages):
        if message.get("role") == "user":
            return text_of(message)
    return text_of(request.messages[-1]) if request.messages else ""


_TOKEN = re.compile(r"\s*\S+|\s+$")


def tokens_of(text: str) -> list[str]:
    """A text in pieces of a word each; joined they are the text."""
    return _TOKEN.findall(text)


def count_tokens(text: str) -> int:
    """Four characters to a token, as a rule of thumb says: quick, and the same everywhere."""
    return (len(text) + 3) // 4


def usage_of(request: Request, outputs: list[Output]) -> Usage:
    """What the request and its answers would be charged for."""
    sent = sum(count_tokens(text_of(message)) for message in request.messages)
    made = sum(
        count_tokens(output.text or "") + sum(count_tokens(call.arguments) for call in output.tool_calls)
        for output in outputs
    )
    return Usage(sent, made, sent + made)
