"""Your own layout of the prompt, as Jinja templates; answers are read by one of the other adapters, or by you.

dspx.TemplateAdapter(
    messages=[
        {"role": "system", "content": "{{ instructions }}"},
        {"demos": [
            {"role": "user", "content": "Q: {{ demo.inputs.question }}"},
            {"role": "assistant", "content": "{{ demo.answer }}"},
        ]},
        {"role": "user", "content": "Q: {{ inputs.question }}\\n\\n{{ format.requirements }}"},
    ],
    parse="json",
)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dspx.adapters.base import GAP, Adapter, Message
from dspx.adapters.chat import ChatAdapter
from dspx.adapters.fieldstream import FieldStream
from dspx.adapters.function_reader import FunctionReader, whole
from dspx.adapters.json import JSONAdapter
from dspx.adapters.plan import Shape
from dspx.adapters.prompt_templates import Names, PromptTemplate, compile_template
from dspx.adapters.render import Renderer, renderer, schema_text, type_name
from dspx.adapters.xml import XMLAdapter
from dspx.content import markers
from dspx.core.example import Example
from dspx.core.fields import Field
from dspx.errors import UsageError

_READERS: dict[str, type[Adapter]] = {"chat": ChatAdapter, "json": JSONAdapter, "xml": XMLAdapter}
_SECTIONS = {"demos": "demo", "history": "turn"}


class TemplateAdapter(Adapter, layout=True):
    """Messages from templates. `messages` are dicts of two kinds:

    - `{"role": …, "content": template}`: one message; left out where it renders to nothing.
    - `{"demos": […]}` and `{"history": […]}`: messages repeated for each `demo`, for each `turn`.

    A template can use `instructions`; `inputs.name` (as text) and `values.name` (as given); `fields.name` and
    `outputs.name` with `.name`, `.type`, `.description`, `.constraints`, `.schema`; `demos` and `history`, each entry
    with `.inputs`, `.outputs`, `.values`, `.complete` and `.answer` (the outputs in the form that `parse` reads); and
    `format.descriptions`, `format.structure`, `format.task`, `format.requirements`: the texts of the adapter that reads.

    `parse` says who reads the answer: `"chat"`, `"json"`, `"xml"`, an adapter, `"raw"` (all of it is the only output),
    or a function from the completion to a dict of outputs, or to the only output. An answer on which the function
    fails cannot be read.
    """

    def __init__(
        self,
        messages: Sequence[Mapping[str, Any]],
        parse: str | Adapter | Callable[[str], Any] = "chat",
        callbacks: list[Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(callbacks, **kwargs)
        self.messages = list(messages)
        self.reader = _reader(parse)
        self._entries = [_compiled(entry, f"message {number}") for number, entry in enumerate(messages, 1)]

    # ------------------------------------------------------------ values → messages

    def format(self, signature: Any, demos: Sequence[Any], inputs: Mapping[str, Any]) -> list[Message]:
        """The messages. `UsageError` with message and line where a template asks for what is not there."""
        names = self._names(signature, demos, inputs)
        messages = [message for entry in self._entries for message in entry.messages(names)]
        if not messages:
            raise UsageError("The templates rendered no message at all: there is nothing to ask the LM.")
        return messages

    def format_assistant_message_content(
        self, signature: Any, outputs: Mapping[str, Any], missing_field_message: str | None = None
    ) -> str:
        return self.reader.format_assistant_message_content(signature, outputs, missing_field_message)

    def user_message_output_requirements(self, signature: Any) -> str | None:
        return self.reader.user_message_output_requirements(signature)

    def _names(self, signature: Any, demos: Sequence[Any], inputs: Mapping[str, Any]) -> dict[str, Any]:
        """What templates can use."""
        shape = self.plan(signature).shape
        given = {
            name: value for name, value in inputs.items() if name in shape.inputs and name != shape.history
        }
        past = inputs.get(shape.history) if shape.history else None
        return {
            "instructions": signature.instructions,
            "inputs": Names("inputs", _texts(shape, given)),
            "values": Names("values", given),
            "fields": Names("fields", shape.once("input_views", lambda: _views(shape.inputs))),
            "outputs": Names("outputs", shape.once("output_views", lambda: _views(shape.outputs))),
            "format": _format_names(self.reader, signature),
            "demos": self._demos(signature, shape, demos),
            "history": [self._entry("turn", signature, shape, turn, None) for turn in _turns(past)],
        }

    def _demos(self, signature: Any, shape: Shape, demos: Sequence[Any]) -> list[Names]:
        """Demos with gaps first; those without any input or any output not at all."""
        entries = [self._entry("demo", signature, shape, demo, GAP) for demo in demos]
        useful = [entry for entry in entries if entry["complete"] or (entry["inputs"] and entry["outputs"])]
        return sorted(useful, key=lambda entry: entry["complete"])

    def _entry(self, label: str, signature: Any, shape: Shape, entry: Any, gap: str | None) -> Names:
        values: dict[str, Any] = dict(entry._store if isinstance(entry, Example) else entry)
        known = {name: value for name, value in values.items() if name in shape.fields and value is not None}
        return Names(
            label,
            {
                "inputs": Names(f"{label}.inputs", _texts(shape, known, shape.inputs)),
                "outputs": Names(f"{label}.outputs", _texts(shape, known, shape.outputs)),
                "values": Names(f"{label}.values", values),
                "complete": all(name in known for name in shape.fields if name != shape.history),
                "answer": self.format_assistant_message_content(signature, values, gap).strip(),
            },
        )

    # ------------------------------------------------------------ a completion → values

    def parse(self, signature: Any, completion: str) -> dict[str, Any]:
        return self.reader.parse(signature, completion)

    def field_stream(self, signature: Any) -> FieldStream | None:
        return None if "parse" in self._hooked else self.reader.field_stream(signature)

    def _prepared(
        self,
        lm: Any,
        lm_kwargs: Mapping[str, Any],
        signature: Any,
        shape: Shape,
        inputs: Mapping[str, Any],
    ) -> tuple[Any, dict[str, Any]]:
        asked, params = super()._prepared(lm, lm_kwargs, signature, shape, inputs)
        if isinstance(self.reader, JSONAdapter) and params.get("response_format") is None:
            response_format = self.reader.response_format(lm, asked)
            if response_format is not None:
                params["response_format"] = response_format
        return asked, params


# ---------------------------------------------------------------- templates


@dataclass(frozen=True, slots=True)
class _Message:
    """One message: its role, and its content as a template, or as content blocks with templates in their texts."""

    role: str
    content: PromptTemplate | list[PromptTemplate | dict[str, Any]]

    def messages(self, names: Mapping[str, Any]) -> Iterator[Message]:
        content = self._rendered(names)
        if content:
            yield {"role": self.role, "content": content}

    def _rendered(self, names: Mapping[str, Any]) -> str | list[dict[str, Any]]:
        if isinstance(self.content, PromptTemplate):
            text = self.content.render(names).strip()
            return markers.content_of(text) if self.role == "user" else text
        blocks: list[dict[str, Any]] = []
        for part in self.content:
            if isinstance(part, dict):
                blocks.append(part)
            elif text := part.render(names).strip():
                content = markers.content_of(text)
                blocks += [{"type": "text", "text": content}] if isinstance(content, str) else content
        return blocks


@dataclass(frozen=True, slots=True)
class _Section:
    """Messages repeated for each demo, or for each turn of the history."""

    source: str
    entries: list[_Message]

    def messages(self, names: Mapping[str, Any]) -> Iterator[Message]:
        for item in names[self.source]:
            for entry in self.entries:
                yield from entry.messages({**names, _SECTIONS[self.source]: item})


def _compiled(entry: Mapping[str, Any], place: str) -> _Message | _Section:
    for source in _SECTIONS:
        if isinstance(entry, Mapping) and source in entry:
            inner = [_message(each, f"{place}.{number}") for number, each in enumerate(entry[source], 1)]
            return _Section(source, inner)
    return _message(entry, place)


def _message(entry: Mapping[str, Any], place: str) -> _Message:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("role"), str) or "content" not in entry:
        raise UsageError(
            f'{place} of the templates must be {{"role": …, "content": …}}, {{"demos": […]}} or {{"history": […]}}, '
            f"not {entry!r:.200}."
        )
    where = f"{place} ({entry['role']})"
    content = entry["content"]
    if isinstance(content, str):
        return _Message(entry["role"], compile_template(content, where))
    blocks = [
        compile_template(block["text"], where) if block.get("type") == "text" else dict(block)
        for block in content
    ]
    return _Message(entry["role"], blocks)


# ---------------------------------------------------------------- names for templates


@dataclass(frozen=True, slots=True)
class FieldView:
    """A field as a template sees it."""

    name: str
    _field: Field

    @property
    def type(self) -> str:
        return type_name(self._field.annotation)

    @property
    def description(self) -> str:
        return self._field.description_text

    @property
    def constraints(self) -> str:
        return self._field.constraints or ""

    @property
    def schema(self) -> str:
        """The type's JSON schema."""
        return schema_text(self._field.annotation)


