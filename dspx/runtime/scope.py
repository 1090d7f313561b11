"""Values that hold for a block of code and follow its work into tasks and worker threads."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
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

    @contextmanager
    def using(self, value: T) -> Generator[T]:
        token: Token[T] = self._var.set(value)
        try:
            yield value
        finally:
            self._var.reset(token)
