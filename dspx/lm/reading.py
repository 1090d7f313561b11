"""Read a value that may be a dict, an SDK's object or a record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any


def get(source: Any, name: str, default: Any = None) -> Any:
    """The item or the attribute `name`; `default` where there is none, or where it is None."""
    value = reader(source)(source, name, None)
    return default if value is None else value


Read = Callable[[Any, str, Any], Any]
"""`read(source, name, None)`: what stands under a name, None where there is nothing."""


def reader(source: Any) -> Read:
    """How to read what is of this kind: by its items, or by its attributes. For several looks into one value."""
    return _reader(type(source))


@lru_cache(maxsize=256)
def _reader(kind: type[Any]) -> Read:
    """Asking a class whether it is a Mapping is slow, and here the same few are asked again and again."""
    return kind.get if issubclass(kind, Mapping) else getattr


def plain(value: Any) -> Any:
    """The same value in dicts, lists, strings and numbers only, so that it can be kept as JSON."""
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    if isinstance(value, (dict, Mapping)):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    dump = getattr(value, "model_dump", None)
    if callable(dump):
        return plain(dump())
    fields = getattr(value, "__dict__", None)
    if fields:
        return {name: plain(item) for name, item in fields.items() if not name.startswith("_")}
    return str(value)
