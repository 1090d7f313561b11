"""Values, types and fields as the words of a prompt."""

from __future__ import annotations

import enum
import json
import sys
import types
import typing
from collections.abc import Callable, Mapping
from json.encoder import encode_basestring
from typing import Any, Literal, Union

from dspx.core.fields import Field

Renderer = Callable[[Any], str]

# ---------------------------------------------------------------- values


def renderer(field: Field) -> Renderer:
    """How a value of this field is written: a list given to a `str` field becomes a numbered list."""
    return passages_text if field.annotation is str else value_text


def value_text(value: Any) -> str:
    """A value as text: strings as they are, lists and dicts and models as JSON, anything else as it prints."""
    kind = type(value)
    if kind is str:
        return value
    if kind in _PRINTED:
        return str(value)
    if kind in _CONTAINERS:
        return json_text(value)
    if kind is bytes:
        return _bytes_text(value)
    plain = jsonable(value)
    return json_text(plain) if isinstance(plain, (dict, list)) else str(plain)


def passages_text(value: Any) -> str:
    """The text of a value, where a list is a list of texts: `[1] «…»` and so on, one below the other."""
    if not isinstance(value, list):
        return value_text(value)
    passages: list[Any] = value
    if not passages:
        return "N/A"
    if len(passages) == 1:
        return _quoted_passage(passages[0])
    return "\n".join(f"[{number}] {_quoted_passage(item)}" for number, item in enumerate(passages, 1))


def json_text(value: Any, *, indented: bool = False) -> str:
    """JSON of anything, on one line or indented by two; what has no JSON form stands as its `str`."""
    encoder = _INDENTED if indented else _ENCODER
    if type(value) is list and not indented and set(map(type, value)) == _TEXTS:
        return f"[{', '.join(map(encode_basestring, value))}]"  # most lists are; the encoder takes five times as long
    try:
        return encoder.encode(value)
    except (TypeError, ValueError, RecursionError):  # odd keys, circles
        plain = jsonable(value)
        return encoder.encode(plain) if isinstance(plain, (dict, list)) else str(plain)


def jsonable(value: Any) -> Any:
    """The value in JSON's types, as pydantic writes it; its `str` where even pydantic cannot."""
    try:
        return _any_type().dump_python(value, mode="json", fallback=str)
    except Exception:  # noqa: BLE001 - a user's own serializer, or text that is no text
        return str(value)


_PRINTED = frozenset({int, float, bool, type(None)})
_CONTAINERS = frozenset({list, dict, tuple})
_TEXTS = {str}
_ENCODER = json.JSONEncoder(ensure_ascii=False, default=jsonable)
_INDENTED = json.JSONEncoder(ensure_ascii=False, default=jsonable, indent=2)
_any_adapter: Any = None


def _any_type() -> Any:
    """pydantic's view of `Any`: it writes each value by what it is, infinity too."""
    global _any_adapter
    if _any_adapter is None:
        from pydantic import ConfigDict, TypeAdapter

        _any_adapter = TypeAdapter(Any, config=ConfigDict(ser_json_inf_nan="constants"))
    return _any_adapter


def _bytes_text(value: bytes) -> str:
    """UTF-8 as text; anything else, and text that looks like one, as Python's literal."""
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return repr(value)
    return repr(value) if text[:2] in ("b'", 'b"') else text


def _quoted_passage(item: Any) -> str:
    text = str(item)
    if "\n" not in text and "«" not in text and "»" not in text:
        return f"«{text}»"
    indented = text.replace("\n", "\n    ")
    return f"«««\n    {indented}\n»»»"


# ---------------------------------------------------------------- types


def type_name(annotation: Any) -> str:
    """The name of a type in a prompt: `list[str]`, `Union[int, NoneType]`, `Literal['a', 'b']`."""
    origin = typing.get_origin(annotation)
    if origin is None:
        if is_content(annotation, "reasoning", "Reasoning"):
            return "str"
        return getattr(annotation, "__name__", None) or str(annotation)
    if origin is types.UnionType:
        origin = Union
    in_literal = origin is Literal
    names = [
        _quoted(arg) if in_literal and isinstance(arg, str) else type_name(arg)
        for arg in typing.get_args(annotation)
    ]
    return f"{type_name(origin)}[{', '.join(names)}]"


