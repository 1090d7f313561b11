"""Anthropic Messages (docs.anthropic.com/en/api/messages)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from dspx.core.streams import Delta
from dspx.errors import LMUnsupportedFeatureError, UsageError
from dspx.lm.message import (
    TEXT_BLOCKS,
    Block,
    Media,
    Message,
    arguments_of,
    blocks_of,
    file_of,
    image_of,
    split_system,
    thinking_blocks_of,
    tool_calls_of,
)
from dspx.lm.request import Request
from dspx.lm.response import Output, Response, ToolCall, spoken
from dspx.lm.usage import Usage
from dspx.lm.wire.asked import chosen_tool, effort_of, limit_of, refuse, stops_of, unsupported_block
from dspx.lm.wire.base import Endpoint, JSONWire, StreamAssembler
from dspx.lm.wire.schema import asked_schema, closed, is_closable, without

_NAME = "Anthropic's Messages API"


class AnthropicMessages(JSONWire):
    """POST …/messages."""

    name = "anthropic"
    default_headers = {"anthropic-version": "2023-06-01"}

    def path(self, request: Request, endpoint: Endpoint) -> str:
        return "/messages"

    def payload(self, request: Request, endpoint: Endpoint) -> dict[str, Any]:
        params = request.params
        refuse(
            request,
            _NAME,
            ("logprobs", "top_logprobs", "frequency_penalty", "presence_penalty", "logit_bias"),
        )
        system, rest = split_system(request.messages)
        payload: dict[str, Any] = {"model": endpoint.model, "messages": _turns(rest, request)}
        if system:
            payload["system"] = [_block(block, request) for block in system]
        payload.update({name: value for name, value in params.items() if name not in _TRANSLATED})
        payload["max_tokens"] = limit_of(params) or min(endpoint.facts.max_output or _LIMIT, _LIMIT)
        if "stop" in params:
            # A stop of white space alone is refused.
            payload["stop_sequences"] = [stop for stop in stops_of(params["stop"]) if stop.strip()]
        if "user" in params:
            payload["metadata"] = {**payload.get("metadata", {}), "user_id": params["user"]}
        _add_tools(payload, params)
        _add_output_format(payload, request, endpoint)
        _add_thinking(payload, request, endpoint)
        _add_sampling(payload, params, endpoint.model)
        _add_marks(payload, request.prompt_cache)
        _add_betas(payload)
        if request.stream:
            payload["stream"] = True
        return payload

    def read(self, body: dict[str, Any], request: Request) -> Response:
        return Response(
            model=str(body.get("model") or request.model),
            outputs=(_output(body["content"], body.get("stop_reason")),),
            usage=_usage(body.get("usage") or {}),
            id=body.get("id"),
        )

    def assembler(self, request: Request) -> AnthropicAssembler:
        return AnthropicAssembler(self, request)


class AnthropicAssembler(StreamAssembler):
    """message_start, then blocks that start, grow and stop, then message_delta and message_stop."""

    def __init__(self, wire: JSONWire, request: Request) -> None:
        super().__init__(wire, request)
        self.blocks: dict[int, Block] = {}
        self.pieces: dict[int, dict[str, list[str]]] = {}
        self.stopped = False

    def take(self, event: dict[str, Any]) -> list[Delta]:
        kind = event.get("type")
        if kind == "message_start":
            self.body = dict(event["message"])
        elif kind == "content_block_start":
            return self._start(event["index"], event["content_block"])
        elif kind == "content_block_delta":
            return self._grow(event["index"], event["delta"])
        elif kind == "message_delta":
            self.body.update({name: value for name, value in event["delta"].items() if value is not None})
            usage = {name: value for name, value in (event.get("usage") or {}).items() if value is not None}
            self.body["usage"] = {**(self.body.get("usage") or {}), **usage}
        elif kind == "message_stop":
            self.stopped = True
        return []

    def complete(self) -> bool:
        return bool(self.body) and (self.stopped or self.body.get("stop_reason") is not None)

    def whole_body(self) -> dict[str, Any]:
        return {**self.body, "content": [self._whole(index) for index in sorted(self.blocks)]}

    def _start(self, index: int, block: Block) -> list[Delta]:
        self.blocks[index] = dict(block)
        self.pieces[index] = {}
        if block.get("type") == "tool_use":
            return [Delta("", "tool_call", 0, self._call(index))]
        # A block may start with something in it already.
        text = block.get("text") or block.get("thinking") or ""
        return [Delta(text, "reasoning" if block.get("type") == "thinking" else "text")] if text else []

    def _grow(self, index: int, delta: dict[str, Any]) -> list[Delta]:
        kind = delta.get("type")
        if kind == "citations_delta":
            cited = self.blocks[index]
            cited["citations"] = [*(cited.get("citations") or ()), delta["citation"]]
            return []
        known = _GROWTH.get(kind or "")
        if known is None:
            return []
        name, shown = known
        fragment: str = delta[name]
        self.pieces[index].setdefault(name, []).append(fragment)
        if shown is None or not fragment:
            return []
        return [Delta(fragment, shown, 0, self._call(index) if shown == "tool_call" else None)]

    def _call(self, index: int) -> dict[str, Any]:
        place = sum(block.get("type") == "tool_use" for other, block in self.blocks.items() if other < index)
        return {"index": place, "id": self.blocks[index].get("id"), "name": self.blocks[index].get("name")}

    def _whole(self, index: int) -> Block:
        block = dict(self.blocks[index])
        for name, parts in self.pieces[index].items():
            text = "".join(parts)
            if name == "partial_json":
                block["input"] = text if text.strip() else block.get("input")
            else:
                block[name] = (block.get(name) or "") + text
        return block


_GROWTH: dict[str, tuple[str, Any]] = {
    "text_delta": ("text", "text"),
    "thinking_delta": ("thinking", "reasoning"),
    "signature_delta": ("signature", None),
    "input_json_delta": ("partial_json", "tool_call"),
}


# ---------------------------------------------------------------- the answer

_FINISH = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}


def _output(content: Sequence[Block], stop_reason: str | None) -> Output:
    texts: list[str] = []
    thoughts: list[str] = []
    calls: list[ToolCall] = []
    citations: list[dict[str, Any]] = []
    thinking: list[Block] = []
    for block in content:
        kind = block.get("type")
        if kind == "text":
            texts.append(block["text"])
            citations += [
                {**cited, "supported_text": block["text"]} for cited in block.get("citations") or ()
            ]
        elif kind == "thinking":
            thoughts.append(block["thinking"])
            thinking.append(block)
        elif kind == "redacted_thinking":
            thinking.append(block)
        elif kind == "tool_use":
            calls.append(ToolCall(block.get("id"), block["name"], _arguments(block.get("input"))))
    return Output(
        text=spoken("".join(texts), tuple(calls)),
        reasoning="\n\n".join(thought for thought in thoughts if thought) or None,
        tool_calls=tuple(calls),
        citations=tuple(citations),
        finish_reason=_FINISH.get(stop_reason or "", stop_reason),
        thinking=tuple(thinking),
    )


def _arguments(value: Any) -> str:
    """Always the same text for the same arguments, whether they came whole or in pieces."""
    if isinstance(value, str):
        try:
            value = orjson.loads(value)
        except orjson.JSONDecodeError:
            return str(value)  # cut off in the middle
    return orjson.dumps(value if value is not None else {}).decode()


def _usage(raw: Mapping[str, Any]) -> Usage:
    """Anthropic counts what its cache served and stored apart from the rest of the prompt."""
    read = raw.get("cache_read_input_tokens") or 0
    written = raw.get("cache_creation_input_tokens") or 0
    prompt = (raw.get("input_tokens") or 0) + read + written
    completion = raw.get("output_tokens") or 0
    thought = (raw.get("output_tokens_details") or {}).get("thinking_tokens") or 0
    details: dict[str, Any] = {"prompt_tokens_details": {"cache_creation_tokens": written}} if written else {}
    return Usage(prompt, completion, prompt + completion, read, thought, details)


# ---------------------------------------------------------------- the question


def _turns(messages: Sequence[Message], request: Request) -> list[Message]:
    """User and assistant in turn, as the protocol wants: tool results are the user's, neighbours are joined."""
    turns: list[Message] = []
    for message in messages:
        role = "assistant" if message.get("role") == "assistant" else "user"
        content = _content(message, request)
        if not content:
            continue
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"] += content
        else:
            turns.append({"role": role, "content": content})
    if not turns:
        raise UsageError("There is nothing to send: every message is empty, or a system message.")
    _trim_prefill(turns[-1])
    return turns


