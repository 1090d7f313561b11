"""JSON answers, their structure told in a short form with comments instead of a JSON schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from dspx.adapters.chat import INTRODUCTION, opening_of, structure_of
from dspx.adapters.json import JSONAdapter
from dspx.adapters.plan import Section, Shape
from dspx.adapters.render import Renderer, json_text, renderer
from dspx.adapters.short_types import short_type
from dspx.content.base import Type


class BAMLAdapter(JSONAdapter, layout=True):
    """A `JSONAdapter` for nested outputs: its prompt shows types as BAML does, which takes fewer tokens.

        {
          person: {
            # Full name
            name: string,
            mood: "glad" or "sad",
          },
        }

    Models given as inputs are written as indented JSON. Recursive models are told by name.
    """

    def format_field_structure(self, signature: Any) -> str:
        return self.plan(signature).shape.once("structure", lambda: _structure(signature))

    def _input_sections(self, shape: Shape) -> tuple[Section, ...]:
        return shape.once("indented_input_sections", lambda: _indented_sections(shape))


def _indented_sections(shape: Shape) -> tuple[Section, ...]:
    return tuple(
        (name, opening_of(name), _indenting(renderer(field))) for name, field in shape.inputs.items()
    )


def _structure(signature: Any) -> str:
    parts = (
        INTRODUCTION,
        "Inputs will have the following structure:",
        structure_of(signature.input_fields),
        "Outputs will be a JSON object with the following fields.",
        _object(signature.output_fields),
    )
    return "\n\n".join(parts)


def _object(outputs: Mapping[str, Any]) -> str:
    lines = [f"{name}: {short_type(field.annotation)}," for name, field in outputs.items()]
    body = "".join("\n" + line for line in lines).replace("\n", "\n  ")
    return f"{{{body}\n}}"


def _indenting(text_of: Renderer) -> Renderer:
    """Models over several lines, other values as ever."""

    def text(value: Any) -> str:
        if not isinstance(value, BaseModel) or isinstance(value, Type):
            return text_of(value)
        return json_text(value.model_dump(mode="json", by_alias=True), indented=True)

    return text
