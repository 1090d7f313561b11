"""What a call cost, from a small table of public prices."""

from __future__ import annotations

import re
from dataclasses import dataclass

from dspx.errors import UsageError
from dspx.lm.usage import Usage

AS_OF = "2026-11-01"
"""The day that the table stands for. Prices change: `register_price` overrides them."""


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for a million tokens. `cached`: read from the provider's prompt cache; `cache_write`: stored in it."""

    input: float
    output: float
    cached: float | None = None
    cache_write: float | None = None

    def of(self, usage: Usage) -> float:
        """The dollars that this usage costs."""
        written = usage.cache_write_tokens
        fresh = max(0, usage.prompt_tokens - usage.cached_tokens - written)
        cached = self.input if self.cached is None else self.cached
        write = self.input if self.cache_write is None else self.cache_write
        sent = fresh * self.input + usage.cached_tokens * cached + written * write
        return (sent + usage.completion_tokens * self.output) / 1_000_000


def price(model: str, usage: Usage) -> float | None:
    """Dollars for one call, without discounts (batches) and surcharges (very long prompts, tools, regions).

    None where the model is not in the table, or nothing was used. Local models have no price either.
    """
    row = price_of(model)
    if row is None or not (usage.prompt_tokens or usage.completion_tokens):
        return None
    return row.of(usage)


def price_of(model: str) -> Price | None:
    """The row of this model: under its full name, then without the date; never another provider's."""
    for name in _names(model):
        row = _registered.get(name) or _TABLE.get(name)
        if row is not None:
            return row
    return None


def register_price(
    model: str, *, input: float, output: float, cached: float | None = None, cache_write: float | None = None
) -> None:
    """Set a model's price, in US dollars for a million tokens: `register_price("vllm/llama", input=0, output=0)`."""
    if min(input, output, cached or 0, cache_write or 0) < 0:
        raise UsageError(f"The price of {model} cannot be negative.")
    name = model if "/" in model else f"openai/{model}"
    _registered[name] = Price(input, output, cached, cache_write)


_registered: dict[str, Price] = {}

# Azure sells OpenAI's models at OpenAI's prices, under deployments often named like them.
_SAME_PRICES = {"azure": "openai", "google": "gemini"}
_DATE = re.compile(r"(?:[-@]\d{4}-\d{2}-\d{2}|[-@]\d{8}|-latest)$")


def _names(model: str) -> list[str]:
    provider, slash, name = model.partition("/")
    if not slash:
        provider, name = "openai", model
    provider = _SAME_PRICES.get(provider, provider)
    full = f"{provider}/{name}"
    names = [model, full, _DATE.sub("", full)]
    if name.startswith("ft:"):
        names.append(f"{provider}/ft:{_DATE.sub('', name[3:].partition(':')[0])}")
    return names


