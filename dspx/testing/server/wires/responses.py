"""OpenAI Responses."""

from __future__ import annotations

from typing import Any

from dspx.lm.request import Request
from dspx.lm.response import Output
from dspx.testing.server.wires.base import Answered, event, openai_error, pieces, renamed, text_in

_NAMES = {
    "temperature": "temperature",
    "top_p": "top_p",
    "max_output_tokens": "max_tokens",
    "tool_choice": "tool_choice",
    "parallel_tool_calls": "parallel_tool_calls",
    "top_logprobs": "top_logprobs",
    "user": "user",
}


class ResponsesWire:
    """POST /v1/responses."""

    def read(self, body: dict[str, Any], target: str) -> Request:
        given = body["input"]
        items: list[dict[str, Any]] = (
            [{"role": "user", "content": given}] if isinstance(given, str) else given
        )
        messages = [_message(item) for item in items]
        if body.get("instructions"):
            messages.insert(0, {"role": "system", "content": body["instructions"]})
        params = renamed(body, _NAMES)
        if body.get("tools"):
            params["tools"] = [{"type": "function", "function": tool} for tool in body["tools"]]
        form = (body.get("text") or {}).get("format")
        if form and form.get("type") == "json_schema":
            params["response_format"] = {"type": "json_schema", "json_schema": form}
        elif form:
            params["response_format"] = form
        return Request(body.get("model", ""), messages, params, stream=bool(body.get("stream")))

    def write(self, answered: Answered) -> dict[str, Any]:
        output = answered.outputs[0]
        body = {**_head(answered), "status": "completed", "output": _items(output), "usage": _usage(answered)}
        if output.finish_reason == "length":
            body |= {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}
        return body

    def events(self, answered: Answered) -> list[bytes]:
        made = [
            _event("response.created", response={**_head(answered), "status": "in_progress", "output": []})
        ]
        for place, item in enumerate(_items(answered.outputs[0])):
            opening = {**item, "status": "in_progress"}
            for emptied in ("content", "summary"):
                if emptied in item:
                    opening[emptied] = []
            if "arguments" in item:
                opening["arguments"] = ""
            made.append(_event("response.output_item.added", output_index=place, item=opening))
            made += _deltas(place, item)
            made.append(_event("response.output_item.done", output_index=place, item=item))
        whole = self.write(answered)
        made.append(_event(f"response.{whole['status']}", response=whole))
        return made

    def error(self, status: int, message: str, kind: str) -> dict[str, Any]:
        return openai_error(status, message, kind)


def _message(item: dict[str, Any]) -> dict[str, Any]:
    kind = item.get("type")
    if kind == "function_call_output":
        return {"role": "tool", "tool_call_id": item.get("call_id"), "content": text_in(item.get("output"))}
    if kind == "function_call":
        call = {"name": item["name"], "arguments": item.get("arguments", "")}
        whole = {"id": item.get("call_id"), "type": "function", "function": call}
        return {"role": "assistant", "content": None, "tool_calls": [whole]}
    if kind == "reasoning":
        return {"role": "assistant", "content": ""}
    return {"role": item["role"], "content": text_in(item.get("content"))}


def _items(output: Output) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    if output.reasoning:
        summary = [{"type": "summary_text", "text": output.reasoning}]
        items.append({"id": "rs_0", "type": "reasoning", "summary": summary})
    if output.text is not None:
        content = [{"type": "output_text", "text": output.text, "annotations": []}]
        items.append(
            {"id": "msg_0", "type": "message", "role": "assistant", "status": "completed", "content": content}
        )
    items += [
        {
            "id": f"fc_{place}",
            "type": "function_call",
            "call_id": call.id,
            "name": call.name,
            "arguments": call.arguments,
            "status": "completed",
        }
        for place, call in enumerate(output.tool_calls)
    ]
    return items


def _deltas(place: int, item: dict[str, Any]) -> list[bytes]:
    where = {"output_index": place, "item_id": item["id"]}
    if item["type"] == "message":
        text, name = item["content"][0]["text"], "response.output_text.delta"
    elif item["type"] == "reasoning":
        text, name = item["summary"][0]["text"], "response.reasoning_summary_text.delta"
    else:
        text, name = item["arguments"], "response.function_call_arguments.delta"
    return [_event(name, **where, content_index=0, delta=piece) for piece in pieces(text)]


def _event(name: str, **data: Any) -> bytes:
    return event({"type": name, **data}, name)


def _head(answered: Answered) -> dict[str, Any]:
    return {
        "id": f"resp_{answered.number}",
        "object": "response",
        "created_at": answered.created,
        "model": answered.model,
    }


def _usage(answered: Answered) -> dict[str, Any]:
    usage = answered.usage
    return {
        "input_tokens": usage.prompt_tokens,
        "output_tokens": usage.completion_tokens,
        "total_tokens": usage.total_tokens,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens_details": {"reasoning_tokens": 0},
    }
