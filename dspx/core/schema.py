"""What a program's leaves take and give, as data: names, types, and fingerprints to compare them by."""

from __future__ import annotations

import dataclasses
import enum
import types
import typing
from collections.abc import Mapping
from typing import Any

from dspx.core.canonical import stable_hash

_UNIONS = (typing.Union, types.UnionType)


def type_text(annotation: Any) -> str:
    """A type as it is written, the same in every Python: `list[str]`, `int | None`, `Literal['a', 'b']`."""
    if annotation is None or annotation is type(None):
        return "None"
    if annotation is Ellipsis:
        return "..."
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return type_text(args[0])
    if origin in _UNIONS:
        return " | ".join(type_text(part) for part in args)
    if origin is typing.Literal:
        return f"Literal[{', '.join(_literal(value) for value in args)}]"
    if origin is not None and args:
        return f"{_name(origin)}[{', '.join(_argument(part) for part in args)}]"
    return _name(annotation)


def shapes(annotation: Any) -> dict[str, Any]:
    """The parts of the records and enumerations in a type, by class name: `{"City": {"name": "str"}}`."""
    found: dict[str, Any] = {}
    _collect(annotation, found)
    return found


def schema_of(leaf_state: Mapping[str, Any]) -> dict[str, Any] | None:
    """`{"inputs": {name: type}, "outputs": …, "fingerprint": …}` of a leaf's state; None where it does not say."""
    fields: Any = (leaf_state.get("signature") or {}).get("fields")
    if not isinstance(fields, list) or not all("role" in field and "type" in field for field in fields):
        return None
    by_role = {
        f"{role}s": {field["name"]: field["type"] for field in fields if field["role"] == role}
        for role in ("input", "output")
    }
    parts = [[field["name"], field["role"], field["type"], field.get("shapes")] for field in fields]
    return {**by_role, "fingerprint": stable_hash(parts)[:16]}


def program_schema(state: Mapping[str, Any]) -> dict[str, Any]:
    """`{"fingerprint": …, "leaves": {path: schema}}` of a program's state. Equal fingerprints: the state fits."""
    leaves = {name: schema_of(leaf) for name, leaf in state.items() if isinstance(leaf, Mapping)}
    known = {name: schema for name, schema in leaves.items() if schema is not None}
    whole = {name: schema["fingerprint"] for name, schema in known.items()}
    return {"fingerprint": stable_hash(whole)[:16], "leaves": known}


def _name(kind: Any) -> str:
    name = getattr(kind, "__name__", None) or getattr(kind, "_name", None)
    return str(name) if name else str(getattr(kind, "__forward_arg__", kind))


def _literal(value: Any) -> str:
    return f"{type(value).__name__}.{value.name}" if isinstance(value, enum.Enum) else repr(value)


def _argument(part: Any) -> str:
    return f"[{', '.join(map(type_text, part))}]" if isinstance(part, list) else type_text(part)


def _collect(annotation: Any, found: dict[str, Any]) -> None:
    for part in typing.get_args(annotation):
        _collect(part, found)
    if not isinstance(annotation, type) or annotation.__module__.partition(".")[0] in ("builtins", "dspx"):
        return
    parts = _parts(annotation)
    name = annotation.__name__
    if parts is None or name in found:
        return
    if isinstance(parts, list):
        found[name] = parts
        return
    found[name] = {key: type_text(inner) for key, inner in parts.items()}
    for inner in parts.values():
        _collect(inner, found)


def _parts(cls: type[Any]) -> dict[str, Any] | list[Any] | None:
    """The fields of a record, the values of an enumeration, None for any other class."""
    if issubclass(cls, enum.Enum):
        return [repr(member.value) for member in cls]
    model_fields = getattr(cls, "model_fields", None)
    if isinstance(model_fields, dict):
        return {name: field.annotation for name, field in model_fields.items()}
    if dataclasses.is_dataclass(cls):
        return {field.name: field.type for field in dataclasses.fields(cls)}
    if hasattr(cls, "__total__") or hasattr(cls, "_fields"):  # a TypedDict, a named tuple
        return dict(getattr(cls, "__annotations__", {}))
    return None
