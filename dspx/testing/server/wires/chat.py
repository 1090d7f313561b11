"""OpenAI Chat Completions, and the legacy completions beside it."""

from __future__ import annotations

from typing import Any

from dspx.lm.request import Request
from dspx.lm.response import Output
from dspx.testing.models.base import count_tokens, tokens_of
from dspx.testing.server.wires.base import Answered, event, openai_error, pieces

_NOT_PARAMS = frozenset({"model", "messages", "prompt", "stream"})


class ChatWire:
    """POST /v1/chat/completions."""

    def read(self, body: dict[str, Any], target: str) -> Request:
        messages = body["messages"]
        if not isinstance(messages, list) or not messages:
            raise ValueError("`messages` is a list of messages, and not empty")
        params = {
            name: value for name, value in body.items() if name not in _NOT_PARAMS and value is not None
        }
        if "max_completion_tokens" in params:
            params.setdefault("max_tokens", params["max_completion_tokens"])
        return Request(body.get("model", ""), messages, params, stream=bool(body.get("stream")))

    def write(self, answered: Answered) -> dict[str, Any]:
        return {
            "id": f"chatcmpl-{answered.number}",
            "object": "chat.completion",
            "created": answered.created,
            "model": answered.model,
            "choices": [_choice(index, output, answered) for index, output in enumerate(answered.outputs)],
            "usage": usage_dict(answered),
        }

    def events(self, answered: Answered) -> list[bytes]:
        head = {
            "id": f"chatcmpl-{answered.number}",
            "object": "chat.completion.chunk",
            "created": answered.created,
            "model": answered.model,
        }
        made: list[bytes] = []
        for index, output in enumerate(answered.outputs):
            deltas = [{"role": "assistant", "content": ""}, *_deltas(output)]
            made += [
                event({**head, "choices": [{"index": index, "delta": delta, "finish_reason": None}]})
                for delta in deltas
            ]
            last: dict[str, Any] = {
                "index": index,
                "delta": {},
                "finish_reason": output.finish_reason or "stop",
            }
            logprobs = logprobs_of(output, answered.request)
            if logprobs is not None:
                last["logprobs"] = logprobs
            made.append(event({**head, "choices": [last]}))
        if (answered.request.params.get("stream_options") or {}).get("include_usage"):
            made.append(event({**head, "choices": [], "usage": usage_dict(answered)}))
        made.append(event(b"[DONE]"))
        return made

    def error(self, status: int, message: str, kind: str) -> dict[str, Any]:
        return openai_error(status, message, kind)


class CompletionsWire(ChatWire):
    """POST /v1/completions: a text goes on."""

    def read(self, body: dict[str, Any], target: str) -> Request:
        prompt = body["prompt"]
        text = prompt if isinstance(prompt, str) else "".join(map(str, prompt))
        return super().read({**body, "messages": [{"role": "user", "content": text}]}, target)

    def write(self, answered: Answered) -> dict[str, Any]:
        choices = [
            {
                "index": index,
                "text": output.text or "",
                "finish_reason": output.finish_reason or "stop",
                "logprobs": None,
            }
            for index, output in enumerate(answered.outputs)
        ]
        return {**super().write(answered), "object": "text_completion", "choices": choices}

    def events(self, answered: Answered) -> list[bytes]:
        head = {"id": f"cmpl-{answered.number}", "object": "text_completion", "model": answered.model}
        made = [
            event({**head, "choices": [{"index": index, "text": piece, "finish_reason": None}]})
            for index, output in enumerate(answered.outputs)
            for piece in pieces(output.text)
        ]
        ends = [
            {"index": index, "text": "", "finish_reason": output.finish_reason or "stop"}
            for index, output in enumerate(answered.outputs)
        ]
        made.append(event({**head, "choices": ends, "usage": usage_dict(answered)}))
        return [*made, event(b"[DONE]")]


def _choice(index: int, output: Output, answered: Answered) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": output.text}
    if output.reasoning:
        message["reasoning_content"] = output.reasoning
    if output.tool_calls:
        message["tool_calls"] = [call.to_openai() for call in output.tool_calls]
    return {
        "index": index,
        "message": message,
        "finish_reason": output.finish_reason or "stop",
        "logprobs": logprobs_of(output, answered.request),
    }


def _deltas(output: Output) -> list[dict[str, Any]]:
    deltas: list[dict[str, Any]] = [{"reasoning_content": piece} for piece in pieces(output.reasoning)]
    deltas += [{"content": piece} for piece in pieces(output.text)]
    for place, call in enumerate(output.tool_calls):
        whole = call.to_openai()
        opening = {**whole, "index": place, "function": {"name": call.name, "arguments": ""}}
        deltas.append({"tool_calls": [opening]})
        deltas += [
            {"tool_calls": [{"index": place, "function": {"arguments": call.arguments[start : start + 12]}}]}
            for start in range(0, len(call.arguments), 12)
        ]
    return deltas


def logprobs_of(output: Output, request: Request) -> dict[str, Any] | None:
    """Made-up log probabilities, one for each word, where they were asked for."""
    if output.logprobs is not None or not request.params.get("logprobs"):
        return output.logprobs
    more = int(request.params.get("top_logprobs") or 0)
    return {"content": [_token(token, more) for token in tokens_of(output.text or "")]}


def _token(token: str, more: int) -> dict[str, Any]:
    logprob = -count_tokens(token) / 10
    others = [
        {"token": token if place == 0 else f"{token}{place}", "logprob": logprob - place}
        for place in range(more)
    ]
    return {"token": token, "logprob": logprob, "bytes": list(token.encode()), "top_logprobs": others}


def usage_dict(answered: Answered) -> dict[str, int]:
    usage = answered.usage
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.total_tokens,
    }
