"""One question to a language model, in neutral form: OpenAI Chat Completions' names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from dspx.core.record import frozen_record


@frozen_record
class Request:
    """What to ask, of which model, and how.

    `messages` are OpenAI Chat Completions' dicts. `params` has that protocol's names (`temperature`,
    `max_tokens`, `n`, `stop`, `tools`, `response_format`, `reasoning_effort` …), without None values; each
    wire translates the names it knows, and sends the others as they are. `response_format` may also be a
    pydantic class. Three names never go on the wire as they are: `use_developer_role` (system messages go
    as developer messages), `extra_headers` and `extra_body` (merged into the call).

    `rollout_id` tells otherwise equal requests apart for the cache; it is never sent.

    `prompt_cache` asks for the provider's own prompt cache: True or "5m" or "1h" (how long), or
    `{"ttl": …, "at": ["tools", "system", "history", "last"]}` to say which parts to mark (Anthropic), or
    `{"key": …, "retention": …}` (OpenAI, which otherwise caches by itself).

    `asked` are the settings as this call gave them, without the LM's own: what `BaseLM.forward` gets of `params`.

    `cache` allows an answer from the cache. `prompt` is the text, where the caller gave one instead of messages.

    A request is not changed after it was made, and neither are its messages: share them freely.
    """

    model: str
    messages: list[dict[str, Any]]
    params: dict[str, Any] = field(default_factory=dict[str, Any])
    rollout_id: int | None = None
    stream: bool = False
    prompt_cache: Any = None
    cache: bool = True
    prompt: str | None = None
    asked: Mapping[str, Any] | None = None
