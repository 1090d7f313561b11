"""Anthropic Messages."""

from __future__ import annotations

from typing import Any

import orjson

from dspx.lm.request import Request
from dspx.lm.response import Output
from dspx.testing.server.wires.base import Answered, event, pieces, renamed, text_in

_NAMES = {
    "max_tokens": "max_tokens",
    "temperature": "temperature",
    "top_p": "top_p",
    "stop_sequences": "stop",
}
_CHOICES = {"any": "required", "auto": "auto", "none": "none"}
_REASONS = {"length": "max_tokens", "tool_calls": "tool_use", "content_filter": "refusal"}
_KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    404: "not_found_error",
    429: "rate_limit_error",
    529: "overloaded_error",
}


class AnthropicWire:
    """POST /v1/messages."""

    def read(self, body: dict[str, Any], target: str) -> Request:
        messages = [part for message in body["messages"] for part in _messages(message)]
        if body.get("system"):
            messages.insert(0, {"role": "system", "content": text_in(body["system"])})
        params = renamed(body, _NAMES)
        if body.get("tools"):
            params["tools"] = [_tool(tool) for tool in body["tools"]]
        choice = body.get("tool_choice")
        if choice:
            named = {"type": "function", "function": {"name": choice.get("name")}}
            params["tool_choice"] = _CHOICES.get(choice["type"], named)
        form = (body.get("output_config") or {}).get("format")
        if form and form.get("type") == "json_schema":
            params["response_format"] = {"type": "json_schema", "json_schema": form}
        return Request(body.get("model", ""), messages, params, stream=bool(body.get("stream")))

    def write(self, answered: Answered) -> dict[str, Any]:
        output = answered.outputs[0]
        return {
            **_head(answered),
            "content": _blocks(output),
            "stop_reason": _REASONS.get(output.finish_reason or "", "end_turn"),
            "stop_sequence": None,
            "usage": {
                "input_tokens": answered.usage.prompt_tokens,
                "output_tokens": answered.usage.completion_tokens,
            },
        }

    def events(self, answered: Answered) -> list[bytes]:
        whole = self.write(answered)
        sent = {"input_tokens": answered.usage.prompt_tokens, "output_tokens": 0}
        opening = {**_head(answered), "content": [], "stop_reason": None, "usage": sent}
        made = [_event("message_start", message=opening), _event("ping")]
        for place, block in enumerate(whole["content"]):
            made.append(_event("content_block_start", index=place, content_block=_emptied(block)))
            made += [_event("content_block_delta", index=place, delta=delta) for delta in _deltas(block)]
            made.append(_event("content_block_stop", index=place))
        end = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
        made.append(
            _event("message_delta", delta=end, usage={"output_tokens": answered.usage.completion_tokens})
        )
        made.append(_event("message_stop"))
        return made

    def error(self, status: int, message: str, kind: str) -> dict[str, Any]:
        return {"type": "error", "error": {"type": _KINDS.get(status, "api_error"), "message": message}}


def _messages(message: dict[str, Any]) -> list[dict[str, Any]]:
    """One turn; the results of tools in it become messages of their own."""
    content = message["content"]
    if isinstance(content, str):
        return [{"role": message["role"], "content": content}]
    made: list[dict[str, Any]] = [
        {"role": "tool", "tool_call_id": block["tool_use_id"], "content": text_in(block.get("content"))}
        for block in content
        if block.get("type") == "tool_result"
    ]
    calls = [
        {
            "id": block["id"],
            "type": "function",
            "function": {"name": block["name"], "arguments": orjson.dumps(block["input"]).decode()},
        }
        for block in content
        if block.get("type") == "tool_use"
    ]
    text = text_in([block for block in content if block.get("type") == "text"])
    if text or calls or not made:
        turn: dict[str, Any] = {"role": message["role"], "content": text}
        made.append({**turn, "tool_calls": calls} if calls else turn)
    return made


def _tool(tool: dict[str, Any]) -> dict[str, Any]:
    function = {"name": tool["name"], "parameters": tool.get("input_schema") or {"type": "object"}}
    return {"type": "function", "function": function}


def _head(answered: Answered) -> dict[str, Any]:
    return {"id": f"msg_{answered.number}", "type": "message", "role": "assistant", "model": answered.model}


def _blocks(output: Output) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = []
    if output.reasoning:
        blocks.append({"type": "thinking", "thinking": output.reasoning, "signature": "unsigned"})
    if output.text is not None:
        blocks.append({"type": "text", "text": output.text})
    blocks += [
        {"type": "tool_use", "id": call.id, "name": call.name, "input": orjson.loads(call.arguments or "{}")}
        for call in output.tool_calls
    ]
    return blocks


def _emptied(block: dict[str, Any]) -> dict[str, Any]:
    if block["type"] == "text":
        return {"type": "text", "text": ""}
    if block["type"] == "thinking":
        return {"type": "thinking", "thinking": ""}
    return {**block, "input": {}}


def _deltas(block: dict[str, Any]) -> list[dict[str, Any]]:
    if block["type"] == "text":
        return [{"type": "text_delta", "text": piece} for piece in pieces(block["text"])]
    if block["type"] == "thinking":
        thoughts = [{"type": "thinking_delta", "thinking": piece} for piece in pieces(block["thinking"])]
        return [*thoughts, {"type": "signature_delta", "signature": block["signature"]}]
    written = orjson.dumps(block["input"]).decode()
    return [
        {"type": "input_json_delta", "partial_json": written[start : start + 12]}
        for start in range(0, len(written), 12)
    ]


def _event(name: str, **data: Any) -> bytes:
    return event({"type": name, **data}, name)
