"""Fields as XML tags, structured values as nested tags; read even where a model's XML is not well-formed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from dspx.adapters import loose_json, native_tools
from dspx.adapters.base import missing_outputs
from dspx.adapters.chat import INTRODUCTION, ChatAdapter
from dspx.adapters.coerce import Coercer, allows_none, parse_value, why
from dspx.adapters.fieldstream import FieldStream, XMLFieldStream
from dspx.adapters.loose_xml import Node, escaped, find_fields
from dspx.adapters.nested_xml import element, is_list, is_nested, parsed, read_all, skeleton
from dspx.adapters.plan import Shape
from dspx.adapters.render import Renderer, jsonable, renderer, value_note
from dspx.content import markers

if TYPE_CHECKING:
    from dspx.core.fields import Field


class XMLAdapter(ChatAdapter, layout=True):
    """`<name>`, then the value, then `</name>`, for each field; models, typed dicts, lists and dicts as nested tags.

    Arguments as for `ChatAdapter`. An answer that cannot be read is asked for once more.
    """

    # ------------------------------------------------------------ prompts

    def format_field_structure(self, signature: Any) -> str:
        return self.plan(signature).shape.once("structure", lambda: _structure(signature))

    def user_message_output_requirements(self, signature: Any) -> str | None:
        if native_tools.is_answered_natively(signature):
            return None
        return self.plan(signature).shape.once("requirements", lambda: _requirements(signature.output_fields))

    def format_user_message_content(
        self,
        signature: Any,
        inputs: Mapping[str, Any],
        prefix: str = "",
        suffix: str = "",
        main_request: bool = False,
    ) -> str:
        shape = self.plan(signature).shape
        parts = [prefix]
        for name, opening, text_of in self._input_sections(shape):
            if name in inputs:
                parts.append(f"{opening}{text_of(inputs[name])}\n</{name}>")
        if main_request:
            parts.append(self.user_message_output_requirements(signature) or "")
        parts.append(suffix)
        return "\n\n".join(part for part in parts if part)

    def format_assistant_message_content(
        self, signature: Any, outputs: Mapping[str, Any], missing_field_message: str | None = None
    ) -> str:
        shape = self.plan(signature).shape
        writers = shape.once(
            "writers", lambda: {name: _writer(field) for name, field in shape.outputs.items()}
        )
        written = [write(name, outputs.get(name, missing_field_message)) for name, write in writers.items()]
        return "\n\n".join(written)

    def _input_sections(self, shape: Shape) -> tuple[tuple[str, str, Renderer], ...]:
        return shape.once("input_sections", lambda: shape.renderers(shape.inputs, "<{}>\n".format))

    # ------------------------------------------------------------ a completion → values

    def parse(self, signature: Any, completion: str) -> dict[str, Any]:
        shape = self.plan(signature).shape
        text = loose_json.without_thoughts(completion)
        nodes = find_fields(text, list(shape.outputs), shape.once("nested", lambda: _nested(shape.outputs)))
        found, wrong = _read(shape, nodes)
        if wrong is None:
            values = shape.completed(found)
            if len(values) == len(shape.outputs):
                return values
        if not nodes:
            otherwise = _untagged(shape, text)
            if otherwise is not None:
                return otherwise
        raise self._failure(signature, completion, wrong or missing_outputs(shape, found), found)

    def field_stream(self, signature: Any) -> FieldStream | None:
        """Reads a completion while it arrives; None for a subclass with a `parse` of its own."""
        return None if "parse" in self._hooked else XMLFieldStream(self.plan(signature).shape.outputs)


# ---------------------------------------------------------------- fixed texts


def _structure(signature: Any) -> str:
    inputs = [f"<{name}>\n{{{name}}}\n</{name}>" for name in signature.input_fields]
    outputs = [_placeholder(name, field) for name, field in signature.output_fields.items()]
    return "\n\n".join([INTRODUCTION, "\n\n".join(inputs), "\n\n".join(outputs)])


def _placeholder(name: str, field: Field) -> str:
    if is_nested(field.annotation):
        return skeleton(name, field.annotation)
    return f"<{name}>\n{value_note(name, field)}\n</{name}>"


def _requirements(outputs: Mapping[str, Field]) -> str:
    tags = ", then ".join(f"`<{name}>`" for name in outputs)
    nested = [
        skeleton(name, field.annotation) for name, field in outputs.items() if is_nested(field.annotation)
    ]
    structure = f" Use this nested XML structure: {' '.join(nested)}" if nested else ""
    return f"Respond with the corresponding output fields wrapped in XML tags {tags}.{structure}"


# ---------------------------------------------------------------- writing


def _writer(field: Field) -> Callable[[str, Any], str]:
    return _write_nested if is_nested(field.annotation) else partial(_write_text, renderer(field))


def _write_nested(name: str, value: Any) -> str:
    plain = jsonable(value)
    return element(name, plain) if isinstance(plain, (dict, list)) else _write_text(str, name, plain)


def _write_text(text_of: Renderer, name: str, value: Any) -> str:
    text = text_of(value)
    return f"<{name}>\n{text if markers.START in text else escaped(text)}\n</{name}>"


# ---------------------------------------------------------------- reading


def _read(shape: Shape, nodes: Mapping[str, list[Node]]) -> tuple[dict[str, Any], str | None]:
    """The values of the elements, and what was wrong with the first wrong one."""
    found: dict[str, Any] = {}
    wrong: str | None = None
    for name, field in shape.outputs.items():
        if name in nodes:
            try:
                found[name] = _value(nodes[name], field.annotation, shape.coercers[name])
            except ValueError as error:
                wrong = wrong or f"The field `{name}` could not be read: {why(error)}."
    return found, wrong


def _nested(outputs: Mapping[str, Field]) -> frozenset[str]:
    return frozenset(name for name, field in outputs.items() if is_nested(field.annotation))


def _value(nodes: list[Node], annotation: Any, coerce: Coercer) -> Any:
    """Text by the type; tags where the type has them, or where the text alone makes no value."""
    first = nodes[0].text.strip()
    if not first and allows_none(annotation):
        return None
    if not is_nested(annotation):
        try:
            return coerce(first)
        except ValueError:
            if "<" not in nodes[0].inner:
                raise
    trees = [parsed(node.inner, node.tag) for node in nodes]
    if len(trees) == 1 and not trees[0].children and first:
        return _untagged_value(first, annotation, coerce)
    return coerce(read_all(trees, annotation, parse_value))


def _untagged_value(text: str, annotation: Any, coerce: Coercer) -> Any:
    """JSON in the place of tags; a text that is none is the only item of a list."""
    try:
        return coerce(text)
    except ValueError:
        if not is_list(annotation):
            raise
        return coerce([text])


def _untagged(shape: Shape, text: str) -> dict[str, Any] | None:
    """The values of an answer without any tags: as JSON, or all of it as the only output."""
    from dspx.adapters.json import values_in_json

    values = values_in_json(shape, text)
    if values is None and len(shape.outputs) == 1 and text.strip():
        (name,) = shape.outputs
        try:
            return {name: shape.coercers[name](text.strip())}
        except ValueError:
            return None
    return values
