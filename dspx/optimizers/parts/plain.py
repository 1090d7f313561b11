"""Traces and predictions as plain data, and back as the types that the signatures say.

A study reads both fresh and recorded values back the same way, so a resumed search sees what the first one saw.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from dspx.core.canonical import to_plain
from dspx.core.prediction import Prediction

_AS_THEY_ARE = frozenset({str, int, float, bool, type(None)})


def plain_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values as JSON data; what has no JSON form, as its text."""
    if all(type(value) in _AS_THEY_ARE for value in values.values()):
        return dict(values)
    return {name: _plain(value) for name, value in values.items()}


def typed_values(signature: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    """Plain values in the types of the signature's fields, where they fit."""
    fields = getattr(signature, "fields", {})
    return {
        name: _typed(fields[name].annotation, value) if name in fields else value
        for name, value in values.items()
    }


def prediction_of(values: Mapping[str, Any]) -> Prediction:
    """A prediction that holds these values."""
    return Prediction(**values)


def _plain(value: Any) -> Any:
    if type(value) in _AS_THEY_ARE:
        return value
    try:
        return to_plain(value)
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
