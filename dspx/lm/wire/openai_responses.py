"""OpenAI Responses: a list of items in, a list of items out (platform.openai.com/docs/api-reference/responses)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from dspx.core.streams import Delta
from dspx.lm.message import (
    TEXT_BLOCKS,
    Block,
    Message,
    blocks_of,
    document_text,
    file_of,
    image_of,
    source_of,
    text_of,
    thinking_blocks_of,
    tool_calls_of,
)
from dspx.lm.request import Request
from dspx.lm.response import Response, read_items
from dspx.lm.usage import Usage
from dspx.lm.wire.asked import chosen_tool, effort_of, limit_of, refuse, unsupported_block
from dspx.lm.wire.base import Endpoint, JSONWire, StreamAssembler, reported
from dspx.lm.wire.openai_chat import add_prompt_cache
from dspx.lm.wire.schema import openai_format

_NAME = "The Responses API"


class OpenAIResponses(JSONWire):
    """POST …/responses."""

    name = "openai_responses"

    def path(self, request: Request, endpoint: Endpoint) -> str:
        return "/responses"

    def payload(self, request: Request, endpoint: Endpoint) -> dict[str, Any]:
        params = request.params
        refuse(request, _NAME, ("stop", "frequency_penalty", "presence_penalty", "logit_bias"))
        developer = bool(params.get("use_developer_role"))
        items = [item for message in request.messages for item in _items(message, developer, request)]
        payload: dict[str, Any] = {"model": endpoint.model, "input": items}
        payload.update({name: value for name, value in params.items() if name not in _TRANSLATED})
        limit = limit_of(params)
        if limit is not None:
            payload["max_output_tokens"] = limit
        _add_tools(payload, params)
        _add_text_format(payload, params)
        _add_reasoning(payload, params)
        if params.get("logprobs"):
            payload["include"] = [*payload.get("include", ()), "message.output_text.logprobs"]
            if "top_logprobs" in params:
                payload["top_logprobs"] = params["top_logprobs"]
        add_prompt_cache(payload, request.prompt_cache)
        if request.stream:
            payload["stream"] = True
        return payload

    def read(self, body: dict[str, Any], request: Request) -> Response:
        if body.get("status") in ("failed", "cancelled"):
            raise reported({"error": {"message": f"the response was {body['status']}"}}, request)
        output = read_items(body["output"])
        if body.get("status") == "incomplete":
            reason = (body.get("incomplete_details") or {}).get("reason")
            output = replace(output, finish_reason="length" if reason == "max_output_tokens" else reason)
        return Response(
            model=str(body.get("model") or request.model),
            outputs=(output,),
            usage=Usage.from_openai(body.get("usage")),
            id=body.get("id"),
        )

    def assembler(self, request: Request) -> ResponsesAssembler:
        return ResponsesAssembler(self, request)


class ResponsesAssembler(StreamAssembler):
    """The last event carries the whole response; the items of the others serve where it broke off."""

    def __init__(self, wire: JSONWire, request: Request) -> None:
        super().__init__(wire, request)
        self.items: dict[int, dict[str, Any]] = {}
        self.pieces: dict[int, list[str]] = {}
        self.final: dict[str, Any] | None = None

    def take(self, event: dict[str, Any]) -> list[Delta]:
        kind = event.get("type") or ""
        if kind in ("response.completed", "response.incomplete"):
            self.final = event["response"]
        elif kind == "response.failed":
            raise reported(event["response"], self.request)
        elif kind == "error":
            raise reported({"error": {**event, "type": event.get("code")}}, self.request)
        elif kind == "response.created":
            self.body = {name: event["response"].get(name) for name in ("id", "model")}
        elif kind in ("response.output_item.added", "response.output_item.done"):
            self.items[event["output_index"]] = event["item"]
            self.pieces.pop(event["output_index"], None)
        return self._deltas(kind, event)

    def complete(self) -> bool:
        return self.final is not None

    def whole_body(self) -> dict[str, Any]:
        items = [_grown(self.items[index], self.pieces.get(index, ())) for index in sorted(self.items)]
        if self.final is None:
            return {**self.body, "output": items}
        # Some servers leave the items out of the last event.
        return self.final if self.final.get("output") else {**self.final, "output": items}

    def _deltas(self, kind: str, event: dict[str, Any]) -> list[Delta]:
        fragment = event.get("delta")
        if not isinstance(fragment, str) or not fragment:
            return []
        if kind in ("response.output_text.delta", "response.refusal.delta"):
            self._keep(event, fragment)
            return [Delta(fragment)]
        if kind in ("response.reasoning_summary_text.delta", "response.reasoning_text.delta"):
            return [Delta(fragment, "reasoning")]
        if kind == "response.function_call_arguments.delta":
            item = self._keep(event, fragment)
            payload = {"index": self._call_index(event), "id": item.get("call_id"), "name": item.get("name")}
            return [Delta(fragment, "tool_call", 0, payload)]
        return []

    def _call_index(self, event: dict[str, Any]) -> int:
        """Which of the calls this is: the items before it are messages and thoughts too."""
        place = event.get("output_index", 0)
        return sum(item.get("type") == "function_call" for index, item in self.items.items() if index < place)

    def _keep(self, event: dict[str, Any], fragment: str) -> dict[str, Any]:
        """Keep the text so far, so that a stream that breaks off leaves a partial answer; gives its item."""
        index = event.get("output_index", 0)
        self.pieces.setdefault(index, []).append(fragment)
        return self.items.setdefault(index, {"type": "message"})


def _grown(item: dict[str, Any], pieces: Sequence[str]) -> dict[str, Any]:
    """An item that is not done, with what came of it."""
    if not pieces:
        return item
    text = "".join(pieces)
    if item.get("type") == "function_call":
        return {**item, "arguments": text}
    return {**item, "content": [{"type": "output_text", "text": text}]}


_TRANSLATED = frozenset(
    {
        "max_tokens",
        "max_completion_tokens",
        "tools",
        "tool_choice",
        "response_format",
        "verbosity",
        "reasoning_effort",
        "logprobs",
        "top_logprobs",
        "use_developer_role",
        "stop",
        "frequency_penalty",
        "presence_penalty",
        "logit_bias",
        "seed",
        "n",
        "stream_options",
    }
)


def _add_tools(payload: dict[str, Any], params: Mapping[str, Any]) -> None:
    if "tools" in params:
        payload["tools"] = [_tool(tool) for tool in params["tools"]]
    choice = params.get("tool_choice")
    if choice is not None:
        name = chosen_tool(choice)
        payload["tool_choice"] = {"type": "function", "name": name} if name else choice


def _tool(tool: dict[str, Any]) -> dict[str, Any]:
    function = tool.get("function")
    # Without `strict` the Responses API closes schemas itself, and refuses those that it cannot.
    return tool if function is None else {"type": "function", "strict": False, **function}


def _add_text_format(payload: dict[str, Any], params: Mapping[str, Any]) -> None:
    text: dict[str, Any] = dict(payload.get("text") or {})
    if "response_format" in params:
        form = openai_format(params["response_format"])
        text["format"] = {"type": form["type"], **form.get("json_schema", {})}
    if "verbosity" in params:
        text["verbosity"] = params["verbosity"]
    if text:
        payload["text"] = text


def _add_reasoning(payload: dict[str, Any], params: Mapping[str, Any]) -> None:
    effort = effort_of(params.get("reasoning_effort"))
    if effort is not None:
        asked = {"effort": "none" if effort.off else effort.word, "summary": effort.summary}
        payload["reasoning"] = {name: value for name, value in asked.items() if value}


def _items(message: Message, developer: bool, request: Request) -> Iterator[dict[str, Any]]:
    """A message's items: thoughts, words, calls, or a tool's result."""
    role = message.get("role")
    content = message.get("content")
    if role == "tool":
        output = content if isinstance(content, str) else text_of(content)
        yield {"type": "function_call_output", "call_id": message.get("tool_call_id"), "output": output}
        return
    if role == "assistant":
        yield from (block for block in thinking_blocks_of(message) if block.get("type") == "reasoning")
        text = text_of(content)
        if text:
            yield {"role": "assistant", "content": text}
        for identity, name, arguments in tool_calls_of(message):
            yield {"type": "function_call", "call_id": identity, "name": name, "arguments": arguments}
        return
    if not isinstance(content, str):
        content = [_block(block, request) for block in blocks_of(content)]
    yield {"role": "developer" if developer and role == "system" else role, "content": content}


def _block(block: Block, request: Request) -> Block:
    kind = block.get("type")
    if kind in TEXT_BLOCKS:
        return {"type": "input_text", "text": block["text"]}
    if kind in ("image_url", "image"):
        media = image_of(block)
        link = block.get("image_url")
        detail = {"detail": link["detail"]} if isinstance(link, Mapping) and link.get("detail") else {}
        return {"type": "input_image", "image_url": media.data_uri or media.url, **detail}
    if kind == "file":
        return _file(block)
    if kind == "document":
        return _document(block)
    if kind in ("input_image", "input_file", "input_audio"):
        return block
    raise unsupported_block(kind, _NAME, request)


def _file(block: Block) -> Block:
    media = file_of(block)
    if media.file_id is not None:
        return {"type": "input_file", "file_id": media.file_id}
    if media.url is not None:
        return {"type": "input_file", "file_url": media.url}
    return {"type": "input_file", "filename": media.filename or "file", "file_data": media.data_uri}


def _document(block: Block) -> Block:
    text = document_text(block)
    if text is not None:
        return {"type": "input_text", "text": text}
    media = source_of(block["source"])
    if media.file_id is not None:
        return {"type": "input_file", "file_id": media.file_id}
    if media.url is not None:
        return {"type": "input_file", "file_url": media.url}
    return {
        "type": "input_file",
        "filename": block.get("title") or "document.pdf",
        "file_data": media.data_uri,
    }
