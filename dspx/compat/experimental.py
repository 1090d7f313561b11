"""Mark a function or a class as one that may change without notice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, overload

T = TypeVar("T", bound=Callable[..., Any])


@overload
def experimental(f: T, version: str | None = None) -> T: ...
@overload
def experimental(f: None = None, version: str | None = None) -> Callable[[T], T]: ...
def experimental(f: Any = None, version: str | None = None) -> Any:
    """`@experimental` or `@experimental(version="0.2")`: says so at the top of the docstring."""
    if f is None:
        return lambda marked: experimental(marked, version)
    kind = "class" if isinstance(f, type) else "function"
    since = f", new in {version}" if version else ""
    note = f"Experimental{since}: this {kind} may change or go in any release."
    f.__doc__ = f"{note}\n\n{f.__doc__}" if f.__doc__ else note
    return f