def _views(fields: Mapping[str, Field]) -> dict[str, FieldView]:
    return {name: FieldView(name, field) for name, field in fields.items()}


def _texts(shape: Shape, values: Mapping[str, Any], among: Mapping[str, Any] | None = None) -> dict[str, str]:
    def make() -> dict[str, Renderer]:
        return {name: renderer(field) for name, field in shape.fields.items()}

    renderers = shape.once("template_texts", make)
    return {name: renderers[name](value) for name, value in values.items() if among is None or name in among}


def _format_names(reader: Adapter, signature: Any) -> Names:
    hooks: dict[str, Callable[[Any], str | None]] = {
        "descriptions": reader.format_field_description,
        "structure": reader.format_field_structure,
        "task": reader.format_task_description,
        "requirements": reader.user_message_output_requirements,
    }
    return Names("format", {name: _said(hook, signature) for name, hook in hooks.items()})


def _said(hook: Callable[[Any], str | None], signature: Any) -> str:
    """A text of the adapter that reads; nothing where it has none, for an adapter need not have any."""
    try:
        return hook(signature) or ""
    except UsageError:
        return ""


def _turns(history: Any) -> list[Any]:
    """The turns of a `History`, of its dict, or of its list."""
    turns: Any = getattr(history, "messages", history)
    if isinstance(turns, Mapping):
        turns = turns.get("messages")
    if turns is None:
        return []
    if not isinstance(turns, list):
        raise UsageError(f"A history must be a dspx.History(messages=[{{…}}, …]), not {history!r:.100}.")
    return turns


# ---------------------------------------------------------------- reading


def _reader(parse: Any) -> Adapter:
    if isinstance(parse, Adapter):
        return parse
    if parse == "raw":
        return FunctionReader(whole)
    if isinstance(parse, str) and parse in _READERS:
        return _READERS[parse]()
    if callable(parse):
        return FunctionReader(parse)
    known = ", ".join(f"{name!r}" for name in (*_READERS, "raw"))
    raise UsageError(f"parse= must be one of {known}, an adapter or a function, not {parse!r}.")