def value_note(name: str, field: Field) -> str:
    """The placeholder of a field in the structure of the prompt, with a note on what an output must look like."""
    rule = _rule(field) if field.role == "output" else ""
    return f"{{{name}}}{' ' * 8}# note: the value you produce {rule}" if rule else f"{{{name}}}"


def field_descriptions(fields: Mapping[str, Field]) -> str:
    """The numbered list of fields: name, type, description, description of its content types, constraints."""
    lines: list[str] = []
    for number, (name, field) in enumerate(fields.items(), 1):
        description = field.description_text
        for type_ in content_types(field.annotation):
            if said := type_.description():
                description += f"\n    Type description of {type_name(type_)}: {said}"
        line = f"{number}. `{name}` ({type_name(field.annotation)}): {description}"
        lines.append(f"{line}\nConstraints: {field.constraints}" if field.constraints else line)
    return "\n".join(lines).strip()


def schema_text(annotation: Any) -> str:
    """The JSON schema of a type on one line, `type` first and the other keys sorted."""
    from pydantic import TypeAdapter

    return json_text(_type_first(TypeAdapter(annotation).json_schema()))


def is_class(annotation: Any, base: type) -> bool:
    """Whether the annotation is a plain class below `base`; `list[int]` and the like are not."""
    return isinstance(annotation, type) and not typing.get_args(annotation) and issubclass(annotation, base)


def content_types(annotation: Any) -> list[Any]:
    """The content types (`dspx.Type`) that an annotation contains."""
    base = loaded_content("base", "Type")
    return [] if base is None else base.extract_custom_type_from_annotation(annotation)


def is_content(annotation: Any, module: str, name: str) -> bool:
    """Whether the annotation is this content type. Its module is not imported: who uses the type has done so."""
    cls = loaded_content(module, name)
    return cls is not None and annotation is cls


def is_content_subclass(annotation: Any, module: str, name: str) -> bool:
    """Whether the annotation is this content type, or one made from it."""
    cls = loaded_content(module, name)
    return cls is not None and is_class(annotation, cls)


def loaded_content(module: str, name: str) -> Any:
    """A content type whose module somebody has loaded; None where nobody has, so that no value is one."""
    loaded = sys.modules.get(f"dspx.content.{module}")
    return getattr(loaded, name, None)


def _rule(field: Field) -> str:
    annotation = field.annotation
    if annotation is str or is_content(annotation, "reasoning", "Reasoning"):
        return ""
    if annotation is bool:
        return "must be True or False"
    if annotation in (int, float):
        return f"must be a single {annotation.__name__} value"
    if is_class(annotation, enum.Enum):
        return f"must be one of: {'; '.join(str(member.value) for member in annotation)}"
    if typing.get_origin(annotation) is Literal:
        choices = "; ".join(str(choice) for choice in typing.get_args(annotation))
        return f"must exactly match (no extra characters) one of: {choices}"
    if is_content_subclass(annotation, "code", "Code") and annotation.description():
        return ""
    return f"must adhere to the JSON schema: {schema_text(annotation)}"


def _type_first(schema: Any) -> Any:
    if isinstance(schema, dict):
        ordered = sorted(schema.items(), key=lambda item: (item[0] != "type", item[0]))
        return {key: _type_first(value) for key, value in ordered}
    return [_type_first(item) for item in schema] if isinstance(schema, list) else schema


def _quoted(text: str) -> str:
    """A string as it stands in `Literal[...]`: in the quotes that it does not contain."""
    if "'" not in text:
        return f"'{text}'"
    if '"' not in text:
        return f'"{text}"'
    escaped = text.replace("'", "\\'")
    return f"'{escaped}'"
