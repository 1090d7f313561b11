"""Values on their way into the sandbox, as JSON. Numbers keep their value: JSON here has NaN and Infinity, as Python's."""

from __future__ import annotations

import base64
import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from dspx.errors import UsageError


def variables_json(variables: Mapping[str, Any] | None) -> str:
    """Variables as a JSON object. `UsageError` for a name that Python code cannot use."""
    for name in variables or ():
        if not name.isidentifier():
            raise UsageError(f"{name!r} cannot be a variable: it is no Python name.")
    return encode(dict(variables or {}))


def encode(value: Any) -> str:
    """A value as JSON: sets as sorted lists, models and dates as pydantic writes them, anything else as text."""
    try:
        return json.dumps(value, default=_plain)
    except (TypeError, ValueError):  # keys that are no text, or a value inside itself
        return json.dumps(_with_text_keys(value, 0), default=_plain)


def decode(text: str | bytes) -> Any:
    """JSON, NaN and Infinity included. `ValueError` for anything else, however deep it is nested."""
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("JSON nested too deeply") from error


def _plain(value: Any) -> Any:
    """One step towards JSON."""
    if isinstance(value, (set, frozenset)):
        return _ordered(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return base64.b64encode(bytes(value)).decode("ascii")
    if hasattr(value, "toDict"):
        return value.toDict()
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if callable(tolist := getattr(value, "tolist", None)) and not isinstance(value, type):
        return tolist()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    from pydantic_core import PydanticSerializationError, to_jsonable_python

    try:
        return to_jsonable_python(value)
    except (PydanticSerializationError, ValueError):
        return str(value)


def _with_text_keys(value: Any, depth: int) -> Any:
    if depth > 100:
        return str(value)
    if isinstance(value, Mapping):
        return {_key(key): _with_text_keys(item, depth + 1) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_with_text_keys(item, depth + 1) for item in value]
    if isinstance(value, (str, int, float)) or value is None:
        return value
    return _with_text_keys(_plain(value), depth + 1)


def _key(key: Any) -> Any:
    return key if isinstance(key, (str, int, float)) or key is None else str(key)


def _ordered(values: Any) -> list[Any]:
    try:
        return sorted(values)
    except TypeError:
        return sorted(values, key=repr)
