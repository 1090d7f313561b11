"""Gemini generateContent (ai.google.dev/api/generate-content)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from dspx.core.streams import Delta
from dspx.errors import LMInvalidRequestError
from dspx.lm.message import (
    TEXT_BLOCKS,
    Block,
    Media,
    Message,
    arguments_of,
    audio_of,
    blocks_of,
    document_text,
    file_of,
    image_of,
    source_of,
    split_system,
    text_of,
    thinking_blocks_of,
    tool_calls_of,
)
from dspx.lm.request import Request
from dspx.lm.response import Output, Response, ToolCall, spoken
from dspx.lm.usage import Usage
from dspx.lm.wire.asked import Effort, chosen_tool, effort_of, limit_of, refuse, stops_of, unsupported_block
from dspx.lm.wire.base import Endpoint, JSONWire, StreamAssembler, provider_of
from dspx.lm.wire.schema import asked_schema, openai_format

_NAME = "Gemini's generateContent"


class GeminiGenerateContent(JSONWire):
    """POST …/models/{model}:generateContent, or :streamGenerateContent?alt=sse."""

    name = "gemini"

    def path(self, request: Request, endpoint: Endpoint) -> str:
        model = endpoint.model if "/" in endpoint.model else f"models/{endpoint.model}"
        return f"/{model}:streamGenerateContent?alt=sse" if request.stream else f"/{model}:generateContent"

    def payload(self, request: Request, endpoint: Endpoint) -> dict[str, Any]:
        params = request.params
        refuse(request, _NAME, ("logit_bias",))
        system, rest = split_system(request.messages)
        payload: dict[str, Any] = {"contents": _contents(rest, request, endpoint.model)}
        if system:
            payload["systemInstruction"] = {"parts": [_part(block, request) for block in system]}
        for name, value in params.items():
            if name not in _TRANSLATED:
                payload[_OWN_NAMES.get(name, name)] = value
        config = {**_generation_config(params, endpoint.model), **payload.get("generationConfig", {})}
        if config:
            payload["generationConfig"] = config
        _add_tools(payload, params)
        if isinstance(request.prompt_cache, dict) and "name" in request.prompt_cache:
            payload["cachedContent"] = request.prompt_cache["name"]
        return payload

    def read(self, body: dict[str, Any], request: Request) -> Response:
        candidates = body.get("candidates")
        if not candidates:
            raise _blocked(body, request)
        return Response(
            model=str(body.get("modelVersion") or request.model),
            outputs=tuple(_output(candidate) for candidate in candidates),
            usage=_usage(body.get("usageMetadata") or {}),
            id=body.get("responseId"),
        )

    def assembler(self, request: Request) -> GeminiAssembler:
        return GeminiAssembler(self, request)


class GeminiAssembler(StreamAssembler):
    """Every event is a small response; their parts follow each other."""

    def __init__(self, wire: JSONWire, request: Request) -> None:
        super().__init__(wire, request)
        self.candidates: dict[int, dict[str, Any]] = {}
        self.calls: dict[int, int] = {}

    def take(self, event: dict[str, Any]) -> list[Delta]:
        for name, value in event.items():
            if name == "usageMetadata":
                self.body[name] = {**self.body.get(name, {}), **value}
            elif name != "candidates":
                self.body[name] = value
        deltas: list[Delta] = []
        for chunk in event.get("candidates") or ():
            index = chunk.get("index") or 0
            whole = self.candidates.setdefault(index, {"index": index, "content": {"parts": []}})
            for part in (chunk.get("content") or {}).get("parts") or ():
                deltas += self._deltas(part, index)
                whole["content"]["parts"].append(part)
            _merge_candidate(whole, chunk)
        return deltas

    def complete(self) -> bool:
        if not self.candidates:
            return "promptFeedback" in self.body
        return all(candidate.get("finishReason") for candidate in self.candidates.values())

    def whole_body(self) -> dict[str, Any]:
        return {**self.body, "candidates": [self.candidates[index] for index in sorted(self.candidates)]}

    def _deltas(self, part: Block, index: int) -> list[Delta]:
        call = part.get("functionCall")
        if call is not None:
            place = self.calls.get(index, 0)
            self.calls[index] = place + 1
            payload = {"index": place, "id": call.get("id") or f"call_{place}", "name": call["name"]}
            return [Delta(_json(call.get("args")), "tool_call", index, payload)]
        text = part.get("text")
        return [Delta(text, "reasoning" if part.get("thought") else "text", index)] if text else []


def _merge_candidate(whole: dict[str, Any], chunk: Mapping[str, Any]) -> None:
    for name, value in chunk.items():
        if name in ("content", "index") or value is None:
            continue
        if name == "logprobsResult":
            before = whole.get(name, {})
            whole[name] = {
                key: [*before.get(key, ()), *items] for key, items in value.items() if isinstance(items, list)
            }
        else:
            whole[name] = value


# ---------------------------------------------------------------- the answer

_FINISH = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    **dict.fromkeys(
        ("SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY", "LANGUAGE"),
        "content_filter",
    ),
}


def _output(candidate: Mapping[str, Any]) -> Output:
    texts: list[str] = []
    thoughts: list[str] = []
    calls: list[ToolCall] = []
    signatures: list[Block] = []
    for part in (candidate.get("content") or {}).get("parts") or ():
        call = part.get("functionCall")
        if call is not None:
            # The protocol has no ids for calls on older models; these are unique within the answer.
            calls.append(
                ToolCall(call.get("id") or f"call_{len(calls)}", call["name"], _json(call.get("args")))
            )
        elif part.get("text"):
            (thoughts if part.get("thought") else texts).append(part["text"])
        if part.get("thoughtSignature"):
            place = calls[-1].id if call is not None else None
            signatures.append(
                {"type": _SIGNATURE, "signature": part["thoughtSignature"], "tool_call_id": place}
            )
    reason = candidate.get("finishReason")
    finish = (
        "tool_calls"
        if calls and reason == "STOP"
        else _FINISH.get(reason or "", (reason or "").lower() or None)
    )
    return Output(
        text=spoken("".join(texts), tuple(calls)),
        reasoning="".join(thoughts) or None,
        tool_calls=tuple(calls),
        logprobs=_logprobs(candidate.get("logprobsResult")),
        citations=_citations(candidate),
        finish_reason=finish,
        thinking=tuple(signatures),
    )


_SIGNATURE = "thought_signature"


def _citations(candidate: Mapping[str, Any]) -> tuple[dict[str, Any], ...]:
    sources = (candidate.get("citationMetadata") or {}).get("citationSources") or ()
    chunks = (candidate.get("groundingMetadata") or {}).get("groundingChunks") or ()
    pages = [chunk["web"] for chunk in chunks if chunk.get("web")]
    found = [{"type": "url_citation", "url": page.get("uri"), "title": page.get("title")} for page in pages]
    return (*(dict(source) for source in sources), *found)


def _logprobs(result: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """In OpenAI's form."""
    if not result:
        return None
    tops = [step.get("candidates") or () for step in result.get("topCandidates") or ()]
    content: list[dict[str, Any]] = []
    for position, chosen in enumerate(result.get("chosenCandidates") or ()):
        others = tops[position] if position < len(tops) else ()
        content.append({**_token(chosen), "top_logprobs": [_token(other) for other in others]})
    return {"content": content}


