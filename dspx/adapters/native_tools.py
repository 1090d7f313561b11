"""Tools offered to a model that calls them natively, its calls read back, and calls of earlier turns as messages."""

from __future__ import annotations

import typing
from collections.abc import Mapping
from typing import Any

from dspx.adapters.render import content_types, is_content, is_content_subclass, loaded_content, value_text
from dspx.core.fields import InputField, OutputField
from dspx.core.signature import make_signature
from dspx.errors import AdapterParseError

Message = dict[str, Any]


def prepared(adapter: Any, lm: Any, signature: Any, inputs: Mapping[str, Any], params: dict[str, Any]) -> Any:
    """The signature as the prompt says it. Where `lm` calls tools natively, that is without the tools and their
    calls, and `params` offer the tools instead."""
    fields = fields_of(signature)
    if fields is None:
        return signature
    tools_field, tool_type, calls_field = fields
    tools = tool_type.offered(inputs.get(tools_field))
    if not (
        tools and adapter.use_native_function_calling and getattr(lm, "supports_function_calling", False)
    ):
        for name in ("tool_choice", "parallel_tool_calls"):
            params.pop(name, None)  # nothing to choose from
        return signature
    params["tools"] = [tool.format_as_litellm_function_call() for tool in tools]
    if adapter.parallel_tool_calls is not None:
        params["parallel_tool_calls"] = adapter.parallel_tool_calls
        params.setdefault("tool_choice", "auto")
    asked = signature.__plans__.get("without_tools")
    if asked is None:
        asked = signature.__plans__["without_tools"] = signature.delete(tools_field).delete(calls_field)
    return asked


def note_what_is_left(signature: Any, asked: Any) -> None:
    """Remember where nothing is left to be answered in text: the prompt then asks for no text."""
    if not asked.output_fields and (signature.output_fields or is_answered_natively(signature)):
        asked.__plans__["answered_natively"] = True


def is_answered_natively(signature: Any) -> bool:
    """Whether a model answers this by calling tools or by its own reasoning, and by nothing else."""
    return "answered_natively" in signature.__plans__


def called(signature: Any, asked: Any, output: Any) -> dict[str, Any]:
    """The calls that came natively, by the field they are for. `AdapterParseError` where they cannot be read."""
    fields = fields_of(signature)
    if fields is None or fields[2] in asked.fields or not output.tool_calls:
        return {}
    calls = [call.to_openai() for call in output.tool_calls]
    try:
        return {fields[2]: signature.fields[fields[2]].annotation.model_validate(calls)}
    except ValueError as error:
        text = "\n".join(f"{call.name}({call.arguments})" for call in output.tool_calls)
        reason = f"The arguments of a tool call could not be read: {error}"
        raise AdapterParseError("native tool calling", signature, text, reason) from error


def fields_of(signature: Any) -> tuple[str, Any, str] | None:
    """The field with the tools, their type, and the field for their calls; None where there are no such two."""
    plans = signature.__plans__
    if "tool_fields" not in plans:
        plans["tool_fields"] = _find_fields(signature)
    return plans["tool_fields"]


def _find_fields(signature: Any) -> tuple[str, Any, str] | None:
    calls = next(
        (
            name
            for name, field in signature.output_fields.items()
            if is_content(field.annotation, "tool_calls", "ToolCalls")
        ),
        None,
    )
    if calls is None:
        return None
    for name, field in signature.input_fields.items():
        for type_ in content_types(field.annotation):
            if is_content_subclass(type_, "tool_calls", "ToolType"):
                return name, type_, calls
    return None


# ---------------------------------------------------------------- calls of earlier turns


def calls_in(turn: Mapping[str, Any]) -> tuple[str, Any] | None:
    """The field of a turn that holds tool calls, and the calls; None where there is none."""
    cls = loaded_content("tool_calls", "ToolCalls")
    if cls is None:
        return None
    for name, value in turn.items():
        if isinstance(value, cls):
            return name, value
        if isinstance(value, dict) and "tool_calls" in value and "tool_call_results" in value:
            return name, cls.model_validate(value)
    return None


def messages_of(
    adapter: Any, signature: Any, turn: Mapping[str, Any], name: str, calls: Any
) -> list[Message]:
    """An assistant's turn with tool calls, and their results: as text where the prompt has the field of the
    calls, else as a model that calls tools natively writes it."""
    results = calls.tool_call_results
    if name in signature.fields:
        said = {**turn, name: calls.model_copy(update={"tool_call_results": None})}
        message = {"role": "assistant", "content": adapter.format_assistant_message_content(signature, said)}
        return [message, *_results_as_text(adapter, results)]
    outputs = [field for field in signature.output_fields if turn.get(field) is not None]
    content = adapter.format_assistant_message_content(signature, turn) if outputs else None
    if not calls.answered:
        spoken = [{"role": "assistant", "content": content}] if content else []
        return [*spoken, *_results_as_text(adapter, results)]
    asked = {
        "role": "assistant",
        "content": content,
        "tool_calls": [call.to_openai() for call in calls.tool_calls],
    }
    return [asked, *(_result_message(result) for result in results.tool_call_results)]


def _result_message(result: Any) -> Message:
    return {
        "role": "tool",
        "tool_call_id": result.call_id,
        "name": result.name,
        "content": value_text(result.value),
    }


def _results_as_text(adapter: Any, results: Any) -> list[Message]:
    if results is None:
        return []
    content = adapter.format_user_message_content(_results_signature(), {"tool_call_results": results})
    return [{"role": "user", "content": content}]


_kept_signature: Any = None


def _results_signature() -> Any:
    global _kept_signature
    if _kept_signature is None:
        annotation: Any = typing.Any
        _kept_signature = make_signature(
            {"tool_call_results": (annotation, InputField()), "answer": (str, OutputField())}
        )
    return _kept_signature