def _content(message: Message, request: Request) -> list[Block]:
    content = message.get("content")
    role = message.get("role")
    if role in ("tool", "function"):
        result = [_block(block, request) for block in blocks_of(content)]
        return [{"type": "tool_result", "tool_use_id": message.get("tool_call_id"), "content": result}]
    blocks = [_block(block, request) for block in blocks_of(content)]
    if role != "assistant":
        return blocks
    thinking = [
        dict(block) for block in thinking_blocks_of(message) if "thinking" in (block.get("type") or "")
    ]
    calls = [
        {"type": "tool_use", "id": identity, "name": name, "input": arguments_of(arguments)}
        for identity, name, arguments in tool_calls_of(message)
    ]
    return [*thinking, *blocks, *calls]


def _trim_prefill(turn: Message) -> None:
    """The start of an answer given by the user may not end in white space."""
    last = turn["content"][-1]
    if turn["role"] == "assistant" and last.get("type") == "text":
        last["text"] = last["text"].rstrip() or "."


def _block(block: Block, request: Request) -> Block:
    """A new block in Anthropic's form; a user's own cache mark stays on it."""
    made = _translated(block, request)
    if "cache_control" in block:
        made["cache_control"] = block["cache_control"]
    return made


def _translated(block: Block, request: Request) -> Block:
    kind = block.get("type")
    if kind in TEXT_BLOCKS:
        return {"type": "text", "text": block["text"]}
    if kind == "image_url":
        return {"type": "image", "source": _source(image_of(block))}
    if kind == "file":
        return _file(file_of(block))
    if kind in _OWN_BLOCKS:
        return dict(block)
    raise unsupported_block(kind, _NAME, request)


