"""One answer of a language model: its completions, what they used, and where they came from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from dspx.core.record import record
from dspx.lm.reading import Look, get, opened, plain
from dspx.lm.usage import Usage


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool that the model wants called; `arguments` is JSON text, as the model wrote it."""

    id: str | None
    name: str
    arguments: str

    def to_openai(self) -> dict[str, Any]:
        """As Chat Completions writes it."""
        return {
            "id": self.id,
            "type": "function",
            "function": {"name": self.name, "arguments": self.arguments},
        }


@record
class Output:
    """One completion.

    `text` is None only where the model called tools and said nothing. `finish_reason` is "stop", "length",
    "tool_calls", "content_filter" or a provider's own word. `thinking` holds the provider's signed thinking
    blocks: put them into the assistant message as `thinking_blocks` to have them sent back.
    """

    text: str | None = None
    reasoning: str | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    logprobs: Any = None
    citations: tuple[dict[str, Any], ...] = ()
    finish_reason: str | None = None
    thinking: tuple[dict[str, Any], ...] = ()

    @property
    def is_plain(self) -> bool:
        """Whether there is nothing but text."""
        return not (self.reasoning or self.tool_calls or self.citations) and self.logprobs is None

    def to_message(self) -> dict[str, Any]:
        """The assistant message that says this again, in a conversation that goes on."""
        message: dict[str, Any] = {"role": "assistant", "content": self.text}
        if self.tool_calls:
            message["tool_calls"] = [call.to_openai() for call in self.tool_calls]
        if self.reasoning:
            message["reasoning_content"] = self.reasoning
        if self.thinking:
            message["thinking_blocks"] = list(self.thinking)
        return message


@record
class Response:
    """A whole answer.

    `model` is the name the provider answered under, `route` the model string of the LM that answered (another
    one than asked, after a fallback). `cost` is in US dollars, None where no price is known.
    """

    model: str
    outputs: tuple[Output, ...]
    usage: Usage = field(default_factory=Usage)
    id: str | None = None
    cost: float | None = None
    cache_hit: bool = False
    route: str | None = None

    @property
    def text(self) -> str | None:
        """The first completion's text."""
        return self.outputs[0].text if self.outputs else None

    def as_outputs(self, *, as_dicts: bool = False) -> list[Any]:
        """The value of `lm(...)`: strings, or dicts as soon as any completion carries more than text."""
        if not as_dicts and all(output.is_plain for output in self.outputs):
            return [output.text for output in self.outputs]
        return [_as_dict(output) for output in self.outputs]

    @property
    def choices(self) -> list[Any]:
        """The completions as Chat Completions shapes them: `.choices[0].message.content`."""
        return [_shaped_choice(index, output) for index, output in enumerate(self.outputs)]

    def to_json(self) -> dict[str, Any]:
        """A dict of JSON values; `from_json` gives an equal response back."""
        return _without_defaults(
            {
                "model": self.model,
                "outputs": [_output_to_json(output) for output in self.outputs],
                "usage": _usage_to_json(self.usage),
                "id": self.id,
                "cost": self.cost,
                "cache_hit": self.cache_hit,
                "route": self.route,
            }
        )

    @classmethod
    def from_json(cls, value: Any) -> Response:
        """Read what `to_json` wrote; ValueError where it did not write this."""
        try:
            get = value.get
            return cls(
                _text(value["model"]),
                tuple([_output_from_json(output) for output in get("outputs", ())]),
                Usage(**get("usage", {})),
                get("id"),
                get("cost"),
                get("cache_hit", False),
                get("route"),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"Not a response as Response.to_json writes it: {str(value)[:200]}") from error

    @classmethod
    def from_openai(cls, answer: Any, *, model: str = "") -> Response:
        """Read whatever a `BaseLM.forward` may return.

        That is: a Response, a string, a list of strings or of `as_outputs` dicts, or OpenAI's answer (Chat
        Completions, legacy completions or Responses) as a dict or as an SDK's object. `model` is the name to
        use where the answer has none. TypeError where it is none of these.
        """
        return _reading(type(answer))(answer, model)


@lru_cache(maxsize=256)
def _reading(kind: type[Any]) -> Callable[[Any, str], Response]:
    """How answers of this kind become a response; `model` is the name to use where they have none."""
    if issubclass(kind, Response):
        return lambda answer, _: answer
    if issubclass(kind, str):
        return lambda answer, model: Response(model, (Output(answer, finish_reason="stop"),))
    if issubclass(kind, (list, tuple)):
        return lambda answer, model: Response(model, tuple([_loose_output(item) for item in answer]))
    return _read_answer


