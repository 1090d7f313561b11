"""JSON text as a store keeps it: keys sorted, so equal content is equal text."""

from __future__ import annotations

import json
from typing import Any

import orjson

from dspx.core.canonical import _plain, canonical_json
from dspx.errors import UsageError

_EXACT = " "
"""The first character of text that only the standard library reads back exactly."""


def encode(value: Any, what: str = "This value") -> str:
    """`value` as JSON text. `UsageError` where it has none; NaN and infinities become null."""
    try:
        return canonical_json(value).decode()
    except TypeError as error:
        return _EXACT + _encode_exactly(value, what, error)


def decode(text: str) -> Any:
    """The JSON value of what `encode` wrote."""
    return json.loads(text) if text.startswith(_EXACT) else orjson.loads(text)


def plain(value: Any, what: str = "This value") -> Any:
    """`value` as it will be found again: dicts, lists, strings, numbers, booleans, None."""
    return decode(encode(value, what))


def _encode_exactly(value: Any, what: str, refused: TypeError) -> str:
    """Integers beyond 64 bits and halves of surrogate pairs: models write both, and orjson knows neither."""
    try:
        return json.dumps(value, default=_plain, sort_keys=True, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError):
        raise UsageError(
            f"{what} cannot be stored, because it has no JSON form: {refused}. Give plain data instead."
        ) from refused