_OWN_BLOCKS = (
    "document",
    "image",
    "search_result",
    "tool_result",
    "tool_use",
    "thinking",
    "redacted_thinking",
)


def _file(media: Media) -> Block:
    if (media.mime or "").startswith("image/"):
        return {"type": "image", "source": _source(media)}
    block: Block = {"type": "document", "source": _source(media)}
    if media.filename:
        block["title"] = media.filename
    return block


def _source(media: Media) -> dict[str, Any]:
    if media.file_id is not None:
        return {"type": "file", "file_id": media.file_id}
    if media.url is not None:
        return {"type": "url", "url": media.url}
    mime = media.mime or "application/pdf"
    if mime.startswith("text/") or mime == "application/json":
        import base64

        text = base64.b64decode(media.data or "").decode("utf-8", "replace")
        return {"type": "text", "media_type": "text/plain", "data": text}
    return {"type": "base64", "media_type": mime, "data": media.data}


_LIMIT = 16_384
_TRANSLATED = frozenset(
    {
        "max_tokens",
        "max_completion_tokens",
        "stop",
        "user",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "response_format",
        "reasoning_effort",
        "temperature",
        "use_developer_role",
        "logprobs",
        "top_logprobs",
        "frequency_penalty",
        "presence_penalty",
        "logit_bias",
        "seed",
        "n",
        "stream_options",
    }
)


def _add_tools(payload: dict[str, Any], params: Mapping[str, Any]) -> None:
    if params.get("tools"):
        payload["tools"] = [_tool(tool) for tool in params["tools"]]
    choice = params.get("tool_choice")
    serial = params.get("parallel_tool_calls") is False
    if not payload.get("tools") or (choice is None and not serial):
        return
    name = chosen_tool(choice)
    words = {"required": "any", "none": "none"}
    made: dict[str, Any] = (
        {"type": "tool", "name": name}
        if name
        else dict(choice)
        if isinstance(choice, Mapping)
        else {"type": words.get(choice or "auto", "auto")}
    )
    if serial and made["type"] != "none":
        made["disable_parallel_tool_use"] = True
    payload["tool_choice"] = made


def _tool(tool: dict[str, Any]) -> dict[str, Any]:
    function = tool.get("function")
    if function is None:
        return dict(tool)  # one of Anthropic's own
    made: dict[str, Any] = {
        "name": function["name"],
        "input_schema": function.get("parameters") or {"type": "object", "properties": {}},
    }
    if function.get("description"):
        made["description"] = function["description"]
    if function.get("strict"):
        made["strict"] = True
    return made


# Keywords that constrained decoding refuses here.
_REFUSED = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "maxItems"})


