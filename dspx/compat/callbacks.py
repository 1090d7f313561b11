"""Tell the callbacks of a method's calls, as dspx does of its own."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from dspx.core.events import Kind, aobserve, observe
from dspx.runtime.bridge import is_async


def with_callbacks(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a method: its calls start and end in the hooks of `settings.callbacks` and `self.callbacks`.

    Which hooks depends on the class: `on_lm_*` for LMs, `on_tool_*` for tools, `on_adapter_*` for the `format`
    and `parse` of adapters, `on_evaluate_*` and `on_compile_*`, and `on_module_*` for everything else.
    """
    signature = inspect.signature(fn)

    def inputs_of(instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        bound = signature.bind(instance, *args, **kwargs)
        bound.apply_defaults()
        return dict(list(bound.arguments.items())[1:])

    @functools.wraps(fn)
    def observed(self: Any, *args: Any, **kwargs: Any) -> Any:
        kind = _kind_of(self, fn.__name__)
        return observe(kind, self, lambda: inputs_of(self, args, kwargs), lambda: fn(self, *args, **kwargs))

    @functools.wraps(fn)
    async def aobserved(self: Any, *args: Any, **kwargs: Any) -> Any:
        kind = _kind_of(self, fn.__name__)
        return await aobserve(
            kind, self, lambda: inputs_of(self, args, kwargs), lambda: fn(self, *args, **kwargs)
        )

    return aobserved if is_async(fn) else observed


def _kind_of(instance: Any, method: str) -> Kind:
    names = {cls.__name__ for cls in type(instance).__mro__}
    if "BaseLM" in names:
        return "lm"
    if "Adapter" in names:
        return "adapter_format" if method == "format" else "adapter_parse"
    if "Tool" in names:
        return "tool"
    if "Evaluate" in names:
        return "evaluate"
    return "compile" if "Optimizer" in names else "module"
