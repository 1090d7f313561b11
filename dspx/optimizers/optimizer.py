"""What every optimizer shares: `compile`, its async twin, and the callbacks around it."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import ContextVar
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

from dspx.core.events import aobserve, observe
from dspx.core.module import Module
from dspx.errors import UsageError
from dspx.runtime.bridge import in_thread, is_async_here, on_background_loop, run

if TYPE_CHECKING:
    from dspx.core.example import Example

M = TypeVar("M", bound=Module)


class Optimizer:
    """`optimizer.compile(student, trainset=…)` gives a better program and leaves `student` as it was.

    A subclass overrides `acompile`, or `compile` where it is sync code; the other is derived.
    """

    callbacks: Sequence[Any] = ()

    _acompile_steps: bool = True

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        own: dict[str, Any] = {name: vars(cls)[name] for name in ("compile", "acompile") if name in vars(cls)}
        if len(own) == 1:  # the other one, if inherited, is a parent's way and not this class's
            missing = "compile" if "acompile" in own else "acompile"
            setattr(cls, missing, getattr(Optimizer, missing))
        if "compile" in own:
            setattr(cls, "compile", _observed(own["compile"]))  # noqa: B010
        if "acompile" in own:
            setattr(cls, "acompile", _aobserved(own["acompile"]))  # noqa: B010
            # dspx's own coroutines never wait in a sync call, so they can be stepped; a user's may.
            cls._acompile_steps = cls.__module__.partition(".")[0] == "dspx"

    def compile(
        self,
        student: M,
        *,
        trainset: Sequence[Example],
        teacher: Module | None = None,
        valset: Sequence[Example] | None = None,
        **kwargs: Any,
    ) -> M:
        """A better program, made of a copy of `student`."""
        given = {"teacher": teacher, "valset": valset}
        options = {**{name: value for name, value in given.items() if value is not None}, **kwargs}
        body: Any = self.acompile
        if self._acompile_steps or is_async_here():
            return run(body(student, trainset=trainset, **options))
        return on_background_loop(body, student, trainset=trainset, **options)

    async def acompile(self, student: M, *, trainset: Sequence[Example], **kwargs: Any) -> M:
        """`compile` for async code."""
        if type(self).compile is Optimizer.compile:
            raise UsageError(f"{type(self).__name__} cannot compile: define `acompile` or `compile`.")
        body: Any = self.compile
        return await in_thread(body, student, trainset=trainset, **kwargs)

    def get_params(self) -> dict[str, Any]:
        """What the optimizer was made with."""
        return {name: value for name, value in vars(self).items() if name != "callbacks"}


Teleprompter = Optimizer

_compiling: ContextVar[frozenset[int]] = ContextVar("dspx_compiling", default=frozenset())
"""The optimizers at work around us, so that `super().compile()` and a derived twin are not heard twice."""


def _observed(method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def compile(self: Optimizer, *args: Any, **kwargs: Any) -> Any:
        if id(self) in _compiling.get():
            return method(self, *args, **kwargs)
        token = _compiling.set(_compiling.get() | {id(self)})
        try:
            return observe(
                "compile", self, lambda: _named(method, args, kwargs), lambda: method(self, *args, **kwargs)
            )
        finally:
            _compiling.reset(token)

    return compile


def _aobserved(method: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    @wraps(method)
    async def acompile(self: Optimizer, *args: Any, **kwargs: Any) -> Any:
        if id(self) in _compiling.get():
            return await method(self, *args, **kwargs)
        token = _compiling.set(_compiling.get() | {id(self)})
        try:
            return await aobserve(
                "compile", self, lambda: _named(method, args, kwargs), lambda: method(self, *args, **kwargs)
            )
        finally:
            _compiling.reset(token)

    return acompile


def _named(method: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments by name, defaults included."""
    signature = inspect.signature(method)
    arguments = signature.bind(None, *args, **kwargs)
    arguments.apply_defaults()
    named = dict(list(arguments.arguments.items())[1:])
    for name, parameter in signature.parameters.items():
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            named.update(named.pop(name))
    return named
