"""Answers of a scripted model that acts."""

from __future__ import annotations

import json
from typing import Any

from dspx.lm.response import Output, ToolCall


def step(tool: str, thought: str = "Go on.", **args: Any) -> str:
    """A step of ReAct, as the chat adapter reads it."""
    return (
        f"[[ ## next_thought ## ]]\n{thought}\n\n[[ ## next_tool_name ## ]]\n{tool}\n\n"
        f"[[ ## next_tool_args ## ]]\n{json.dumps(args)}\n\n[[ ## completed ## ]]"
    )


def fields(**values: Any) -> str:
    """Outputs, as the chat adapter reads them."""
    parts = [f"[[ ## {name} ## ]]\n{value}" for name, value in values.items()]
    return "\n\n".join([*parts, "[[ ## completed ## ]]"])


def answer(text: str = "done") -> str:
    """What the extraction of `question -> answer` reads."""
    return fields(reasoning="So.", answer=text)


def turn(*calls: tuple[str, dict[str, Any]], thought: str = "Go on.", ids: bool = True) -> Output:
    """A turn of ReActV2 by a model that calls tools natively."""
    made = tuple(
        ToolCall(f"c{number}" if ids else None, name, json.dumps(args))
        for number, (name, args) in enumerate(calls)
    )
    return Output(fields(next_thought=thought), tool_calls=made)


def written(*calls: tuple[str, dict[str, Any]], thought: str = "Go on.") -> str:
    """The same turn by a model that writes its calls as text."""
    made = [{"name": name, "args": args} for name, args in calls]
    return fields(next_thought=thought, tool_calls=json.dumps({"tool_calls": made}))
