"""A value that satisfies a JSON schema: always the same one for the same schema."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from dspx.testing.patterns import text_matching

Schema = Mapping[str, Any]

_DEEP = 6
_FORMATS = {
    "date-time": "2024-01-01T00:00:00Z",
    "date": "2024-01-01",
    "time": "00:00:00Z",
    "duration": "P1D",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "uuid4": "00000000-0000-4000-8000-000000000000",
    "email": "someone@example.com",
    "uri": "https://example.com/",
    "hostname": "example.com",
    "ipv4": "127.0.0.1",
    "ipv6": "::1",
    "binary": "sample",
    "byte": "c2FtcGxl",
    "json-string": "null",
    "regex": "a",
}


def value_for(schema: Schema | bool, name: str = "value", root: Schema | None = None) -> Any:
    """A valid value: the first of an enum, 0 where 0 is allowed, a text that names the field.

    `name` goes into texts. Optional properties are filled in, until the value is deep: recursive schemas end.
    """
    if isinstance(schema, bool):
        schema = {}
    return _value(schema, name, schema if root is None else root, 0)


def satisfies(value: Any, schema: Schema, root: Schema | None = None) -> bool:
    """Whether plain data has the types, the choices and the members that the schema asks for; bounds are not looked at."""
    root = schema if root is None else root
    schema = _merged(resolved(schema, root), root)
    if "enum" in schema:
        return value in schema["enum"]
    if "const" in schema:
        return value == schema["const"]
    branches = schema.get("anyOf") or schema.get("oneOf")
    if branches:
        return any(satisfies(value, branch, root) for branch in branches)
    kind = schema.get("type")
    kinds: list[str] = [kind] if isinstance(kind, str) else list(kind or ())
    if kinds and not any(_is(value, each) for each in kinds):
        return False
    return all(satisfies(member, each, root) for member, each in _members(value, schema)) and (
        not isinstance(value, dict) or all(name in value for name in schema.get("required", ()))
    )


def _members(value: Any, schema: Schema) -> list[tuple[Any, Schema]]:
    """What is in a list or an object, each with its schema."""
    if isinstance(value, dict):
        named: Mapping[str, Schema] = schema.get("properties") or {}
        extra: Any = schema.get("additionalProperties")
        other: Schema = extra if isinstance(extra, Mapping) else {}
        return [(member, named.get(name, other)) for name, member in value.items()]
    if isinstance(value, list):
        first: list[Schema] = schema.get("prefixItems") or []
        items: Any = schema.get("items")
        rest: Schema = items if isinstance(items, Mapping) else {}
        return [(item, first[place] if place < len(first) else rest) for place, item in enumerate(value)]
    return []


def _is(value: Any, kind: str) -> bool:
    if kind == "boolean" or isinstance(value, bool):
        return kind == "boolean" and isinstance(value, bool)
    if kind == "integer":
        return isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    types: dict[str, Any] = {
        "string": str,
        "number": (int, float),
        "array": list,
        "object": dict,
        "null": type(None),
    }
    return isinstance(value, types.get(kind, object))


def resolved(schema: Schema, root: Schema) -> Schema:
    """The schema behind a `$ref` (`#/$defs/…`), with what stands beside it."""
    for _ in range(32):
        reference = schema.get("$ref")
        if reference is None:
            break
        target: Any = root
        for part in str(reference).lstrip("#/").split("/"):
            target = target[part.replace("~1", "/").replace("~0", "~")] if part else target
        schema = {**target, **{key: value for key, value in schema.items() if key != "$ref"}}
    return schema


def _value(schema: Schema, name: str, root: Schema, depth: int) -> Any:
    schema = _merged(resolved(schema, root), root)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    branches = schema.get("anyOf") or schema.get("oneOf")
    if branches:
        return _value(_branch(branches, root, depth), name, root, depth)
    kind = _kind(schema)
    if kind == "object":
        return _object(schema, root, depth)
    if kind == "array":
        return _array(schema, name, root, depth)
    if kind in ("integer", "number"):
        return _number(schema, whole=kind == "integer")
    if kind == "boolean":
        return True
    return None if kind == "null" else _text(schema, name)


def _merged(schema: Schema, root: Schema) -> Schema:
    """`allOf` as one schema."""
    parts = schema.get("allOf")
    if not parts:
        return schema
    merged: dict[str, Any] = {key: value for key, value in schema.items() if key != "allOf"}
    for part in parts:
        extra = _merged(resolved(part, root), root)
        properties = {**merged.get("properties", {}), **extra.get("properties", {})}
        required = [*merged.get("required", ()), *extra.get("required", ())]
        merged = {**merged, **extra}
        if properties:
            merged["properties"] = properties
        if required:
            merged["required"] = required
    return merged


def _branch(branches: list[Schema], root: Schema, depth: int) -> Schema:
    """The first branch; deep down the one that ends soonest, null before lists before objects."""
    if depth < _DEEP:
        return branches[0]
    order = {"null": 0, "array": 2, "object": 3}
    return min(branches, key=lambda branch: order.get(_kind(resolved(branch, root)), 1))


def _kind(schema: Schema) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = kind[0] if kind else None
    if isinstance(kind, str):
        return kind
    if "properties" in schema or "additionalProperties" in schema:
        return "object"
    return "array" if "items" in schema or "prefixItems" in schema else "string"


def _object(schema: Schema, root: Schema, depth: int) -> dict[str, Any]:
    properties: Mapping[str, Schema] = schema.get("properties") or {}
    wanted = properties if depth < _DEEP else {n: properties.get(n, {}) for n in schema.get("required", ())}
    made = {name: _value(each, name, root, depth + 1) for name, each in wanted.items()}
    extra: Any = schema.get("additionalProperties")
    least = max(int(schema.get("minProperties", 0)), 1 if isinstance(extra, Mapping) and depth < 2 else 0)
    for number in range(len(made), least):
        name = "key" if number == 0 else f"key{number}"
        made[name] = _value(extra if isinstance(extra, Mapping) else {}, name, root, depth + 1)
    return made


def _array(schema: Schema, name: str, root: Schema, depth: int) -> list[Any]:
    made = [_value(each, name, root, depth + 1) for each in schema.get("prefixItems") or ()]
    most = schema.get("maxItems", math.inf)
    least = max(int(schema.get("minItems", 0)), 1 if depth < 2 and not made else 0)
    items: Any = schema.get("items")
    each: Schema = items if isinstance(items, Mapping) else {}
    while len(made) < min(least, most):
        value = _value(each, name, root, depth + 1)
        made.append(_another(value, each, made, root) if schema.get("uniqueItems") else value)
    return made


def _another(value: Any, schema: Schema, made: list[Any], root: Schema) -> Any:
    """A value that is not in the list yet, for sets."""
    options = resolved(schema, root).get("enum") or ()
    unused = [option for option in options if option not in made]
    if unused:
        return unused[0]
    if isinstance(value, str):
        return f"{value} {len(made) + 1}" if made else value
    return value + len(made) if isinstance(value, (int, float)) and not isinstance(value, bool) else value


def _number(schema: Schema, *, whole: bool) -> float:
    """Zero, or what is nearest to it within the bounds."""
    low = schema.get("minimum", -math.inf)
    high = schema.get("maximum", math.inf)
    step = schema.get("multipleOf") or (1 if whole else None)
    above, below = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    room = step or _room(above, below)
    if above is not None:
        low = max(low, (math.floor(above / step) + 1) * step if step else above + room)
    if below is not None:
        high = min(high, (math.ceil(below / step) - 1) * step if step else below - room)
    value = min(max(0, low), high)
    if step:
        value = (
            math.ceil(value / step) * step
            if value >= low and low > -math.inf
            else math.floor(value / step) * step
        )
    return int(value) if whole else value


def _room(above: float | None, below: float | None) -> float:
    """How far from an excluded bound is surely still inside."""
    return (below - above) / 2 if above is not None and below is not None else 1.0


def _text(schema: Schema, name: str) -> str:
    if schema.get("format") in _FORMATS:
        return _FORMATS[schema["format"]]
    if "pattern" in schema:
        found = text_matching(schema["pattern"])
        if found is not None:
            return found
    if name.lower().endswith(("url", "uri")):
        return "https://example.com/sample"
    text = f"sample {name}"
    least, most = int(schema.get("minLength", 0)), schema.get("maxLength")
    text = text.ljust(least, ".")
    return text if most is None else text[: int(most)]
