"""Types in a short form that models read well: `{ name: string, tags: string[], mood: "glad" or "sad" }`."""

from __future__ import annotations

import enum
import json
import types
import typing
from typing import Annotated, Any, Literal, Union

from dspx.adapters.record_types import doc_of, parts_of
from dspx.content.base import Type
from dspx.content.code import Code
from dspx.content.reasoning import Reasoning

_SIMPLE: dict[Any, str] = {
    str: "string",
    int: "int",
    float: "float",
    bool: "boolean",
    type(None): "null",
    None: "null",
    Any: "any",
    object: "any",
    dict: "dict[string, any]",
    list: "any[]",
}


def short_type(annotation: Any) -> str:
    """The type as text, over several lines where it has named parts; their descriptions are `#` comments."""
    return _text(annotation, ())


def _text(annotation: Any, outer: tuple[Any, ...]) -> str:
    simple = _SIMPLE.get(annotation) if _is_hashable(annotation) else None
    if simple is not None:
        return simple
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Annotated:
        return _text(args[0], outer)
    if origin is Literal:
        return _one_of(args)
    if origin in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(_text(arg, outer) for arg in args))
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return _one_of([member.value for member in annotation])
    return _collection(origin, args, outer) or _record(annotation, outer) or _by_schema(annotation)


def _is_hashable(annotation: Any) -> bool:
    try:
        hash(annotation)
    except TypeError:
        return False
    return True


def _one_of(values: typing.Iterable[Any]) -> str:
    return " or ".join(json.dumps(value, ensure_ascii=False, default=str) for value in values)


def _collection(origin: Any, args: tuple[Any, ...], outer: tuple[Any, ...]) -> str | None:
    name = getattr(origin, "__name__", "")
    if name == "dict" or name.endswith("Mapping"):
        return f"dict[{_text(args[0], outer)}, {_text(args[1], outer)}]"
    if name == "tuple" and Ellipsis not in args:
        return f"[{', '.join(_text(arg, outer) for arg in args)}]"
    if name in ("list", "tuple", "set", "frozenset", "Sequence", "Iterable"):
        return _list_of(_text(args[0], outer))
    return None


def _list_of(item: str) -> str:
    if "\n" in item:
        return f"[\n  {_indented(item)}\n]"
    return f"({item})[]" if " or " in item else f"{item}[]"


def _record(annotation: Any, outer: tuple[Any, ...]) -> str | None:
    """A model, typed dict or dataclass with its parts; its name where it contains itself."""
    parts = parts_of(annotation)
    if parts is None:
        return None
    if issubclass(annotation, (Code, Reasoning)):
        return "string"
    if annotation in outer:
        return annotation.__name__
    lines: list[str] = []
    for part in parts:
        lines += [f"# {line}" for line in _comment(part.description)]
        lines.append(f"{part.alias or part.name}: {_text(part.annotation, (*outer, annotation))},")
    doc = "" if issubclass(annotation, Type) else doc_of(annotation)
    name = f"{annotation.__name__} " if _contains_itself(annotation) else ""
    opening = f"{name}{{  # {doc}" if doc else f"{name}{{"
    return "\n  ".join([opening, *map(_indented, lines)]) + "\n}"


def _contains_itself(annotation: Any) -> bool:
    seen: set[Any] = set()
    waiting = _records_in(annotation)
    while waiting:
        record = waiting.pop()
        if record is annotation:
            return True
        if record not in seen:
            seen.add(record)
            waiting += _records_in(record)
    return False


def _records_in(annotation: Any) -> list[Any]:
    """The types with named parts that the parts of this one mention."""
    return [record for part in parts_of(annotation) or () for record in _mentioned(part.annotation)]


def _mentioned(annotation: Any) -> list[Any]:
    args = typing.get_args(annotation)
    if args and typing.get_origin(annotation) is not Literal:
        return [record for arg in args for record in _mentioned(arg)]
    return [annotation] if parts_of(annotation) is not None else []


def _comment(text: str | None) -> list[str]:
    return [line.strip() for line in (text or "").strip().splitlines() if line.strip()]


def _indented(text: str) -> str:
    return text.replace("\n", "\n  ")


def _by_schema(annotation: Any) -> str:
    """Any other type by the JSON that stands for it: `string (date)`, `float or string`."""
    import pydantic

    try:
        schema = pydantic.TypeAdapter(annotation).json_schema()
    except pydantic.PydanticUserError:
        schema = {}
    kinds = [_kind(choice) for choice in schema.get("anyOf", [schema])]
    return " or ".join(kind for kind in kinds if kind) or getattr(annotation, "__name__", str(annotation))


def _kind(schema: dict[str, Any]) -> str:
    names = {"integer": "int", "number": "float", "array": "any[]", "object": "dict[string, any]"}
    kind = str(schema.get("type", ""))
    kind = names.get(kind, kind)
    return f"{kind} ({schema['format']})" if kind and "format" in schema else kind