def _token(candidate: Mapping[str, Any]) -> dict[str, Any]:
    return {"token": candidate.get("token"), "logprob": candidate.get("logProbability")}


def _usage(raw: Mapping[str, Any]) -> Usage:
    """Gemini counts thoughts apart from the answer, and a tool's prompt apart from the prompt."""
    prompt = (raw.get("promptTokenCount") or 0) + (raw.get("toolUsePromptTokenCount") or 0)
    thought = raw.get("thoughtsTokenCount") or 0
    completion = (raw.get("candidatesTokenCount") or 0) + thought
    total = raw.get("totalTokenCount") or prompt + completion
    return Usage(prompt, completion, total, raw.get("cachedContentTokenCount") or 0, thought)


def _blocked(body: Mapping[str, Any], request: Request) -> Exception:
    reason = (body.get("promptFeedback") or {}).get("blockReason")
    if reason is None:
        return ValueError("there are no `candidates`")
    return LMInvalidRequestError(
        f"Gemini refused the prompt: {reason}.",
        code="content_filter",
        provider_code=str(reason),
        model=request.model,
        provider=provider_of(request),
        status=200,
    )


# ---------------------------------------------------------------- the question


def _contents(messages: Sequence[Message], request: Request, model: str) -> list[dict[str, Any]]:
    """User and model in turn; neighbours are joined, as the results of parallel calls must be."""
    contents: list[dict[str, Any]] = []
    names: dict[str | None, str] = {}
    for message in messages:
        role = "model" if message.get("role") == "assistant" else "user"
        names.update({identity: name for identity, name, _ in tool_calls_of(message)})
        parts = _parts(message, request, names, model)
        if parts and contents and contents[-1]["role"] == role:
            contents[-1]["parts"] += parts
        elif parts:
            contents.append({"role": role, "parts": parts})
    return contents


def _parts(message: Message, request: Request, names: Mapping[str | None, str], model: str) -> list[Block]:
    content = message.get("content")
    role = message.get("role")
    if role in ("tool", "function"):
        identity = message.get("tool_call_id")
        name = message.get("name") or names.get(identity) or "tool"
        return [
            {
                "functionResponse": {
                    **_identity(identity),
                    "name": name,
                    "response": {"result": text_of(content)},
                }
            }
        ]
    parts = [_part(block, request) for block in blocks_of(content)]
    if role != "assistant":
        return parts
    signed = {
        block.get("tool_call_id"): block["signature"]
        for block in thinking_blocks_of(message)
        if block.get("type") == _SIGNATURE
    }
    if parts and None in signed:
        parts[-1]["thoughtSignature"] = signed[None]
    for position, (identity, name, arguments) in enumerate(tool_calls_of(message)):
        part: Block = {"functionCall": {**_identity(identity), "name": name, "args": arguments_of(arguments)}}
        # Gemini 3 refuses a first call without its signature; this word, which Google documents, stands for one
        # that is not known because the call comes from elsewhere.
        signature = signed.get(identity) or (_UNSIGNED if position == 0 and _is_three(model) else None)
        if signature:
            part["thoughtSignature"] = signature
        parts.append(part)
    return parts


