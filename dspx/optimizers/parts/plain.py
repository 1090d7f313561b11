"""Traces and predictions as plain data, and back as the types that the signatures say.

A study reads both fresh and recorded values back the same way, so a resumed search sees what the first one saw.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import orjson

from dspx.core.canonical import canonical_json

_AS_THEY_ARE = frozenset({str, int, float, bool, type(None)})


def plain_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values as JSON data, in the order of their names; what has no JSON form, as its text."""
    return {name: _plain(values[name]) for name in sorted(values)}


def plain(value: Any) -> Any:
    """A value as a store will give it back: JSON data, the keys of dicts in order."""
    return _plain(value)


def typed_values(signature: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    """Plain values in the order and the types of the signature's fields, where they fit; then what it has not."""
    fields = getattr(signature, "fields", {})
    typed = {name: _typed(field.annotation, values[name]) for name, field in fields.items() if name in values}
    if len(typed) == len(values):
        return typed
    return {**typed, **{name: value for name, value in values.items() if name not in typed}}


def _plain(value: Any) -> Any:
    if type(value) in _AS_THEY_ARE:
        return value
    try:
        return orjson.loads(canonical_json(value))
    except TypeError:
        return repr(value)


def _typed(annotation: Any, value: Any) -> Any:
    if annotation in _PRIMITIVES:
        return value
    from pydantic import ValidationError

    try:
        return _adapter(annotation).validate_python(value)
    except (ValidationError, TypeError):
        return value


_PRIMITIVES = (str, int, float, bool, Any)


@lru_cache(maxsize=1024)
def _adapter(annotation: Any) -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(annotation)