def _read_answer(answer: Any, model: str) -> Response:
    look = opened(answer)
    choices = look("choices")
    if isinstance(choices, (list, tuple)):
        outputs = tuple([read_choice(choice) for choice in choices])
    elif isinstance(items := look("output"), (list, tuple)):
        outputs = (read_items(items),)
    else:
        raise TypeError(
            f"An LM's forward returned {type(answer).__name__}, which is neither a string, a list of strings, "
            "a dspx Response, nor an OpenAI answer with `choices` (or `output`)."
        )
    name = look("model")
    return Response(
        model if name is None else str(name),
        outputs,
        Usage.from_openai(look("usage")),
        look("id"),
        look("cost"),
        bool(look("cache_hit")),
    )


def read_choice(choice: Any) -> Output:
    """One element of OpenAI's `choices`, of Chat Completions or of legacy completions."""
    look = opened(choice)
    message, logprobs, finish_reason = look("message"), look("logprobs"), look("finish_reason")
    if logprobs is not None:
        logprobs = plain(logprobs)
    if message is None:
        text = look("text")
        return Output("" if text is None else _text(text), None, (), logprobs, (), finish_reason)
    return _read_message(opened(message), logprobs, finish_reason)


def _read_message(look: Look, logprobs: Any, finish_reason: Any) -> Output:
    text, thoughts = look("content"), None
    if type(text) is not str:
        text, thoughts = _split_content(text)
    if not text and (refusal := look("refusal")):
        text, finish_reason = refusal, "content_filter"
    reasoning = look("reasoning_content") or look("reasoning") or thoughts
    calls = _tool_calls(look)
    thinking = look("thinking_blocks")
    return Output(
        text or spoken(text, calls),
        _text(reasoning) if reasoning else None,
        calls,
        logprobs,
        _citations(look),
        finish_reason,
        tuple(plain(thinking)) if thinking else (),
    )


def read_items(items: Iterable[Any]) -> Output:
    """OpenAI Responses' `output` items, as one completion."""
    texts: list[str] = []
    reasoning: list[str] = []
    calls: list[ToolCall] = []
    citations: list[dict[str, Any]] = []
    logprobs: list[Any] = []
    thinking: list[dict[str, Any]] = []
    refused = False
    for item in items:
        kind = get(item, "type")
        if kind == "message":
            for part in get(item, "content", ()):
                refused = refused or get(part, "type") == "refusal"
                texts.append(_text(get(part, "text", get(part, "refusal", ""))))
                citations += plain(get(part, "annotations", ()))
                logprobs += plain(get(part, "logprobs", ()))
        elif kind == "reasoning":
            parts = [*get(item, "summary", ()), *get(item, "content", ())]
            reasoning += [_text(get(part, "text", "")) for part in parts]
            thinking.append(plain(item))
        elif kind == "function_call":
            calls.append(
                ToolCall(get(item, "call_id"), _text(get(item, "name")), _arguments(get(item, "arguments")))
            )
    return Output(
        text=spoken("".join(texts), tuple(calls)),
        reasoning="\n\n".join(part for part in reasoning if part) or None,
        tool_calls=tuple(calls),
        logprobs={"content": logprobs} if logprobs else None,
        citations=tuple(citations),
        finish_reason="content_filter" if refused else "tool_calls" if calls else "stop",
        thinking=tuple(thinking),
    )


def spoken(text: str | None, calls: tuple[ToolCall, ...]) -> str | None:
    """The text of a completion: None only beside tool calls, where protocols write "" and null alike."""
    return text or (None if calls else "")


# ---------------------------------------------------------------- OpenAI's shapes


