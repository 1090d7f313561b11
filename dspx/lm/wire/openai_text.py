"""OpenAI's legacy text completions: a prompt in, its continuation out."""

from __future__ import annotations

from typing import Any

from dspx.lm.message import text_of
from dspx.lm.request import Request
from dspx.lm.wire.asked import limit_of, refuse
from dspx.lm.wire.base import Endpoint
from dspx.lm.wire.openai_chat import OpenAIChat


class OpenAIText(OpenAIChat):
    """POST …/completions. Its answers differ from Chat's only in `text` standing for `message`."""

    name = "openai_text"

    def path(self, request: Request, endpoint: Endpoint) -> str:
        return "/completions"

    def payload(self, request: Request, endpoint: Endpoint) -> dict[str, Any]:
        refuse(request, "The text completions protocol", ("tools", "response_format", "reasoning_effort"))
        params = {name: value for name, value in request.params.items() if name not in _NOT_HERE}
        limit = limit_of(params)
        params.pop("max_completion_tokens", None)
        if limit is not None:
            params["max_tokens"] = limit
        if "logprobs" in params or "top_logprobs" in params:
            # Chat's flag and its number are one number here.
            top = params.pop("top_logprobs", None)
            if params.pop("logprobs", None):
                params["logprobs"] = top or 1
        payload: dict[str, Any] = {"model": endpoint.model, "prompt": text_prompt(request), **params}
        if request.stream:
            payload["stream"] = True
            payload.setdefault("stream_options", {"include_usage": True})
        return payload


def text_prompt(request: Request) -> str:
    """Every message's text, then the line after which the model goes on."""
    return "\n\n".join(
        [*(text_of(message.get("content")) for message in request.messages), "BEGIN RESPONSE:"]
    )


_NOT_HERE = ("use_developer_role", "tool_choice", "parallel_tool_calls", "tools", "response_format")
