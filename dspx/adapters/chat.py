"""The default adapter: fields under `[[ ## name ## ]]` markers, read back tolerantly."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dspx.adapters import loose_json, native_tools
from dspx.adapters.base import Adapter, missing_outputs
from dspx.adapters.coerce import why
from dspx.adapters.fieldstream import ChatFieldStream, FieldStream, without_broken_marker
from dspx.adapters.plan import Section, Shape
from dspx.adapters.render import field_descriptions, is_content, type_name, value_note
from dspx.errors import AdapterParseError

if TYPE_CHECKING:
    from dspx.core.fields import Field

INTRODUCTION = (
    "All interactions will be structured in the following way, with the appropriate values filled in."
)
END = "[[ ## completed ## ]]"


class ChatAdapter(Adapter, layout=True):
    """`[[ ## name ## ]]`, then the value, for each field; `[[ ## completed ## ]]` at the end.

    An answer that cannot be read is asked for once more: as JSON, or with `use_json_adapter_fallback=False`
    in the same form; with `ask_again=False` not at all.
    """

    def __init__(
        self,
        callbacks: list[Any] | None = None,
        use_native_function_calling: bool = False,
        native_response_types: Sequence[Any] | None = None,
        use_json_adapter_fallback: bool = True,
        parallel_tool_calls: bool | None = None,
        *,
        ask_again: bool = True,
    ) -> None:
        super().__init__(
            callbacks,
            use_native_function_calling,
            native_response_types,
            parallel_tool_calls,
            ask_again=ask_again,
        )
        self.use_json_adapter_fallback = use_json_adapter_fallback

    def _asks_again(self) -> Adapter:
        if not self.use_json_adapter_fallback:
            return self
        from dspx.adapters.json import JSONAdapter

        return JSONAdapter(
            self.callbacks,
            self.use_native_function_calling,
            self.parallel_tool_calls,
            native_response_types=self.native_response_types,
        )

    # ------------------------------------------------------------ the system message

    def format_field_description(self, signature: Any) -> str:
        return self.plan(signature).shape.once("descriptions", lambda: _descriptions(signature))

    def format_field_structure(self, signature: Any) -> str:
        return self.plan(signature).shape.once("structure", lambda: _structure(signature))

    def format_task_description(self, signature: Any) -> str:
        lines = inspect.cleandoc(signature.instructions).splitlines()
        objective = "".join(f"\n{' ' * 8}{line}" for line in lines)
        return f"In adhering to this structure, your objective is: {objective}"

    # ------------------------------------------------------------ questions and answers

    def format_user_message_content(
        self,
        signature: Any,
        inputs: Mapping[str, Any],
        prefix: str = "",
        suffix: str = "",
        main_request: bool = False,
    ) -> str:
        sections = [prefix]
        shape = self.plan(signature).shape
        for name, opening, text_of in self._input_sections(shape):
            if name in inputs:
                value = inputs[name]
                sections.append(opening + (value if type(value) is str else text_of(value)))
        if main_request:
            requirements = self.user_message_output_requirements(signature)
            if requirements is not None:
                sections.append(requirements)
        sections.append(suffix)
        return "\n\n".join(sections).strip()

    def user_message_output_requirements(self, signature: Any) -> str | None:
        if native_tools.is_answered_natively(signature):
            return None
        shape = self.plan(signature).shape
        return shape.kept.get("requirements") or shape.once(
            "requirements", lambda: _requirements(signature.output_fields)
        )

    def format_assistant_message_content(
        self, signature: Any, outputs: Mapping[str, Any], missing_field_message: str | None = None
    ) -> str:
        shape = self.plan(signature).shape
        sections = shape.once("output_sections", lambda: shape.renderers(shape.outputs, opening_of))
        texts = [
            opening + text_of(outputs.get(name, missing_field_message)) for name, opening, text_of in sections
        ]
        return "\n\n".join(texts).strip() + f"\n\n{END}\n"

    def _input_sections(self, shape: Shape) -> tuple[Section, ...]:
        return shape.kept.get("input_sections") or shape.once(
            "input_sections", lambda: shape.renderers(shape.inputs, opening_of)
        )

    # ------------------------------------------------------------ a completion → values

    def parse(self, signature: Any, completion: str) -> dict[str, Any]:
        shape = self.plan(signature).shape
        found, wrong = _coerced(shape, sections_of(completion))
        if len(found) == len(shape.outputs):
            return found if tuple(found) == shape.answered else {name: found[name] for name in shape.outputs}
        if wrong is None:
            values = shape.completed(found)
            if len(values) == len(shape.outputs):
                return values
        tolerant = self._read_tolerantly(shape, completion)
        if tolerant is not None:
            return tolerant
        raise self._failure(signature, completion, wrong or missing_outputs(shape, found), found)

    def _read_tolerantly(self, shape: Shape, completion: str) -> dict[str, Any] | None:
        """The values of an answer in nearly the right form; None where it leaves doubt."""
        text = loose_json.without_thoughts(completion).replace("\r\n", "\n")
        for sections in _loose_sections(shape, text):
            found, wrong = _coerced(shape, sections)
            values = shape.completed(found)
            if wrong is None and len(values) == len(shape.outputs):
                return values
        from dspx.adapters.json import values_in_json

        return values_in_json(shape, text)

    def field_stream(self, signature: Any) -> FieldStream | None:
        """Reads a completion while it arrives; None for a subclass with a `parse` of its own."""
        if "parse" in self._hooked:
            return None
        return ChatFieldStream(self.plan(signature).shape.outputs)


# ---------------------------------------------------------------- fixed texts


def opening_of(name: str) -> str:
    return f"[[ ## {name} ## ]]\n"


def type_notes(fields: Mapping[str, Field], name_as: str) -> str:
    """The outputs in their order, each with the type that it must be readable as."""
    return ", then ".join(f"`{name_as.format(name)}`{_type_note(field)}" for name, field in fields.items())


def structure_of(fields: Mapping[str, Field]) -> str:
    return "\n\n".join(opening_of(name) + value_note(name, field) for name, field in fields.items())


def _descriptions(signature: Any) -> str:
    return (
        f"Your input fields are:\n{field_descriptions(signature.input_fields)}\n"
        f"Your output fields are:\n{field_descriptions(signature.output_fields)}"
    )


def _structure(signature: Any) -> str:
    parts = (
        INTRODUCTION,
        structure_of(signature.input_fields),
        structure_of(signature.output_fields),
        END,
    )
    return "\n\n".join(parts)


def _requirements(outputs: Mapping[str, Field]) -> str:
    return (
        "Respond with the corresponding output fields, starting with the field "
        f"{type_notes(outputs, '[[ ## {} ## ]]')}, and then ending with the marker for `{END}`."
    )


def _type_note(field: Field) -> str:
    if field.annotation is str:
        return ""
    if is_content(field.annotation, "tool_calls", "ToolCalls"):
        return ' (must be a JSON object like {"tool_calls": [{"name": "...", "args": {...}}]})'
    return f" (must be formatted as a valid Python {type_name(field.annotation)})"


# ---------------------------------------------------------------- reading

_OPEN, _CLOSE = "[[ ## ", " ## ]]"


def sections_of(completion: str) -> list[tuple[str, str]]:
    """The text under each marker that starts a line; what is before the first one is left out."""
    if "\r\n" in completion:
        completion = completion.replace("\r\n", "\n")
    text, *parts = completion.split(_OPEN)
    sections: list[tuple[str, str]] = []
    name = ""
    for part in parts:
        word, closed, following = part.partition(_CLOSE)
        if not closed or not _is_word(word) or not _ends_a_line(text, is_first=not name):
            text = f"{text}{_OPEN}{part}"
            continue
        if name:
            sections.append((name, text.strip()))
        name, text = word, following
    if name:
        sections.append((name, without_broken_marker(text).strip()))
    return sections


def _is_word(text: str) -> bool:
    return text.isidentifier() or text.isalnum() or text.replace("_", "a").isalnum()


def _ends_a_line(text: str, *, is_first: bool) -> bool:
    """Whether what comes next starts a line, but for spaces. Only the first text begins a line itself."""
    if text[-1:] == "\n":
        return True
    _, newline, line = text.rpartition("\n")
    return bool(newline or is_first) and (not line or line.isspace())


def _coerced(shape: Shape, sections: Iterable[tuple[str, str]]) -> tuple[dict[str, Any], str | None]:
    """The values of the sections that are outputs, the first of each name; and what was wrong with the first wrong one."""
    found: dict[str, Any] = {}
    wrong: str | None = None
    coercers = shape.coercers
    for name, text in sections:
        if name in coercers and name not in found:
            try:
                found[name] = coercers[name](text)
            except ValueError as error:
                wrong = wrong or f"The field `{name}` could not be read: {why(error)}."
    return found, wrong


def _loose_sections(shape: Shape, text: str) -> Iterable[list[tuple[str, str]]]:
    """The answer cut into sections by ever looser markers: each way only where it finds every required output."""
    for pattern in shape.once("loose_markers", lambda: _loose_markers(shape.outputs)):
        markers = [(marker, _marked_name(marker, shape)) for marker in pattern.finditer(text)]
        names = {name for _, name in markers}
        missing = [name for name in shape.required if name not in names]
        before = text[: markers[0][0].start()].strip() if markers else text.strip()
        sections = [
            (name, without_broken_marker(text[marker.end() : following]).strip())
            for (marker, name), following in zip(
                markers, [*(marker.start() for marker, _ in markers[1:]), len(text)], strict=False
            )
        ]
        if not missing:
            yield sections
        elif len(missing) == 1 and before and _may_lack_its_marker(shape, missing[0], bool(markers)):
            yield [(missing[0], before), *sections]


def _may_lack_its_marker(shape: Shape, name: str, others_have_one: bool) -> bool:
    """A single output is the whole answer; a text that comes first is what stands before the other markers."""
    if not others_have_one:
        return len(shape.outputs) == 1
    annotation = shape.outputs[name].annotation
    is_text = annotation is str or is_content(annotation, "reasoning", "Reasoning")
    return is_text and next(iter(shape.outputs)) == name


def _loose_markers(outputs: Mapping[str, Any]) -> tuple[re.Pattern[str], ...]:
    """`[[## name ##]]`, `**[[ ## Name ## ]]**`, `## name`; then also `name:` and `**name**` at the start of a line."""
    names = "|".join(
        re.escape(name).replace("_", r"[_\ \-]?")
        for name in sorted([*outputs, "completed"], key=len, reverse=True)
    )
    inner = rf"(?P<{{}}>{names})"
    emphasis, space = r"[*_`]{0,3}", r"[^\S\n]*"
    bracketed = rf"\[{{1,2}}{space}\#{{0,4}}{space}{inner.format('a')}{space}\#{{0,4}}{space}\]{{1,2}}"
    heading = rf"\#{{1,6}}{space}{inner.format('b')}{space}\#{{0,6}}(?={space}{emphasis}:?{space}{emphasis}$)"
    labelled = rf"{inner.format('c')}(?={emphasis}{space}:)"
    bold = rf"(?<=\*\*){inner.format('d')}(?=\*\*)"
    tail = rf"{emphasis}{space}:?{emphasis}"
    flags = re.IGNORECASE | re.MULTILINE
    return (
        re.compile(rf"^{space}{emphasis}{space}(?:{bracketed}|{heading}){tail}", flags),
        re.compile(
            rf"^{space}(?:[-*>]{space})?{emphasis}(?:{bracketed}|{heading}|{labelled}|{bold}){tail}", flags
        ),
    )


def _marked_name(marker: re.Match[str], shape: Shape) -> str:
    said = _folded(next(group for group in marker.groups() if group is not None))
    return next((name for name in shape.outputs if _folded(name) == said), said)


def _folded(name: str) -> str:
    return re.sub(r"[_\s\-]", "", name).casefold()


__all__ = ["AdapterParseError", "ChatAdapter", "sections_of"]
