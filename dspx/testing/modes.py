"""How tests get their LM: mock, fallback or live (`--dspx-mode`, `DSPX_TEST_MODE`).

| mode | `dspx_lm` | network | tests marked `dspx_live` |
|---|---|---|---|
| mock (default) | answers validly, means nothing | forbidden | skipped |
| fallback | real where a key is set, else as in mock | as needed | run where a key is set, else skipped |
| live | real | allowed | run; without a key they fail |
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Mode = Literal["mock", "fallback", "live"]

MODES = ("mock", "fallback", "live")
VARIABLE = "DSPX_TEST_MODE"
LM_VARIABLE = "DSPX_TEST_LM"

# What a key in the environment stands for: a small model of each provider.
_KEYS = (
    ("OPENAI_API_KEY", "openai/gpt-4o-mini"),
    ("ANTHROPIC_API_KEY", "anthropic/claude-haiku-4-5"),
    ("GEMINI_API_KEY", "gemini/gemini-2.5-flash"),
    ("GOOGLE_API_KEY", "gemini/gemini-2.5-flash"),
    ("OPENROUTER_API_KEY", "openrouter/openai/gpt-4o-mini"),
    ("GROQ_API_KEY", "groq/llama-3.3-70b-versatile"),
    ("MISTRAL_API_KEY", "mistral/mistral-small-latest"),
    ("DEEPSEEK_API_KEY", "deepseek/deepseek-chat"),
)


@dataclass(frozen=True, slots=True)
class Choice:
    """The mode of a test session. `given`: somebody chose it, rather than it being the default."""

    mode: Mode
    given: bool
    live_model: str | None

    @property
    def is_live(self) -> bool:
        """Whether `dspx_lm` asks a real model."""
        return self.mode != "mock" and self.live_model is not None

    @property
    def told(self) -> str:
        """The mode in a line, for the header of a test run."""
        if self.mode == "mock":
            return "mock (test LMs, network forbidden)"
        if self.live_model is None:
            missing = "no key is set"
            return f"{self.mode} ({missing}: {'test LMs' if self.mode == 'fallback' else 'tests that need an LM fail'})"
        return f"{self.mode} ({self.live_model})"


def choose(option: str | None, environ: Mapping[str, str] = os.environ) -> Choice:
    """The mode by the command line's option, else the environment's, else mock. ValueError for an unknown one."""
    named = option or environ.get(VARIABLE) or None
    if named is not None and named not in MODES:
        raise ValueError(f"{VARIABLE}={named!r} is none of {', '.join(MODES)}.")
    mode: Any = named or "mock"
    return Choice(mode, named is not None, live_model(environ))


def live_model(environ: Mapping[str, str] = os.environ) -> str | None:
    """The model that `DSPX_TEST_LM` names, or the one that a key in the environment stands for."""
    named = environ.get(LM_VARIABLE)
    if named:
        return named
    return model_of_a_key(environ)


def model_of_a_key(environ: Mapping[str, str] = os.environ) -> str | None:
    """A small model of the first provider whose key is set."""
    return next((model for variable, model in _KEYS if environ.get(variable)), None)


def missing_key() -> str:
    """What to say where live tests find no key."""
    variables = ", ".join(variable for variable, _ in _KEYS)
    return f"Live mode needs a key: set one of {variables}, or name a model in {LM_VARIABLE}."
