"""Which interpreter a module makes: its own factory, else that of the settings, else the sandbox."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from dspx.core.settings import snapshot
from dspx.errors import UsageError
from dspx.sandbox.contract import CodeInterpreter
from dspx.sandbox.python_interpreter import PythonInterpreter

Factory = Callable[[], CodeInterpreter]


def resolve_interpreter_factory(factory: Factory | None = None) -> Factory:
    """`factory`, unless it is None or `PythonInterpreter` itself: then `settings.interpreter_factory`, if there is one."""
    if factory is not None and factory is not PythonInterpreter:
        return _checked(factory, "interpreter_factory")
    configured = snapshot()["interpreter_factory"]
    return PythonInterpreter if configured is None else _checked(configured, "settings.interpreter_factory")


def _checked(factory: Any, name: str) -> Factory:
    if not callable(factory):
        made = type(factory).__name__
        raise UsageError(f"{name} makes interpreters when it is called, and a {made} cannot be called.")
    return cast("Factory", factory)


def check_interpreter(interpreter: Any) -> CodeInterpreter:
    """The interpreter, if it is one. `UsageError` says what it lacks."""
    missing = [name for name in ("tools", "start", "execute", "shutdown") if not hasattr(interpreter, name)]
    if missing:
        raise UsageError(f"{type(interpreter).__name__} is no interpreter: it lacks {', '.join(missing)}.")
    return interpreter