class Shape(dict[str, Any]):
    """A dict whose items are attributes too, as an SDK's objects have them."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


def _shaped_choice(index: int, output: Output) -> Shape:
    message = Shape(
        role="assistant",
        content=output.text,
        tool_calls=[_shaped_call(call) for call in output.tool_calls] or None,
        reasoning_content=output.reasoning,
        thinking_blocks=list(output.thinking) or None,
        citations=list(output.citations) or None,
    )
    return Shape(index=index, message=message, finish_reason=output.finish_reason, logprobs=output.logprobs)


def _shaped_call(call: ToolCall) -> Shape:
    return Shape(id=call.id, type="function", function=Shape(name=call.name, arguments=call.arguments))


def _as_dict(output: Output) -> dict[str, Any]:
    result: dict[str, Any] = {"text": output.text}
    if output.reasoning:
        result["reasoning_content"] = output.reasoning
    if output.tool_calls:
        result["tool_calls"] = [call.to_openai() for call in output.tool_calls]
    if output.logprobs is not None:
        result["logprobs"] = output.logprobs
    if output.citations:
        result["citations"] = list(output.citations)
    return result


def _loose_output(item: Any) -> Output:
    if isinstance(item, Output):
        return item
    if isinstance(item, str):
        return Output(text=item, finish_reason="stop")
    if isinstance(item, Mapping):
        return Output(
            text=item.get("text"),
            reasoning=item.get("reasoning_content"),
            tool_calls=_tool_calls(item.get),
            logprobs=plain(item.get("logprobs")),
            citations=tuple(plain(item.get("citations") or ())),
        )
    raise TypeError(f"A completion is a string or a dict with `text`, not {type(item).__name__}.")


def _split_content(content: Any) -> tuple[str | None, str | None]:
    """Text and thoughts. Some servers (Mistral) answer in blocks, thinking ones among them."""
    if content is None or isinstance(content, str):
        return content, None
    texts: list[str] = []
    thoughts: list[str] = []
    for block in content:
        if isinstance(block, str):
            texts.append(block)
        elif get(block, "type") == "thinking":
            inner = get(block, "thinking", "")
            thoughts += (
                [inner] if isinstance(inner, str) else [_text(get(part, "text", "")) for part in inner]
            )
        else:
            texts.append(_text(get(block, "text", "")))
    return "".join(texts), "".join(thoughts) or None


def _tool_calls(look: Look) -> tuple[ToolCall, ...]:
    calls, legacy = look("tool_calls"), look("function_call")
    if calls:
        return tuple([call if isinstance(call, ToolCall) else _tool_call(call) for call in calls])
    if legacy is None:
        return ()
    return (ToolCall(None, _text(get(legacy, "name")), _arguments(get(legacy, "arguments"))),)


def _tool_call(call: Any) -> ToolCall:
    function = get(call, "function", call)
    arguments = get(function, "arguments", get(function, "args"))
    return ToolCall(get(call, "id"), _text(get(function, "name")), _arguments(arguments))


def _arguments(value: Any) -> str:
    if isinstance(value, str):
        return value or "{}"
    import orjson

    return orjson.dumps({} if value is None else plain(value)).decode()


def _citations(look: Look) -> tuple[dict[str, Any], ...]:
    """LiteLLM's citations (lists of lists), or OpenAI's annotations with their nesting taken off."""
    found, extra, notes = look("citations"), look("provider_specific_fields"), look("annotations")
    if found is None and extra is not None:
        found = get(extra, "citations")
    if not found and not notes:
        return ()
    result: list[dict[str, Any]] = []
    for item in found or ():
        result += [plain(part) for part in (item if isinstance(item, (list, tuple)) else [item])]
    for note in plain(notes or ()):
        kind = note.get("type")
        inner = note.get(kind)
        result.append({"type": kind, **inner} if isinstance(inner, dict) else note)
    return tuple(result)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected text, found {type(value).__name__}")
    return value


# ---------------------------------------------------------------- JSON


def _output_to_json(output: Output) -> dict[str, Any]:
    result = _without_defaults(
        {
            "text": output.text,
            "reasoning": output.reasoning,
            "tool_calls": [[call.id, call.name, call.arguments] for call in output.tool_calls],
            "citations": list(output.citations),
            "finish_reason": output.finish_reason,
            "thinking": list(output.thinking),
        }
    )
    if output.logprobs is not None:
        result["logprobs"] = output.logprobs
    return result


def _output_from_json(value: Mapping[str, Any]) -> Output:
    get = value.get
    calls = get("tool_calls")
    return Output(
        get("text"),
        get("reasoning"),
        tuple([ToolCall(*call) for call in calls]) if calls else (),
        get("logprobs"),
        tuple(get("citations", ())),
        get("finish_reason"),
        tuple(get("thinking", ())),
    )


def _usage_to_json(usage: Usage) -> dict[str, Any]:
    names = (
        "prompt_tokens",
        "completion_tokens",
        "total_tokens",
        "cached_tokens",
        "reasoning_tokens",
        "details",
    )
    return {name: getattr(usage, name) for name in names if getattr(usage, name)}


def _without_defaults(fields: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for name, value in fields.items()
        if value is not None and value is not False and value != [] and value != {}
    }
