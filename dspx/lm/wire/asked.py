"""Parameters whose form users may vary, in the one form that wires read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dspx.errors import LMUnsupportedFeatureError
from dspx.lm.request import Request

# How many tokens an effort is worth, for models that want their thinking in tokens.
BUDGETS = {"minimal": 1_024, "low": 2_048, "medium": 8_192, "high": 16_384, "xhigh": 24_576, "max": 32_768}
OFF = ("none", "off", "disable", "disabled")


@dataclass(frozen=True, slots=True)
class Effort:
    """How hard to think: a word, a number of tokens, or not at all (`off`)."""

    word: str | None = None
    budget: int | None = None
    summary: str | None = None

    @property
    def off(self) -> bool:
        return self.word in OFF or self.budget == 0

    @property
    def tokens(self) -> int:
        return (
            self.budget if self.budget is not None else BUDGETS.get(self.word or "medium", BUDGETS["medium"])
        )


def effort_of(value: Any) -> Effort | None:
    """`reasoning_effort`: a word, a number of tokens, or a dict with `effort`, `budget_tokens`, `summary`."""
    if value is None:
        return None
    if isinstance(value, Mapping):
        return Effort(value.get("effort"), value.get("budget_tokens"), value.get("summary"))
    return Effort(budget=value) if isinstance(value, int) else Effort(str(value).lower())


def stops_of(value: Any) -> list[str]:
    """`stop`: a string or a list of them."""
    return [value] if isinstance(value, str) else list(value or ())


def limit_of(params: Mapping[str, Any]) -> int | None:
    """The limit on tokens to generate, under either of its two names."""
    return params.get("max_tokens") or params.get("max_completion_tokens")


def chosen_tool(tool_choice: Any) -> str | None:
    """The name of the one tool that must be called, where `tool_choice` names one."""
    if not isinstance(tool_choice, Mapping):
        return None
    return (tool_choice.get("function") or tool_choice).get("name")


def refuse(request: Request, protocol: str, names: tuple[str, ...]) -> None:
    """LMUnsupportedFeatureError where a parameter asks for what the protocol cannot do. 0 and False ask for nothing."""
    asked = [name for name in names if request.params.get(name)]
    if asked:
        raise LMUnsupportedFeatureError(
            f"{protocol} has no {' or '.join(asked)}. Leave it out for this model: LM(…, {asked[0]}=None).",
            features=asked,
            model=request.model,
        )


def unsupported_block(kind: Any, protocol: str, request: Request) -> LMUnsupportedFeatureError:
    """The error for a content block that the protocol has no form for."""
    return LMUnsupportedFeatureError(
        f"{protocol} cannot take a message block of type {kind!r}.", feature=str(kind), model=request.model
    )
