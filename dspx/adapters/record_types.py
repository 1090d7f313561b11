"""Types with named parts: pydantic models, typed dicts and dataclasses read alike."""

from __future__ import annotations

import dataclasses
import typing
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Part:
    """One named part of a type; `alias` is the name that it has outside of Python, where that is another."""

    name: str
    annotation: Any
    alias: str | None = None
    description: str | None = None


def parts_of(annotation: Any) -> list[Part] | None:
    """The named parts of a type, in order; None for a type that has none to name."""
    if not isinstance(annotation, type):
        return None
    from pydantic import BaseModel

    if issubclass(annotation, BaseModel):
        fields = annotation.model_fields.items()
        return [
            Part(name, _resolved(info.annotation, annotation), info.alias, info.description)
            for name, info in fields
        ]
    if is_typed_dict(annotation) or dataclasses.is_dataclass(annotation):
        hints = typing.get_type_hints(annotation)
        return [Part(name, _unmarked(type_)) for name, type_ in hints.items()]
    return None


def is_typed_dict(annotation: Any) -> bool:
    """Of `typing` or of `typing_extensions`."""
    return isinstance(annotation, type) and issubclass(annotation, dict) and hasattr(annotation, "__total__")


def doc_of(annotation: type[Any]) -> str:
    """The docstring that somebody wrote for this very class, on one line. (Dataclasses have one nobody wrote.)"""
    doc = vars(annotation).get("__doc__") or ""
    if dataclasses.is_dataclass(annotation) and doc.startswith(annotation.__qualname__.split(".")[-1] + "("):
        return ""
    return " ".join(doc.split())


def _resolved(annotation: Any, owner: type[Any]) -> Any:
    """Python 3.10 leaves the string in `list["Owner"]`."""
    args = typing.get_args(annotation)
    if typing.get_origin(annotation) not in (list, dict, set, tuple, frozenset) or owner.__name__ not in args:
        return annotation
    return typing.get_origin(annotation)[tuple(owner if arg == owner.__name__ else arg for arg in args)]


def _unmarked(annotation: Any) -> Any:
    """The type in `NotRequired[...]` and its like, which two modules define."""
    origin = typing.get_origin(annotation)
    mark = getattr(origin, "_name", None) or getattr(origin, "__name__", "")
    if mark in ("NotRequired", "Required", "ReadOnly"):
        return _unmarked(typing.get_args(annotation)[0])
    return annotation
