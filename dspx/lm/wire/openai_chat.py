"""OpenAI Chat Completions, which most servers speak (platform.openai.com/docs/api-reference/chat)."""

from __future__ import annotations

from typing import Any

import orjson

from dspx.core.streams import Delta
from dspx.lm.message import Block, Message, document_text, image_of, source_of, thinking_blocks_of
from dspx.lm.reading import get
from dspx.lm.request import Request
from dspx.lm.response import Response, read_choice
from dspx.lm.usage import Usage
from dspx.lm.wire.asked import effort_of, unsupported_block
from dspx.lm.wire.base import Endpoint, JSONWire, StreamAssembler, reported
from dspx.lm.wire.schema import openai_format


class OpenAIChat(JSONWire):
    """POST …/chat/completions. Neutral requests have this protocol's names, so most goes as it is."""

    name = "openai_chat"

    def path(self, request: Request, endpoint: Endpoint) -> str:
        return "/chat/completions"

    def payload(self, request: Request, endpoint: Endpoint) -> dict[str, Any]:
        params = request.params
        developer = bool(params.get("use_developer_role"))
        messages = [openai_message(message, endpoint, developer) for message in request.messages]
        payload: dict[str, Any] = {"model": endpoint.model, "messages": messages, **params}
        payload.pop("use_developer_role", None)
        if "response_format" in params:
            payload["response_format"] = openai_format(params["response_format"])
        if isinstance(params.get("reasoning_effort"), (dict, int)):
            effort = effort_of(params["reasoning_effort"])
            payload["reasoning_effort"] = effort.word if effort else None
        add_prompt_cache(payload, request.prompt_cache)
        if request.stream:
            payload["stream"] = True
            payload.setdefault("stream_options", {"include_usage": True})
        for name, other in endpoint.renames.items():
            if name in payload:
                payload.setdefault(other, payload.pop(name))
        return payload

    def read(self, body: dict[str, Any], request: Request) -> Response:
        choices = body["choices"]
        if not choices:
            raise ValueError("`choices` is empty")
        for choice in choices:
            if choice.get("error"):  # OpenRouter, for the provider behind it
                raise reported(choice, request)
        usage = body.get("usage")
        cost = get(usage, "cost")
        return Response(
            model=str(body.get("model") or request.model),
            outputs=tuple(read_choice(choice) for choice in choices),
            usage=Usage.from_openai(usage),
            id=body.get("id"),
            # OpenRouter says what the call cost.
            cost=float(cost) if isinstance(cost, (int, float)) else None,
        )

    def assembler(self, request: Request) -> ChatAssembler:
        return ChatAssembler(self, request)


class ChatAssembler(StreamAssembler):
    """Chunks of `choices[].delta` → the body with `choices[].message`."""

    def __init__(self, wire: JSONWire, request: Request) -> None:
        super().__init__(wire, request)
        self.choices: dict[int, _Choice] = {}
        self.saw_end = False

    def take(self, event: dict[str, Any]) -> list[Delta]:
        for name in ("id", "model", "usage"):
            if event.get(name):
                self.body[name] = event[name]
        deltas: list[Delta] = []
        for chunk in event.get("choices") or ():
            if chunk.get("error"):
                raise reported(chunk, self.request)
            index = chunk.get("index") or 0
            choice = self.choices.get(index)
            if choice is None:
                choice = self.choices[index] = _Choice(index)
            deltas += choice.take(chunk)
        return deltas

    def done(self) -> None:
        self.saw_end = True

    def complete(self) -> bool:
        finished = [choice.finish_reason is not None for choice in self.choices.values()]
        return bool(finished) and (self.saw_end or all(finished))

    def whole_body(self) -> dict[str, Any]:
        return {**self.body, "choices": [self.choices[index].whole() for index in sorted(self.choices)]}