# input, output, cached input, cache write
_TABLE: dict[str, Price] = {
    "openai/gpt-6-astra": Price(10, 50, 1, 12.5),
    "openai/gpt-6-sol": Price(2, 10, 0.2, 2.5),
    "openai/gpt-6-luna": Price(0.1, 0.5, 0.01, 0.125),
    "openai/gpt-5.6": Price(4, 20, 0.4, 5),
    "openai/gpt-5.5": Price(5, 30, 0.5),
    "openai/gpt-5.5-pro": Price(30, 180),
    "openai/gpt-5.4": Price(2.5, 15, 0.25),
    "openai/gpt-5.4-mini": Price(0.75, 4.5, 0.075),
    "openai/gpt-5.4-nano": Price(0.2, 1.25, 0.02),
    "openai/gpt-5.2": Price(1.75, 14, 0.175),
    "openai/gpt-5.2-pro": Price(21, 168),
    "openai/gpt-5.1": Price(1.25, 10, 0.125),
    "openai/gpt-5": Price(1.25, 10, 0.125),
    "openai/gpt-5-chat": Price(1.25, 10, 0.125),
    "openai/gpt-5-mini": Price(0.25, 2, 0.025),
    "openai/gpt-5-nano": Price(0.05, 0.4, 0.005),
    "openai/gpt-5-pro": Price(15, 120),
    "openai/gpt-4.1": Price(2, 8, 0.5),
    "openai/gpt-4.1-mini": Price(0.4, 1.6, 0.1),
    "openai/gpt-4.1-nano": Price(0.1, 0.4, 0.025),
    "openai/gpt-4o": Price(2.5, 10, 1.25),
    "openai/gpt-4o-2024-05-13": Price(5, 15),
    "openai/gpt-4o-mini": Price(0.15, 0.6, 0.075),
    "openai/gpt-4-turbo": Price(10, 30),
    "openai/gpt-4": Price(30, 60),
    "openai/gpt-3.5-turbo": Price(0.5, 1.5),
    "openai/gpt-3.5-turbo-instruct": Price(1.5, 2),
    "openai/o1": Price(15, 60, 7.5),
    "openai/o1-pro": Price(150, 600),
    "openai/o3": Price(2, 8, 0.5),
    "openai/o3-pro": Price(20, 80),
    "openai/o3-mini": Price(1.1, 4.4, 0.55),
    "openai/o4-mini": Price(1.1, 4.4, 0.275),
    "openai/ft:gpt-4.1": Price(3, 12, 0.75),
    "openai/ft:gpt-4.1-mini": Price(0.8, 3.2, 0.2),
    "openai/ft:gpt-4.1-nano": Price(0.2, 0.8, 0.05),
    "openai/ft:gpt-4o": Price(3.75, 15, 1.875),
    "openai/ft:gpt-4o-mini": Price(0.3, 1.2, 0.15),
    "openai/ft:gpt-3.5-turbo": Price(3, 6),
    "anthropic/claude-fable-5": Price(10, 50, 1, 12.5),
    "anthropic/claude-opus-5-5": Price(4, 20, 0.2, 5),
    "anthropic/claude-opus-5": Price(5, 25, 0.5, 6.25),
    "anthropic/claude-opus-4-8": Price(5, 25, 0.5, 6.25),
    "anthropic/claude-opus-4-7": Price(5, 25, 0.5, 6.25),
    "anthropic/claude-opus-4-6": Price(5, 25, 0.5, 6.25),
    "anthropic/claude-opus-4-5": Price(5, 25, 0.5, 6.25),
    "anthropic/claude-opus-4-1": Price(15, 75, 1.5, 18.75),
    "anthropic/claude-sonnet-5-5": Price(2, 10, 0.1, 2.5),
    "anthropic/claude-sonnet-5": Price(2, 10, 0.2, 2.5),
    "anthropic/claude-sonnet-4-6": Price(3, 15, 0.3, 3.75),
    "anthropic/claude-sonnet-4-5": Price(3, 15, 0.3, 3.75),
    "anthropic/claude-sonnet-4": Price(3, 15, 0.3, 3.75),
    "anthropic/claude-haiku-5-5": Price(0.1, 0.5, 0.01, 0.125),
    "anthropic/claude-haiku-4-5": Price(1, 5, 0.1, 1.25),
    "anthropic/claude-3-5-haiku": Price(0.8, 4, 0.08, 1),
    "gemini/gemini-3.8-flash": Price(0.75, 3.75, 0.075),
    "gemini/gemini-3.7-flash": Price(0.75, 3.75, 0.075),
    "gemini/gemini-3.6-flash": Price(0.75, 3.75, 0.075),
    "gemini/gemini-3.5-flash": Price(1.5, 9, 0.15),
    "gemini/gemini-3.5-flash-lite": Price(0.3, 2.5, 0.03),
    "gemini/gemini-3.1-pro-preview": Price(2, 12, 0.2),
    "gemini/gemini-3.1-flash-lite": Price(0.25, 1.5, 0.025),
    "gemini/gemini-3-flash-preview": Price(0.5, 3, 0.05),
    "gemini/gemini-2.5-pro": Price(1.25, 10, 0.125),
    "gemini/gemini-2.5-flash": Price(0.3, 2.5, 0.03),
    "gemini/gemini-2.5-flash-lite": Price(0.1, 0.4, 0.01),
    "deepseek/deepseek-chat": Price(0.28, 0.42, 0.028),
    "deepseek/deepseek-reasoner": Price(0.28, 0.42, 0.028),
    "deepseek/deepseek-v4-flash": Price(0.3, 1.2, 0.006),
    "deepseek/deepseek-v4-pro": Price(1.32, 3.96, 0.044),
    "mistral/mistral-large": Price(0.5, 1.5, 0.05),
    "mistral/mistral-medium": Price(1.5, 7.5, 0.15),
    "mistral/mistral-small": Price(0.15, 0.6, 0.015),
    "mistral/magistral-medium": Price(1.5, 7.5, 0.15),
    "mistral/codestral": Price(0.3, 0.9, 0.03),
    "xai/grok-4.6": Price(2, 6, 0.5),
    "xai/grok-4.5": Price(2, 6, 0.3),
    "xai/grok-4.3": Price(1.25, 2.5, 0.2),
    "xai/grok-code-fast-1": Price(1, 2, 0.2),
    "groq/openai/gpt-oss-120b": Price(0.15, 0.6, 0.075),
    "groq/openai/gpt-oss-20b": Price(0.075, 0.3, 0.0375),
    "cerebras/gpt-oss-120b": Price(0.35, 0.75),
}
