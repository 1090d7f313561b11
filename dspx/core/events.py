"""Callbacks: who wants to know when a module, an LM, an adapter, a tool, … starts and ends.

Where nobody listens, `observe` and `aobserve` cost one look at two lists, and are not there otherwise.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any, Literal, TypeVar

from dspx.core.ids import new_id
from dspx.core.settings import snapshot

T = TypeVar("T")

Kind = Literal[
    "module",
    "lm",
    "adapter_format",
    "adapter_parse",
    "tool",
    "evaluate",
    "compile",
    "interpreter_execute",
    "interpreter_tool_call",
    "interpreter_startup",
    "interpreter_shutdown",
]

logger = logging.getLogger("dspx.callbacks")

ACTIVE_CALL_ID: ContextVar[str | None] = ContextVar("dspx_active_call_id", default=None)
"""Inside a start hook: the id of the call around this one."""


class BaseCallback:
    """Override the hooks you want. An exception in a hook is logged and does not reach the program.

    Register with `dspx.configure(callbacks=[…])`, or on one instance with `callbacks=[…]`.
    """

    def on_module_start(self, call_id: str, instance: Any, inputs: dict[str, Any]) -> None: ...
    def on_module_end(
        self, call_id: str, outputs: Any | None, exception: Exception | None = None
    ) -> None: ...
    def on_lm_start(self, call_id: str, instance: Any, inputs: dict[str, Any]) -> None: ...
    def on_lm_end(self, call_id: str, outputs: Any | None, exception: Exception | None = None) -> None: ...
    def on_adapter_format_start(self, call_id: str, instance: Any, inputs: dict[str, Any]) -> None: ...
    def on_adapter_format_end(
        self, call_id: str, outputs: Any | None, exception: Exception | None = None
    ) -> None: ...
    def on_adapter_parse_start(self, call_id: str, instance: Any, inputs: dict[str, Any]) -> None: ...
    def on_adapter_parse_end(
        self, call_id: str, outputs: Any | None, exception: Exception | None = None
    ) -> None: ...
    def on_tool_start(self, call_id: str, instance: Any, inputs: dict[str, Any]) -> None: ...
    def on_tool_end(self, call_id: str, outputs: Any | None, exception: Exception | None = None) -> None: ...
    def on_evaluate_start(self, call_id: str, instance: Any, inputs: dict[str, Any]) -> None: ...
    def on_evaluate_end(
        self, call_id: str, outputs: Any | None, exception: Exception | None = None
    ) -> None: ...
    def on_compile_start(self, call_id: str, instance: Any, inputs: dict[str, Any]) -> None: ...
    def on_compile_end(
        self, call_id: str, outputs: Any | None, exception: Exception | None = None
    ) -> None: ...
    def on_interpreter_execute_start(self, call_id: str, instance: Any, inputs: dict[str, Any]) -> None: ...
    def on_interpreter_execute_end(
        self, call_id: str, outputs: Any | None, exception: Exception | None = None
    ) -> None: ...
    def on_interpreter_tool_call_start(self, call_id: str, instance: Any, inputs: dict[str, Any]) -> None: ...
    def on_interpreter_tool_call_end(
        self, call_id: str, outputs: Any | None, exception: Exception | None = None
    ) -> None: ...
    def on_interpreter_startup_start(self, call_id: str, instance: Any, inputs: dict[str, Any]) -> None: ...
    def on_interpreter_startup_end(
        self, call_id: str, outputs: Any | None, exception: Exception | None = None
    ) -> None: ...
    def on_interpreter_shutdown_start(self, call_id: str, instance: Any, inputs: dict[str, Any]) -> None: ...
    def on_interpreter_shutdown_end(
        self, call_id: str, outputs: Any | None, exception: Exception | None = None
    ) -> None: ...


def is_heard(instance: Any) -> bool:
    """Whether anybody hears of `instance`: the least that a call pays where nobody does."""
    return bool(snapshot()["callbacks"] or getattr(instance, "callbacks", None))


def listeners(instance: Any) -> list[Any]:
    """The callbacks that hear of `instance`: the global ones, then its own."""
    own = getattr(instance, "callbacks", None)
    everywhere = snapshot()["callbacks"]
    return [*(everywhere or ()), *(own or ())] if everywhere or own else _NOBODY


_NOBODY: list[Any] = []


def observe(
    kind: Kind, instance: Any, inputs: Callable[[], dict[str, Any]], fn: Callable[..., T], *args: Any
) -> T:
    """`fn(*args)`, with the start and the end told to whoever listens. `inputs()` is made only for them."""
    heard_by = listeners(instance)
    if not heard_by:
        return fn(*args)
    call = _Call(kind, instance, heard_by)
    call.start(inputs())
    try:
        outputs = fn(*args)
    except BaseException as error:  # a cancelled call ends too
        call.end(None, error)
        raise
    call.end(outputs, None)
    return outputs


def aobserve(
    kind: Kind,
    instance: Any,
    inputs: Callable[[], dict[str, Any]],
    fn: Callable[..., Awaitable[T]],
    *args: Any,
    shown: Callable[[T], Any] | None = None,
) -> Awaitable[T]:
    """`fn(*args)` to await, with the start and the end told to whoever listens; `shown` makes the outputs they see."""
    heard_by = listeners(instance)
    return _told(_Call(kind, instance, heard_by), inputs(), fn, args, shown) if heard_by else fn(*args)


async def _told(
    call: _Call,
    inputs: dict[str, Any],
    fn: Callable[..., Awaitable[T]],
    args: tuple[Any, ...],
    shown: Callable[[T], Any] | None,
) -> T:
    call.start(inputs)
    try:
        outputs = await fn(*args)
    except BaseException as error:  # a cancelled call ends too
        call.end(None, error)
        raise
    call.end(shown(outputs) if shown is not None else outputs, None)
    return outputs


class _Call:
    """One observed call: tells its start and end, and is the active call in between."""

    __slots__ = ("heard_by", "id", "instance", "kind", "parent", "token")

    def __init__(self, kind: Kind, instance: Any, heard_by: list[Any]) -> None:
        self.kind = kind
        self.instance = instance
        self.heard_by = heard_by
        self.id = new_id()

    def start(self, inputs: dict[str, Any]) -> None:
        for callback in self.heard_by:
            self._tell(callback, "start", instance=self.instance, inputs=inputs)
        self.token = ACTIVE_CALL_ID.set(self.id)

    def end(self, outputs: Any, exception: BaseException | None) -> None:
        ACTIVE_CALL_ID.reset(self.token)
        for callback in self.heard_by:
            self._tell(callback, "end", outputs=outputs, exception=exception)

    def _tell(self, callback: Any, when: str, **what: Any) -> None:
        hook = getattr(callback, f"on_{self.kind}_{when}", None)
        if hook is None:
            return
        try:
            hook(call_id=self.id, **what)
        except Exception:
            logger.warning("A callback failed in on_%s_%s of %r", self.kind, when, callback, exc_info=True)
