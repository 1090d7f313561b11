"""What an agent does, step by step: told to whoever streams the program that it is in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dspx.runtime.scope import Scoped


@dataclass(frozen=True, slots=True)
class Thought:
    """What an agent thought before it acted. `agent` is its path in the program, `step` counts from 0."""

    agent: str
    step: int
    text: str


@dataclass(frozen=True, slots=True)
class ToolCalled:
    """An agent calls a tool. `call` tells several calls of one step apart."""

    agent: str
    step: int
    tool: str
    args: Mapping[str, Any]
    call: int = 0


@dataclass(frozen=True, slots=True)
class Observed:
    """What came of a tool call: its value; with `is_error`, what went wrong."""

    agent: str
    step: int
    tool: str
    value: Any
    is_error: bool = False
    call: int = 0


Step = Thought | ToolCalled | Observed

listener: Scoped[Callable[[Any, Step], None] | None] = Scoped("dspx_step_listener", None)
"""Who hears of each step: `listener(agent module, step)`. Steps are made only where somebody listens."""
