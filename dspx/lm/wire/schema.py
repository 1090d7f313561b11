"""What a request asks its answer to look like → a JSON schema that the provider accepts."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from weakref import WeakKeyDictionary

from dspx.errors import UsageError

Schema = dict[str, Any]


def openai_format(response_format: Any) -> dict[str, Any]:
    """`response_format` in OpenAI's form; a pydantic class becomes a strict, closed schema where it can."""
    if isinstance(response_format, dict):
        return response_format
    if not isinstance(response_format, type):
        raise UsageError(
            "response_format is a dict in OpenAI's form or a pydantic class, "
            f"not {type(response_format).__name__} ({response_format!r})."
        )
    known = _formats.get(response_format)
    if known is None:
        known = _formats[response_format] = _format_of(response_format)
    return known


def asked_schema(response_format: Any) -> Schema | None:
    """The schema that is asked for; None for `json_object` and `text`, which name none."""
    form = openai_format(response_format)
    if form.get("type") != "json_schema":
        return None
    inner = form.get("json_schema", form)
    return inner["schema"]


def closed(schema: Schema) -> Schema:
    """The schema with every object closed and every property required, as strict modes want it.

    Keywords that strict modes refuse (defaults, lengths, discriminators) are left out: the caller validates.
    """
    return _closed(schema)


def is_closable(schema: Schema) -> bool:
    """Whether a strict mode can express the schema: no open mappings, no untyped values, no tuples."""
    return not any(_is_open(part) for part in _parts(schema))


def without(schema: Any, refused: frozenset[str]) -> Any:
    """The schema without the keywords that a provider refuses."""
    if isinstance(schema, list):
        return [without(item, refused) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    result: Schema = {}
    for keyword, value in schema.items():
        if keyword in _NAMED:
            result[keyword] = {name: without(part, refused) for name, part in value.items()}
        elif keyword in _VALUES:
            result[keyword] = value
        elif keyword not in refused:
            result[keyword] = without(value, refused)
    return result


_formats: WeakKeyDictionary[type, dict[str, Any]] = WeakKeyDictionary()

_NAMED = frozenset({"properties", "$defs", "definitions", "patternProperties"})
_VALUES = frozenset({"enum", "const", "required", "examples", "default", "discriminator"})
_REFUSED = frozenset({"default", "discriminator", "examples", "minLength", "maxLength", "uniqueItems"})


def _format_of(model: type) -> dict[str, Any]:
    make: Callable[[], Schema] | None = getattr(model, "model_json_schema", None)
    if make is None:
        raise UsageError(f"response_format={model.__name__} is a class, but not a pydantic model.")
    schema = make()
    name = re.sub(r"[^a-zA-Z0-9_-]", "_", model.__name__)[:64]
    strict = is_closable(schema)
    shape = {"name": name, "schema": closed(schema) if strict else schema, "strict": strict}
    return {"type": "json_schema", "json_schema": shape}


def _closed(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_closed(item) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    if "$ref" in schema:
        return {"$ref": schema["$ref"]}  # nothing may stand beside a reference
    if len(schema.get("allOf", ())) == 1:
        return _closed(
            {**{key: value for key, value in schema.items() if key != "allOf"}, **schema["allOf"][0]}
        )
    result: Schema = {}
    for keyword, value in schema.items():
        if keyword in _REFUSED:
            continue
        if keyword in _NAMED:
            result[keyword] = {name: _closed(part) for name, part in value.items()}
        elif keyword in _VALUES:
            result[keyword] = value
        else:
            result["anyOf" if keyword == "oneOf" else keyword] = _closed(value)
    if result.get("type") == "object" or "properties" in result:
        result["properties"] = result.get("properties", {})
        result["required"] = list(result["properties"])
        result["additionalProperties"] = False
    return result


def _parts(schema: Any) -> list[Any]:
    """This schema and every schema in it."""
    if isinstance(schema, list):
        return [part for item in schema for part in _parts(item)]
    if not isinstance(schema, Mapping):
        return []
    found: list[Any] = [schema]
    for keyword, value in schema.items():
        if keyword in _NAMED:
            found += [part for inner in value.values() for part in _parts(inner)]
        elif keyword not in _VALUES:
            found += _parts(value)
    return found


_SAYS_WHAT = frozenset({"type", "$ref", "anyOf", "oneOf", "allOf", "enum", "const"})


def _is_open(schema: Schema) -> bool:
    if "prefixItems" in schema or "patternProperties" in schema:
        return True
    if schema.get("additionalProperties") not in (None, False):
        return True
    if schema.get("type") == "object" and not schema.get("properties"):
        return True
    if schema.get("type") == "array" and not schema.get("items"):
        return True
    return not (_SAYS_WHAT & schema.keys())