class _Choice:
    """One completion as it grows."""

    def __init__(self, index: int) -> None:
        self.index = index
        self.finish_reason: str | None = None
        self.texts: dict[str, list[str]] = {}
        self.calls: list[dict[str, Any]] = []
        self.logprobs: dict[str, Any] | None = None
        self.lists: dict[str, list[Any]] = {}

    def take(self, chunk: dict[str, Any]) -> list[Delta]:
        self.finish_reason = chunk.get("finish_reason") or self.finish_reason
        self._take_logprobs(chunk.get("logprobs"))
        delta = chunk.get("delta") or chunk.get("message") or {}
        if isinstance(chunk.get("text"), str):
            delta = {**delta, "content": chunk["text"]}
        deltas = [made for name, kind in _TEXTS for made in self._take_text(name, kind, delta.get(name))]
        for name in ("annotations", "thinking_blocks"):
            self.lists.setdefault(name, []).extend(delta.get(name) or ())
        for call in delta.get("tool_calls") or ():
            deltas.append(self._take_call(call))
        return deltas

    def _take_text(self, name: str, kind: Any, value: Any) -> list[Delta]:
        if value is None:
            return []
        if isinstance(value, list):  # Mistral's blocks: thoughts and text
            return [made for block in value for made in self._take_block(block)]
        self.texts.setdefault(name, []).append(value)
        return [Delta(value, kind, self.index)] if value else []

    def _take_block(self, block: Block) -> list[Delta]:
        if block.get("type") != "thinking":
            return self._take_text("content", "text", block.get("text"))
        inner = block["thinking"]
        text = inner if isinstance(inner, str) else "".join(part.get("text") or "" for part in inner)
        return self._take_text("reasoning_content", "reasoning", text)

    def _take_call(self, piece: dict[str, Any]) -> Delta:
        function = piece.get("function") or {}
        call = self._call_of(piece)
        name = function.get("name") or ""
        if name != call["name"]:  # some servers repeat it with every piece
            call["name"] += name
        arguments = function.get("arguments") or ""
        if not isinstance(arguments, str):
            arguments = orjson.dumps(arguments).decode()
        call["arguments"].append(arguments)
        payload = {"index": self.calls.index(call), "id": call["id"], "name": call["name"]}
        return Delta(arguments, "tool_call", self.index, payload)

    def _call_of(self, piece: dict[str, Any]) -> dict[str, Any]:
        """The call that this is a piece of: by index, or, where servers send none, the last until a new id comes."""
        key, identity = piece.get("index"), piece.get("id")
        for call in self.calls:
            if key is not None and call["key"] == key:
                call["id"] = call["id"] or identity
                return call
        if key is None and self.calls and identity in (None, "", self.calls[-1]["id"]):
            return self.calls[-1]
        self.calls.append({"key": key, "id": identity, "name": "", "arguments": []})
        return self.calls[-1]

    def _take_logprobs(self, logprobs: dict[str, Any] | None) -> None:
        if not logprobs:
            return
        if self.logprobs is None:
            self.logprobs = {}
        for name, items in logprobs.items():
            before = self.logprobs.get(name)
            if isinstance(before, list) and isinstance(items, list):
                self.logprobs[name] = [*before, *items]
            elif items is not None or name not in self.logprobs:
                self.logprobs[name] = items

    def whole(self) -> dict[str, Any]:
        message: dict[str, Any] = {name: "".join(parts) for name, parts in self.texts.items()}
        message.update({name: items for name, items in self.lists.items() if items})
        if self.calls:
            message["tool_calls"] = [
                {
                    "id": call["id"],
                    "function": {"name": call["name"], "arguments": "".join(call["arguments"])},
                }
                for call in self.calls
            ]
        return {
            "index": self.index,
            "message": message,
            "finish_reason": self.finish_reason,
            "logprobs": self.logprobs,
        }


_TEXTS = (
    ("reasoning_content", "reasoning"),
    ("reasoning", "reasoning"),
    ("content", "text"),
    ("refusal", "text"),
)


def openai_message(message: Message, endpoint: Endpoint, developer: bool) -> Message:
    """The message as the endpoint takes it; the very same dict where nothing needs to change."""
    content = message.get("content")
    renamed = developer and message.get("role") == "system"
    if not renamed and (content is None or isinstance(content, str)) and message.keys() <= _KNOWN:
        return message
    result = {name: value for name, value in message.items() if name in _KNOWN}
    if renamed:
        result["role"] = "developer"
    if isinstance(content, list):
        result["content"] = [openai_block(block, endpoint) for block in content]
    if message.get("tool_calls") and endpoint.keeps_reasoning and message.get("reasoning_content"):
        result["reasoning_content"] = message["reasoning_content"]
    if endpoint.provider == "openrouter" and thinking_blocks_of(message):
        result["reasoning_details"] = list(thinking_blocks_of(message))
    return result


def openai_block(block: Any, endpoint: Endpoint) -> Any:
    """A content block in OpenAI's form: Anthropic's documents and images become text, files and image links."""
    if isinstance(block, str):
        return {"type": "text", "text": block}
    kind = block.get("type")
    if kind == "document":
        return _document(block, endpoint)
    if kind == "image":
        media = image_of(block)
        return {"type": "image_url", "image_url": {"url": media.data_uri or media.url}}
    if "cache_control" in block and endpoint.provider not in _TAKES_MARKS:
        return {name: value for name, value in block.items() if name != "cache_control"}
    return block


def add_prompt_cache(payload: dict[str, Any], prompt_cache: Any) -> None:
    """OpenAI caches prompts by itself; a key and a retention steer it."""
    if isinstance(prompt_cache, dict):
        if "key" in prompt_cache:
            payload["prompt_cache_key"] = prompt_cache["key"]
        if "retention" in prompt_cache:
            payload["prompt_cache_retention"] = prompt_cache["retention"]


_KNOWN = frozenset(
    {"role", "content", "name", "tool_calls", "tool_call_id", "refusal", "audio", "function_call"}
)
_TAKES_MARKS = ("openrouter", "databricks", "openai_compatible")


def _document(block: Block, endpoint: Endpoint) -> Block:
    text = document_text(block)
    if text is not None:
        return {"type": "text", "text": text}
    media = source_of(block["source"])
    if media.file_id is not None:
        return {"type": "file", "file": {"file_id": media.file_id}}
    if media.data_uri is None:
        raise unsupported_block("document by address", "Chat Completions", Request(endpoint.model, []))
    return {
        "type": "file",
        "file": {"file_data": media.data_uri, "filename": block.get("title") or "document.pdf"},
    }