def _add_output_format(payload: dict[str, Any], request: Request, endpoint: Endpoint) -> None:
    """A schema is enforced; `json_object`, which the protocol does not know, is left to the prompt."""
    asked = request.params.get("response_format")
    schema = asked_schema(asked) if asked is not None else None
    if schema is None:
        return
    if not (endpoint.facts.supports_response_schema and is_closable(schema)):
        able = endpoint.facts.supports_response_schema
        raise LMUnsupportedFeatureError(
            f"{endpoint.model} cannot be held to {'this' if able else 'a'} JSON schema"
            f"{': it has open mappings or untyped values' if able else ''}. Ask for the JSON in the prompt, as "
            "adapters do, or describe it as a tool.",
            feature="response_format",
            model=request.model,
        )
    form = {"type": "json_schema", "schema": without(closed(schema), _REFUSED)}
    payload["output_config"] = {**payload.get("output_config", {}), "format": form}


# Since Claude 4.6 models decide themselves how much to think, and an effort guides them; before, a budget in
# tokens bounds them. Since 4.7 their sampling is fixed. Other makers' models behind this protocol keep the old ways.
_BEFORE_ADAPTIVE = re.compile(r"claude-(?:3|2|instant)|claude-(?:opus|sonnet|haiku)-4-(?:0|1|5|20)")
_BEFORE_FIXED = re.compile(r"claude-(?:3|2|instant)|claude-(?:opus|sonnet|haiku)-4-(?:0|1|5|6|20)")


def _is_newer(model: str, before: re.Pattern[str]) -> bool:
    return "claude" in model and not before.search(model)


def _add_thinking(payload: dict[str, Any], request: Request, endpoint: Endpoint) -> None:
    effort = effort_of(request.params.get("reasoning_effort"))
    if effort is None or "thinking" in payload:
        return
    if effort.off:
        payload["thinking"] = {"type": "disabled"}
        return
    if _is_newer(endpoint.model, _BEFORE_ADAPTIVE):
        word = {"minimal": "low"}.get(effort.word or "", effort.word) or "medium"
        payload["thinking"] = {"type": "adaptive"}
        payload["output_config"] = {**payload.get("output_config", {}), "effort": word}
        return
    budget = max(1_024, effort.tokens)
    payload["thinking"] = {"type": "enabled", "budget_tokens": budget}
    # The limit counts thoughts too: what was asked for is kept for the answer, as far as the model allows.
    most = endpoint.facts.max_output
    limit = payload["max_tokens"] + budget
    payload["max_tokens"] = min(limit, most) if most and most > budget else limit


def _add_sampling(payload: dict[str, Any], params: Mapping[str, Any], model: str) -> None:
    """Temperatures go to 1 here, not to 2; models whose sampling is fixed, or that think, take none."""
    if _is_newer(model, _BEFORE_FIXED):
        for name in ("top_p", "top_k"):
            payload.pop(name, None)
        return
    temperature = params.get("temperature")
    thinks = payload.get("thinking", {}).get("type") in ("enabled", "adaptive")
    if temperature is not None and not thinks:
        payload["temperature"] = min(temperature, 1.0)


def _add_betas(payload: dict[str, Any]) -> None:
    """Files that were uploaded before are behind a header still."""
    blocks = [block for turn in payload["messages"] for block in turn["content"]]
    if any((block.get("source") or {}).get("type") == "file" for block in blocks):
        given = payload.get("extra_headers") or {}
        beta = given.get("anthropic-beta", "files-api-2025-04-14")
        payload["extra_headers"] = {**given, "anthropic-beta": beta}


# ---------------------------------------------------------------- cache marks


def _add_marks(payload: dict[str, Any], prompt_cache: Any) -> None:
    """Mark where the provider may cut the prompt for its cache: at most four places, each the end of a prefix.

    Without more being said: after the system prompt, after the history (all but the last message, where
    demonstrations end), and after the last message.
    """
    if not prompt_cache:
        return
    asked = prompt_cache if isinstance(prompt_cache, dict) else {}
    ttl = asked.get("ttl") if asked else prompt_cache
    mark = {"type": "ephemeral", "ttl": "1h"} if ttl == "1h" else {"type": "ephemeral"}
    turns = payload["messages"]
    places: dict[str, list[Block] | None] = {
        "tools": payload.get("tools"),
        "system": payload.get("system"),
        "history": turns[-2]["content"] if len(turns) > 1 else None,
        "last": turns[-1]["content"],
    }
    for place in asked.get("at", ("system", "history", "last")):
        if place not in places:
            raise UsageError(f"prompt_cache marks 'tools', 'system', 'history' and 'last', not {place!r}.")
        blocks = places[place]
        markable = [block for block in blocks or () if "thinking" not in (block.get("type") or "")]
        if markable:
            markable[-1]["cache_control"] = mark
