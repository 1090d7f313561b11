"""What was said before: turns of a conversation, each a dict of the signature's fields."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict


class History(BaseModel):
    """`History(messages=[{"question": "…", "answer": "…"}, …])`: rendered as messages before the current one.

    The history itself cannot be replaced; its list can grow.
    """

    messages: list[dict[str, Any]]

    model_config = ConfigDict(
        frozen=True, str_strip_whitespace=True, validate_assignment=True, extra="forbid"
    )
