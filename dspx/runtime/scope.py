"""Values that hold for a block of code and follow its work into tasks and worker threads."""

from __future__ import annotations

from contextvars import ContextVar, Token
from typing import Generic, TypeVar

T = TypeVar("T")


class Scoped(Generic[T]):
    """A named value with a default; `using` sets it for a block."""

    __slots__ = ("_var", "get", "reset", "set")

    def __init__(self, name: str, default: T) -> None:
        self._var: ContextVar[T] = ContextVar(name, default=default)
        self.get = self._var.get
        self.set = self._var.set
        self.reset = self._var.reset

    def using(self, value: T) -> Using[T]:
        """`with scoped.using(value): …`"""
        return Using(self._var, value)


class Using(Generic[T]):
    """A block in which a value holds. Enter it once."""

    __slots__ = ("_token", "_value", "_var")

    _token: Token[T]

    def __init__(self, var: ContextVar[T], value: T) -> None:
        self._var = var
        self._value = value

    def __enter__(self) -> T:
        self._token = self._var.set(self._value)
        return self._value

    def __exit__(self, *_: object) -> None:
        self._var.reset(self._token)