_UNSIGNED = "skip_thought_signature_validator"


def _identity(identity: str | None) -> dict[str, str]:
    """The call's id, unless it is one that `_output` made up."""
    return {} if identity is None or re.fullmatch(r"call_\d+", identity) else {"id": identity}


def _part(block: Block, request: Request) -> Block:
    kind = block.get("type")
    if kind in TEXT_BLOCKS:
        return {"text": block["text"]}
    if kind in ("image_url", "image"):
        return _media_part(image_of(block), "image/jpeg")
    if kind == "input_audio":
        return _media_part(audio_of(block), "audio/wav")
    if kind == "file":
        return _media_part(file_of(block), "application/pdf")
    if kind == "document":
        text = document_text(block)
        return (
            {"text": text} if text is not None else _media_part(source_of(block["source"]), "application/pdf")
        )
    raise unsupported_block(kind, _NAME, request)


def _media_part(media: Media, otherwise: str) -> Block:
    if media.data is not None:
        return {"inlineData": {"mimeType": media.mime or otherwise, "data": media.data}}
    link: dict[str, Any] = {"fileUri": media.url or media.file_id}
    if media.mime or media.url:
        link["mimeType"] = media.mime or otherwise
    return {"fileData": link}


_TRANSLATED = frozenset(
    {
        "temperature",
        "top_p",
        "top_k",
        "max_tokens",
        "max_completion_tokens",
        "stop",
        "n",
        "seed",
        "presence_penalty",
        "frequency_penalty",
        "logprobs",
        "top_logprobs",
        "response_format",
        "reasoning_effort",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "use_developer_role",
        "user",
        "logit_bias",
        "stream_options",
    }
)
_OWN_NAMES = {"safety_settings": "safetySettings", "generation_config": "generationConfig"}
_CONFIG = {
    "temperature": "temperature",
    "top_p": "topP",
    "top_k": "topK",
    "n": "candidateCount",
    "seed": "seed",
    "presence_penalty": "presencePenalty",
    "frequency_penalty": "frequencyPenalty",
}


def _generation_config(params: Mapping[str, Any], model: str) -> dict[str, Any]:
    config = {own: params[name] for name, own in _CONFIG.items() if name in params}
    limit = limit_of(params)
    if limit is not None:
        config["maxOutputTokens"] = limit
    if "stop" in params:
        config["stopSequences"] = stops_of(params["stop"])
    if params.get("logprobs"):
        config["responseLogprobs"] = True
        if params.get("top_logprobs"):
            config["logprobs"] = params["top_logprobs"]
    asked = params.get("response_format")
    if asked is not None and openai_format(asked).get("type") != "text":
        config["responseMimeType"] = "application/json"
        schema = asked_schema(asked)
        if schema is not None:
            config["responseJsonSchema"] = schema
    effort = effort_of(params.get("reasoning_effort"))
    if effort is not None:
        config["thinkingConfig"] = _thinking(effort, model)
    return config


def _is_three(model: str) -> bool:
    """Gemini 3 and later: levels instead of budgets, and thinking that cannot be turned off."""
    return re.search(r"gemini-(?:[3-9]|\d\d)", model) is not None


def _thinking(effort: Effort, model: str) -> dict[str, Any]:
    if effort.budget is None and _is_three(model):
        level = {"xhigh": "high", "max": "high"}.get(effort.word or "", effort.word)
        return {"thinkingLevel": "minimal" if effort.off else level, "includeThoughts": not effort.off}
    if effort.off:
        return {"thinkingBudget": 0}
    return {"thinkingBudget": effort.tokens, "includeThoughts": True}


def _add_tools(payload: dict[str, Any], params: Mapping[str, Any]) -> None:
    tools = params.get("tools")
    if not tools:
        return
    functions = [_declaration(tool["function"]) for tool in tools if tool.get("function")]
    own = [tool for tool in tools if not tool.get("function")]
    payload["tools"] = [*([{"functionDeclarations": functions}] if functions else []), *own]
    choice = params.get("tool_choice")
    if choice is None:
        return
    name = chosen_tool(choice)
    words = {"required": "ANY", "none": "NONE"}
    mode: dict[str, Any] = (
        {"mode": "ANY", "allowedFunctionNames": [name]} if name else {"mode": words.get(str(choice), "AUTO")}
    )
    payload["toolConfig"] = {"functionCallingConfig": mode}


def _declaration(function: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {"name": function["name"]}
    if function.get("description"):
        made["description"] = function["description"]
    if (function.get("parameters") or {}).get("properties"):
        made["parametersJsonSchema"] = function["parameters"]
    return made


def _json(value: Any) -> str:
    return orjson.dumps(value if value is not None else {}).decode()
