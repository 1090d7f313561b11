"""A model for code to ask: `llm_query` and `llm_query_batched`, on one budget of calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dspx.core.calls import entrance
from dspx.core.settings import snapshot
from dspx.errors import UsageError
from dspx.runtime.bridge import run
from dspx.runtime.fanout import fan_out
from dspx.runtime.locks import Lock

_AT_ONCE = 8


class CallBudget:
    """So many calls, for whoever makes them and on whichever thread."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.used = 0
        self._lock = Lock()

    def take(self, calls: int = 1) -> None:
        """`RuntimeError`, taking nothing, where fewer are left."""
        with self._lock:
            if self.used + calls > self.limit:
                raise RuntimeError(
                    f"LLM call limit exceeded: {self.used} of {self.limit} calls are used, and this needs {calls} more. "
                    "Work out the rest in Python."
                )
            self.used += calls


class LLMQuery:
    """Ask a language model a question in plain text; it sees nothing but the question."""

    __name__ = "llm_query"

    def __init__(self, lm: Any, budget: CallBudget) -> None:
        self._lm = lm
        self._budget = budget

    def __call__(self, prompt: str) -> str:
        return run(self.acall(prompt))

    async def acall(self, prompt: str) -> str:
        _check(prompt)
        self._budget.take()
        return await ask(self._lm, prompt)


class LLMQueryBatched:
    """Ask many questions at once; answers in their order. One that failed reads `[ERROR] …`."""

    __name__ = "llm_query_batched"

    def __init__(self, lm: Any, budget: CallBudget) -> None:
        self._lm = lm
        self._budget = budget

    def __call__(self, prompts: list[str]) -> list[str]:
        return run(self.acall(prompts))

    async def acall(self, prompts: list[str]) -> list[str]:
        for prompt in prompts:
            _check(prompt)
        if not prompts:
            return []
        self._budget.take(len(prompts))
        outcomes = await fan_out(self._one, prompts, workers=_AT_ONCE)
        return [
            str(outcome.value) if outcome.ok else f"[ERROR] {type(outcome.error).__name__}: {outcome.error}"
            for outcome in outcomes
        ]

    async def _one(self, prompt: str) -> str:
        return await ask(self._lm, prompt)


async def ask(lm: Any, prompt: str) -> str:
    """The text of the LM's answer; the LM of the settings where there is no other."""
    lm = lm if lm is not None else snapshot()["lm"]
    if lm is None:
        raise UsageError("No LM is loaded for llm_query: give RLM(sub_lm=…), or dspx.configure(lm=…).")
    output = (await entrance(lm)(prompt))[0]
    return str(output.get("text") or "") if isinstance(output, dict) else str(output)


def llm_tools(lm: Any, budget: CallBudget) -> dict[str, Callable[..., Any]]:
    return {"llm_query": LLMQuery(lm, budget), "llm_query_batched": LLMQueryBatched(lm, budget)}


def _check(prompt: Any) -> None:
    if not isinstance(prompt, str) or not prompt.strip():
        raise ValueError("a prompt is a text, and not an empty one")
