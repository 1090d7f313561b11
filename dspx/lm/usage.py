"""How many tokens a call used, in OpenAI's names whoever the provider is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import Any

from dspx.core.record import record
from dspx.lm.reading import opened, plain

_PROMPT = "prompt_tokens_details"
_COMPLETION = "completion_tokens_details"


@record
class Usage:
    """Tokens of one call, or of several added up.

    `prompt_tokens` counts everything sent, what the provider's cache served included; `completion_tokens`
    everything generated, reasoning included. `details` keeps what else the provider reported, under
    OpenAI's names (`prompt_tokens_details`, `completion_tokens_details`).
    """

    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    details: dict[str, Any] = field(default_factory=dict[str, Any])

    @classmethod
    def from_openai(cls, raw: Any) -> Usage:
        """Read OpenAI's usage, of Chat Completions or Responses: a dict or an SDK's object."""
        if raw is None:
            return cls()
        if type(raw) is not dict and isinstance(raw, Usage):
            return raw
        look = opened(raw)
        prompt, completion, total = look("prompt_tokens"), look("completion_tokens"), look("total_tokens")
        if not (type(prompt) is type(completion) is type(total) is int and prompt and completion and total):
            prompt = _count(prompt or look("input_tokens"))
            completion = _count(completion or look("output_tokens"))
            total = _count(total) or prompt + completion
        cached, reasoning = 0, 0
        if beside := look("prompt_cache_hit_tokens"):  # DeepSeek's, which are not in the details
            cached = _count(beside)
        details: dict[str, Any] = {}
        if sent := look(_PROMPT) or look("input_tokens_details"):
            told = _details(sent)
            cached = _count(told.pop("cached_tokens", None)) or cached
            if told:
                details[_PROMPT] = told
        if made := look(_COMPLETION) or look("output_tokens_details"):
            told = _details(made)
            reasoning = _count(told.pop("reasoning_tokens", None))
            if told:
                details[_COMPLETION] = told
        return cls(prompt, completion, total, cached, reasoning, details)

    @property
    def cache_write_tokens(self) -> int:
        """Tokens written to the provider's prompt cache, which some providers charge for."""
        sent = self.details.get(_PROMPT) or {}
        return _count(sent.get("cache_creation_tokens", sent.get("cache_write_tokens")))

    def to_dict(self) -> dict[str, Any]:
        """OpenAI's dict; empty where nothing was reported."""
        if self == _NOTHING:
            return {}
        result: dict[str, Any] = {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "total_tokens": self.total_tokens,
            **self.details,
        }
        if self.cached_tokens:
            result[_PROMPT] = {"cached_tokens": self.cached_tokens, **self.details.get(_PROMPT, {})}
        if self.reasoning_tokens:
            result[_COMPLETION] = {
                "reasoning_tokens": self.reasoning_tokens,
                **self.details.get(_COMPLETION, {}),
            }
        return result

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            self.total_tokens + other.total_tokens,
            self.cached_tokens + other.cached_tokens,
            self.reasoning_tokens + other.reasoning_tokens,
            _added(self.details, other.details),
        )

    def keys(self) -> Iterator[str]:
        """With `__getitem__`, lets users write `dict(response.usage)`."""
        return iter(self.to_dict())

    def __getitem__(self, name: str) -> Any:
        return self.to_dict()[name]


_NOTHING = Usage()


def _count(value: Any) -> int:
    if type(value) is int:
        return value
    return int(value) if isinstance(value, (int, float)) else 0


def _details(raw: Any) -> dict[str, Any]:
    values = plain(raw)
    if not isinstance(values, Mapping):
        return {}
    return {name: value for name, value in values.items() if value is not None}


def _added(left: Mapping[str, Any], right: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(left)
    for name, value in right.items():
        before = result.get(name)
        if isinstance(before, Mapping) and isinstance(value, Mapping):
            result[name] = _added(before, value)
        elif isinstance(before, (int, float)) and isinstance(value, (int, float)):
            result[name] = before + value
        else:
            result[name] = value
    return result
