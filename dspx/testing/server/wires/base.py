"""What a protocol is on the server's side, and server-sent events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import orjson

from dspx.lm.request import Request
from dspx.lm.response import Output
from dspx.lm.usage import Usage
from dspx.testing.models.base import tokens_of


@dataclass(frozen=True, slots=True)
class Answered:
    """What goes into an answer, in every protocol."""

    number: int
    created: int
    model: str
    request: Request
    outputs: Sequence[Output]
    usage: Usage


class ServerWire(Protocol):
    """One protocol. `KeyError`, `TypeError` or `ValueError` from `read` mean that the body is not of it."""

    def read(self, body: dict[str, Any], target: str) -> Request: ...

    def write(self, answered: Answered) -> dict[str, Any]: ...

    def events(self, answered: Answered) -> list[bytes]: ...

    def error(self, status: int, message: str, kind: str) -> dict[str, Any]: ...


def event(data: Any, name: str | None = None) -> bytes:
    """One server-sent event."""
    line = b"data: " + (data if isinstance(data, bytes) else orjson.dumps(data)) + b"\n\n"
    return line if name is None else b"event: " + name.encode() + b"\n" + line


def pieces(text: str | None) -> list[str]:
    """A text as it streams: a word at a time."""
    return tokens_of(text or "")


def renamed(body: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """The parameters that are there, under OpenAI Chat's names."""
    return {ours: body[theirs] for theirs, ours in names.items() if body.get(theirs) is not None}


def text_in(content: Any) -> str:
    """The text of a string or of blocks that have `text`."""
    if isinstance(content, str):
        return content
    return "".join(
        block if isinstance(block, str) else str(block.get("text") or "") for block in content or () if block
    )


def openai_error(status: int, message: str, kind: str) -> dict[str, Any]:
    """The form of error that OpenAI and most servers use."""
    return {
        "error": {"message": message, "type": kind, "param": None, "code": kind if status == 429 else None}
    }
