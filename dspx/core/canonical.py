"""Canonical JSON and stable hashes: the same value gives the same bytes, in every process."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson

_OPTIONS = orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY


def canonical_json(value: Any) -> bytes:
    """`value` as JSON with sorted keys. `TypeError` for what has no stable form: functions, sockets, locks."""
    try:
        return orjson.dumps(value, default=_plain, option=_OPTIONS)
    except TypeError as error:
        raise TypeError(f"no stable JSON form: {error.__cause__ or error}") from error


def stable_hash(value: Any) -> str:
    """The sha256 of the canonical JSON, in hexadecimal."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def to_plain(value: Any) -> Any:
    """`value` as plain JSON data (dicts, lists, strings, numbers, booleans, None)."""
    return orjson.loads(orjson.dumps(value, default=_plain, option=_OPTIONS & ~orjson.OPT_SORT_KEYS))


def _plain(value: Any) -> Any:
    """One step from a value that JSON does not know towards one that it does."""
    kind = type(value)
    if isinstance(value, type):
        return _plain_type(value)
    if hasattr(kind, "__pydantic_serializer__"):
        return value.model_dump(mode="json") if hasattr(kind, "model_dump") else _by_adapter(value)
    if hasattr(kind, "_store") or hasattr(value, "toDict"):
        return value.toDict()
    if kind in (set, frozenset):
        return sorted(value, key=canonical_json)
    if kind in (bytes, bytearray, memoryview):
        import base64

        return {"base64": base64.b64encode(bytes(value)).decode()}
    if kind is complex:
        return {"real": value.real, "imag": value.imag}
    if callable(value):
        raise TypeError(f"{value!r} is a function, and functions differ without looking different")
    return _by_adapter(value)


def _by_adapter(value: Any) -> Any:
    """What pydantic writes for it: Decimal, UUID, paths, dates, named tuples, …"""
    from pydantic_core import PydanticSerializationError, to_jsonable_python

    try:
        return to_jsonable_python(value)
    except PydanticSerializationError as error:
        raise TypeError(f"{type(value).__qualname__}: {error}") from error


def _plain_type(cls: type) -> Any:
    schema = getattr(cls, "model_json_schema", None)
    if schema is not None:
        return schema()
    return f"{cls.__module__}.{cls.__qualname__}"
