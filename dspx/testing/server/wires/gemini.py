"""Google's generateContent and streamGenerateContent."""

from __future__ import annotations

import re
from typing import Any

import orjson

from dspx.lm.request import Request
from dspx.lm.response import Output
from dspx.testing.server.wires.base import Answered, event, pieces, renamed, text_in

_NAMES = {
    "temperature": "temperature",
    "topP": "top_p",
    "maxOutputTokens": "max_tokens",
    "stopSequences": "stop",
    "candidateCount": "n",
    "seed": "seed",
}
_MODES = {"ANY": "required", "NONE": "none"}
_STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
}
_MODEL = re.compile(r"/models/([^:/?]+)")


class GeminiWire:
    """POST /v1beta/models/{model}:generateContent, or :streamGenerateContent?alt=sse."""

    def read(self, body: dict[str, Any], target: str) -> Request:
        messages = [part for content in body["contents"] for part in _messages(content)]
        system = body.get("systemInstruction") or body.get("system_instruction")
        if system:
            messages.insert(0, {"role": "system", "content": text_in(system["parts"])})
        config = body.get("generationConfig") or {}
        params = renamed(config, _NAMES)
        schema = config.get("responseJsonSchema") or config.get("responseSchema")
        if schema:
            params["response_format"] = {"type": "json_schema", "json_schema": {"schema": schema}}
        elif config.get("responseMimeType") == "application/json":
            params["response_format"] = {"type": "json_object"}
        _read_tools(body, params)
        found = _MODEL.search(target)
        return Request(found[1] if found else "", messages, params, stream=":streamGenerateContent" in target)

    def write(self, answered: Answered) -> dict[str, Any]:
        candidates = [
            {
                "index": index,
                "content": {"role": "model", "parts": _parts(output)},
                "finishReason": _reason(output),
            }
            for index, output in enumerate(answered.outputs)
        ]
        return {**_head(answered), "candidates": candidates, "usageMetadata": _usage(answered)}

    def events(self, answered: Answered) -> list[bytes]:
        made: list[bytes] = []
        for index, output in enumerate(answered.outputs):
            parts = [{"text": piece, "thought": True} for piece in pieces(output.reasoning)]
            parts += [{"text": piece} for piece in pieces(output.text)]
            parts += _calls(output)
            made += [event({**_head(answered), "candidates": [_candidate(index, [part])]}) for part in parts]
        ends = [
            {**_candidate(i, []), "finishReason": _reason(output)}
            for i, output in enumerate(answered.outputs)
        ]
        made.append(event({**_head(answered), "candidates": ends, "usageMetadata": _usage(answered)}))
        return made

    def error(self, status: int, message: str, kind: str) -> dict[str, Any]:
        return {"error": {"code": status, "message": message, "status": _STATUSES.get(status, "INTERNAL")}}


def _messages(content: dict[str, Any]) -> list[dict[str, Any]]:
    parts: list[dict[str, Any]] = content["parts"]
    made: list[dict[str, Any]] = [
        {"role": "tool", "content": orjson.dumps(part["functionResponse"].get("response")).decode()}
        for part in parts
        if "functionResponse" in part
    ]
    calls = [part["functionCall"] for part in parts if "functionCall" in part]
    text = text_in([part for part in parts if "text" in part])
    if text or calls or not made:
        turn: dict[str, Any] = {
            "role": "assistant" if content.get("role") == "model" else "user",
            "content": text,
        }
        if calls:
            turn["tool_calls"] = [
                {
                    "id": call.get("id"),
                    "type": "function",
                    "function": {
                        "name": call["name"],
                        "arguments": orjson.dumps(call.get("args") or {}).decode(),
                    },
                }
                for call in calls
            ]
        made.append(turn)
    return made


def _read_tools(body: dict[str, Any], params: dict[str, Any]) -> None:
    declared = [each for tool in body.get("tools") or () for each in tool.get("functionDeclarations") or ()]
    if not declared:
        return
    params["tools"] = [
        {
            "type": "function",
            "function": {
                "name": each["name"],
                "parameters": each.get("parametersJsonSchema")
                or each.get("parameters")
                or {"type": "object"},
            },
        }
        for each in declared
    ]
    asked = (body.get("toolConfig") or {}).get("functionCallingConfig") or {}
    names = asked.get("allowedFunctionNames")
    if names:
        params["tool_choice"] = {"type": "function", "function": {"name": names[0]}}
    elif asked.get("mode") in _MODES:
        params["tool_choice"] = _MODES[asked["mode"]]


def _head(answered: Answered) -> dict[str, Any]:
    return {"responseId": f"gemini-{answered.number}", "modelVersion": answered.model}


def _candidate(index: int, parts: list[dict[str, Any]]) -> dict[str, Any]:
    return {"index": index, "content": {"role": "model", "parts": parts}}


def _parts(output: Output) -> list[dict[str, Any]]:
    parts: list[dict[str, Any]] = [{"text": output.reasoning, "thought": True}] if output.reasoning else []
    if output.text is not None:
        parts.append({"text": output.text})
    return parts + _calls(output)


def _calls(output: Output) -> list[dict[str, Any]]:
    return [
        {"functionCall": {"id": call.id, "name": call.name, "args": orjson.loads(call.arguments or "{}")}}
        for call in output.tool_calls
    ]


def _reason(output: Output) -> str:
    return "MAX_TOKENS" if output.finish_reason == "length" else "STOP"


def _usage(answered: Answered) -> dict[str, Any]:
    usage = answered.usage
    return {
        "promptTokenCount": usage.prompt_tokens,
        "candidatesTokenCount": usage.completion_tokens,
        "totalTokenCount": usage.total_tokens,
    }
