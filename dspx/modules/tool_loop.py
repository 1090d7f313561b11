"""What agents share: running a tool and observing what came of it, and how much one call may take."""

from __future__ import annotations

import os
import traceback
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from dspx.core import steps
from dspx.core.calls import entrance
from dspx.core.steps import Observed, Thought, ToolCalled
from dspx.errors import BudgetExhausted, ToolApprovalError, ToolError, ToolRefused, UsageError
from dspx.runtime import clock
from dspx.tools.approval import Approve, approved_args
from dspx.tools.tool import Tool

_FRAMES = 5


def named_tools(tools: Iterable[Any]) -> dict[str, Tool]:
    """Tools by name, in order; functions become tools. The last one of a name counts."""
    made = [tool if isinstance(tool, Tool) else Tool(tool) for tool in tools]
    return {tool.name: tool for tool in made}


# ---------------------------------------------------------------- one tool call


@dataclass(frozen=True, slots=True)
class Observation:
    """What an agent sees of a call."""

    value: Any
    is_error: bool = False


async def observe(
    tools: Mapping[str, Tool], name: str, args: Mapping[str, Any] | None, approve: Approve | None
) -> Observation:
    """Run a tool. Its failure, and a refusal, are observations too; only an approval that failed is an error."""
    tool = tools.get(name)
    if tool is None:
        return Observation(f"Unknown tool: {name}. The tools are: {', '.join(tools)}.", True)
    try:
        allowed = await approved_args(approve, tool, dict(args or {}))
        return Observation(await entrance(tool)(**allowed))
    except (ToolApprovalError, BudgetExhausted):
        raise
    except ToolRefused as error:
        return Observation(f"{name} was not run: {error.reason}", True)
    except Exception as error:  # noqa: BLE001  a tool is the user's code, and its failure is something to learn from
        return Observation(f"Execution error in {name}: {error_text(error)}", True)


def error_text(error: BaseException) -> str:
    """What went wrong for a model to read: the message, and the last lines of the user's code that led there.

    Files are named without their folders: what a model is told is the same on every machine.
    """
    told = "".join(traceback.format_exception_only(error)).strip()
    if isinstance(error, ToolError):
        return str(error)
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not _is_ours(frame.filename)]
    if not frames:
        return told
    lines = [
        f'  File "{os.path.basename(frame.filename)}", line {frame.lineno}, in {frame.name}\n    {frame.line}'
        for frame in frames[-_FRAMES:]
    ]
    return "\n".join(["\nTraceback (most recent call last):", *lines, told])


_HERE = os.path.dirname(os.path.dirname(__file__)) + os.sep


def _is_ours(filename: str) -> bool:
    return (
        filename.startswith(_HERE)
        or f"{os.sep}asyncio{os.sep}" in filename
        or f"{os.sep}concurrent{os.sep}" in filename
    )


# ---------------------------------------------------------------- how much


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one call of an agent may take; None sets no limit."""

    max_tool_calls: int | None = None
    max_lm_calls: int | None = None
    max_seconds: float | None = None

    def __post_init__(self) -> None:
        for name, least in (("max_tool_calls", 0), ("max_lm_calls", 1), ("max_seconds", 0)):
            value = getattr(self, name)
            if value is not None and value < least:
                raise UsageError(f"{name}={value!r}: the least is {least}; None sets no limit.")


class Spent:
    """What one call of an agent has taken so far."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.tool_calls = 0
        self.lm_calls = 0
        self._started = clock.now() if limits.max_seconds is not None else 0.0

    def asked(self, prediction: Any = None) -> None:
        """A predictor was asked; where its first answer could not be read, that was two calls."""
        self.lm_calls += 1 if prediction is None or prediction.get_reask() is None else 2

    @property
    def tool_calls_left(self) -> int | None:
        most = self.limits.max_tool_calls
        return None if most is None else max(0, most - self.tool_calls)

    def over(self) -> str | None:
        """The limit that allows no further step; of the calls of the LM, the last is kept for the outputs."""
        limits = self.limits
        if self.tool_calls_left == 0:
            return f"max_tool_calls={limits.max_tool_calls}"
        if limits.max_lm_calls is not None and self.lm_calls + 1 >= limits.max_lm_calls:
            return f"max_lm_calls={limits.max_lm_calls}"
        if limits.max_seconds is not None and clock.now() - self._started >= limits.max_seconds:
            return f"max_seconds={limits.max_seconds}"
        return None


# ---------------------------------------------------------------- telling


def tell_thought(agent: Any, step: int, text: Any) -> None:
    if (listener := steps.listener.get()) is not None and text is not None:
        listener(agent, Thought("", step, str(text)))


def tell_call(agent: Any, step: int, tool: str, args: Mapping[str, Any], call: int = 0) -> None:
    if (listener := steps.listener.get()) is not None:
        listener(agent, ToolCalled("", step, tool, args, call))


def tell_observation(agent: Any, step: int, tool: str, seen: Observation, call: int = 0) -> None:
    if (listener := steps.listener.get()) is not None:
        listener(agent, Observed("", step, tool, seen.value, seen.is_error, call))
