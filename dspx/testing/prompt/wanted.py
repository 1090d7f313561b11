"""What a prompt says about one output, as a JSON schema."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson


@dataclass(frozen=True, slots=True)
class Wanted:
    """One output: its name, the type as the prompt writes it, and the schema that a value must satisfy.

    `options` are the labels that the prompt allows, empty where it does not say. `template` is the nested XML
    that the prompt shows for this field, without values.
    """

    name: str
    type: str = "str"
    schema: Mapping[str, Any] = field(default_factory=dict[str, Any])
    template: str | None = None

    @property
    def options(self) -> list[Any]:
        return list(self.schema.get("enum", ()))

    @property
    def is_text(self) -> bool:
        """Whether any text will do."""
        return self.schema.get("type") == "string" and "enum" not in self.schema

    @property
    def is_known(self) -> bool:
        """Whether the prompt says enough of the type to write a value that is surely valid."""
        return b"a type that the prompt only names" not in orjson.dumps(self.schema)

    @property
    def is_number(self) -> bool:
        return self.schema.get("type") in ("integer", "number") and "enum" not in self.schema


def wanted(name: str, type_: str, note: str, constraints: str = "", template: str | None = None) -> Wanted:
    """The output that the type, the note and the constraints of the prompt describe.

    The note is what follows "the value you produce"; without one, the type has to tell.
    """
    schema = _schema_of_note(note, type_)
    if schema is None:
        schema = schema_of_type(type_)
    bounds = _bounds(constraints, schema)
    return Wanted(name, type_, {**schema, **bounds} if bounds else schema, template)


def _schema_of_note(note: str, type_: str) -> dict[str, Any] | None:
    _, found, rest = note.partition("adhere to the JSON schema: ")
    if found:
        try:
            schema = orjson.loads(rest)
        except orjson.JSONDecodeError:
            return None
        return schema if isinstance(schema, dict) else None
    _, found, rest = note.partition("one of: ")
    if found:
        options = _literals(type_) or rest.split("; ")
        return {"enum": options}
    if "must be True or False" in note:
        return {"type": "boolean"}
    number = re.search(r"a single (int|float|complex) value", note)
    return {"type": "integer" if number[1] == "int" else "number"} if number else None


def _literals(type_: str) -> list[Any] | None:
    """The values of `Literal[…]` as Python writes them; None where it is none."""
    if not (type_.startswith("Literal[") and type_.endswith("]")):
        return None
    try:
        return list(ast.literal_eval(type_[len("Literal") :]))
    except (ValueError, SyntaxError):
        return None


_UNKNOWN: dict[str, Any] = {"type": "string", "$comment": "a type that the prompt only names"}
_SIMPLE: dict[str, dict[str, Any]] = {
    "str": {"type": "string"},
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "bool": {"type": "boolean"},
    "list": {"type": "array"},
    "dict": {"type": "object"},
    "None": {"type": "null"},
    "NoneType": {"type": "null"},
    "Decimal": {"type": "number"},
    "datetime": {"type": "string", "format": "date-time"},
    "date": {"type": "string", "format": "date"},
    "time": {"type": "string", "format": "time"},
    "UUID": {"type": "string", "format": "uuid"},
    "bytes": {"type": "string", "format": "binary"},
}


def schema_of_type(type_: str) -> dict[str, Any]:
    """The schema of a type as Python writes it (`list[int]`, `Optional[str]`, `Literal['a']`); text where unknown."""
    type_ = type_.strip()
    if type_ in _SIMPLE:
        return dict(_SIMPLE[type_])
    options = _literals(type_)
    if options is not None:
        return {"enum": options}
    branches = _split(type_, "|")
    if len(branches) == 1:
        name, bracket, inner = type_.partition("[")
        parts = _split(inner[:-1], ",") if bracket and inner.endswith("]") else []
        if parts:
            return _generic(name, parts)
    if len(branches) > 1:
        return {"anyOf": [schema_of_type(branch) for branch in branches]}
    return dict(_UNKNOWN)


def _generic(name: str, parts: list[str]) -> dict[str, Any]:
    if name in ("list", "set", "frozenset", "Sequence"):
        unique = {"uniqueItems": True} if "set" in name else {}
        return {"type": "array", "items": schema_of_type(parts[0]), **unique}
    if name in ("dict", "Mapping"):
        return {"type": "object", "additionalProperties": schema_of_type(parts[-1])}
    if name == "tuple":
        if parts[-1].strip() in ("...", "Ellipsis"):
            return {"type": "array", "items": schema_of_type(parts[0])}
        items = [schema_of_type(part) for part in parts]
        return {"type": "array", "prefixItems": items, "minItems": len(items), "maxItems": len(items)}
    if name == "Optional":
        parts = [parts[0], "None"]
    if name in ("Optional", "Union"):
        return {"anyOf": [schema_of_type(part) for part in parts]}
    return dict(_UNKNOWN)


def _split(text: str, separator: str) -> list[str]:
    """The parts between separators that are in no brackets and no quotes."""
    parts, depth, quote, start = [""], 0, "", 0
    for at, char in enumerate(text):
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif char in "[(":
            depth += 1
        elif char in "])":
            depth -= 1
        elif char == separator and depth == 0:
            parts[-1] = text[start:at]
            parts.append("")
            start = at + 1
    parts[-1] = text[start:]
    return parts


# The words in which prompts state constraints → JSON schema's, by kind of value.
_BOUNDS = {
    "greater than": "exclusiveMinimum",
    "greater than or equal to": "minimum",
    "less than": "exclusiveMaximum",
    "less than or equal to": "maximum",
    "a multiple of the given number": "multipleOf",
}


def _bounds(constraints: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    bounds: dict[str, Any] = {}
    lengths = ("minItems", "maxItems") if schema.get("type") == "array" else ("minLength", "maxLength")
    words = {**_BOUNDS, "minimum length": lengths[0], "maximum length": lengths[1]}
    for part in constraints.split(", "):
        word, _, value = part.rpartition(": ")
        keyword = words.get(word.strip())
        if keyword is None:
            continue
        try:
            bounds[keyword] = float(value) if "." in value or "e" in value else int(value)
        except ValueError:
            continue
    return bounds
