"""Ready-made variables: temperature, top_p, max_tokens, the LM, the adapter, the way of reasoning.

    space = dspx.Space(program, [dspx.variables.temperature(), dspx.variables.reasoning("answer")])

Each is bound to every leaf unless told otherwise; change one as you would any variable's definition.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dspx.core.variable import Choice, Float, Integer

ALL = "*"


def temperature(
    low: float = 0.0, high: float = 1.5, default: float = 0.7, *, step: float | None = None, leaves: str = ALL
) -> Float:
    """How freely an LM answers."""
    return Float("temperature", low, high, default, step).bind(f"{leaves}.lm.temperature")


def top_p(low: float = 0.1, high: float = 1.0, default: float = 1.0, *, leaves: str = ALL) -> Float:
    """From how much of the probability an LM draws its words."""
    return Float("top_p", low, high, default).bind(f"{leaves}.lm.top_p")


def max_tokens(low: int = 64, high: int = 4096, default: int = 1024, *, leaves: str = ALL) -> Integer:
    """How long an answer may be; searched by magnitude."""
    return Integer("max_tokens", low, high, default, log=True).bind(f"{leaves}.lm.max_tokens")


def lm(options: Any, *, leaves: str = ALL) -> Choice:
    """Which LM is asked, of a list (known by their models) or of a dict with names."""
    return Choice("lm", options).bind(f"{leaves}.lm")


def adapter(options: Any = None, *, leaves: str = ALL) -> Choice:
    """How prompts are written and answers read: `chat`, `json` or `xml`, unless others are given."""
    return Choice("adapter", options or _adapters()).bind(f"{leaves}.adapter")


def reasoning(path: str, options: Sequence[Any] | Any = None) -> Choice:
    """Whether the module at `path` thinks first: `Predict` or `ChainOfThought`, unless others are given."""
    return Choice.of_modules("reasoning", options or _ways_of_reasoning()).bind(path)


def _adapters() -> dict[str, Any]:
    from dspx.adapters.chat import ChatAdapter
    from dspx.adapters.json import JSONAdapter
    from dspx.adapters.xml import XMLAdapter

    return {"chat": ChatAdapter(), "json": JSONAdapter(), "xml": XMLAdapter()}


def _ways_of_reasoning() -> list[Any]:
    from dspx.modules.chain_of_thought import ChainOfThought
    from dspx.modules.predict import Predict

    return [Predict, ChainOfThought]
