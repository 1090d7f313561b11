"""Read a value that may be a dict, an SDK's object or a record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from operator import attrgetter
from types import SimpleNamespace
from typing import Any


def get(source: Any, name: str, default: Any = None) -> Any:
    """The item or the attribute `name`; `default` where there is none, or where it is None."""
    value = opened(source)(name)
    return default if value is None else value


Look = Callable[[str], Any]
"""`look(name)`: what stands under a name, None where there is nothing."""


def opened(source: Any) -> Look:
    """For several looks into one value: by its items, or by its attributes."""
    return _opener(type(source))(source)


@lru_cache(maxsize=256)
def _opener(kind: type[Any]) -> Callable[[Any], Look]:
    """Asking a class whether it is a Mapping is slow, and here the same few are asked again and again."""
    if issubclass(kind, Mapping):
        return attrgetter("get")
    return attrgetter("__dict__.get") if kind is SimpleNamespace else _attributes


def _attributes(source: Any) -> Look:
    return lambda name: getattr(source, name, None)


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
