"""Tools as code may call them: by name, and described to the model. Functions, or objects that describe themselves."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any

from dspx.errors import UsageError


def tools_by_name(tools: Iterable[Callable[..., Any]]) -> dict[str, Callable[..., Any]]:
    """The tools by the name that code calls. `UsageError` for one that cannot be called, or a name used twice."""
    named: dict[str, Callable[..., Any]] = {}
    for tool in tools:
        name = tool_name(tool)
        if not callable(tool):
            raise UsageError(f"{tool!r} is no tool: it cannot be called.")
        if not name.isidentifier():
            raise UsageError(
                f"A tool called {name!r} cannot be called from code; give it a name that Python allows."
            )
        if name in named:
            raise UsageError(f"Two tools are called {name!r}; give one another name.")
        named[name] = tool
    return named


def tool_name(tool: Any) -> str:
    """A tool's own name, else the function's, else that of its class."""
    return str(getattr(tool, "name", None) or getattr(tool, "__name__", None) or type(tool).__name__)


def tool_text(name: str, tool: Any) -> str:
    """`find(query: str, k: int = 3) -> list[str]: what it does`."""
    desc = getattr(tool, "desc", None) or inspect.getdoc(getattr(tool, "func", tool)) or ""
    return f"`{name}{_signature_text(getattr(tool, 'func', tool))}`" + (
        f": {' '.join(desc.split())}" if desc else ""
    )


def _signature_text(function: Any) -> str:
    for resolved in (True, False):  # annotations may be texts that nothing stands behind
        try:
            return str(inspect.signature(function, eval_str=resolved))
        except (TypeError, ValueError):
            break  # it has no signature
        except NameError:
            continue
    return "(...)"


def tools_text(tools: dict[str, Callable[..., Any]]) -> str:
    return "\n".join(
        f"{place}. {tool_text(name, tool)}" for place, (name, tool) in enumerate(tools.items(), 1)
    )
