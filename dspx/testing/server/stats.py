"""What the server counted, and what it was asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

_SECRET = ("authorization", "api-key", "x-api-key", "x-goog-api-key", "cookie")


@dataclass(slots=True)
class Stats:
    """Counters since the start. `in_flight` counts requests whose answer is not out yet, `peak` the most there were.

    `outcomes` counts by what became of each request: `ok`, a kind of fault, `bad_request`, `abandoned` (the client
    went away first), …
    """

    requests: int = 0
    in_flight: int = 0
    peak: int = 0
    connections: int = 0
    open_connections: int = 0
    outcomes: dict[str, int] = field(default_factory=dict[str, int])

    @property
    def ok(self) -> int:
        return self.outcomes.get("ok", 0)

    @property
    def failed(self) -> int:
        """Requests that were answered with a fault, or not at all."""
        return sum(self.outcomes.values()) - self.ok


@dataclass(slots=True)
class Logged:
    """One request: what was asked, and what became of it. `seconds` is None while it is in flight."""

    number: int
    method: str
    target: str
    raw_head: bytes = field(repr=False)
    body: Any = field(default=None, repr=False)
    outcome: str = "in flight"
    status: int | None = None
    started: float = 0.0
    seconds: float | None = None

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def headers(self) -> dict[str, str]:
        """The request's headers, names in lower case; keys are shown as `***`."""
        lines = self.raw_head.decode("latin-1").split("\r\n")[1:]
        pairs = [line.partition(":") for line in lines if line]
        headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        return {name: "***" if name in _SECRET else value for name, value in headers.items()}

    @property
    def messages(self) -> list[Any]:
        """The messages of a chat request."""
        return self.body.get("messages", []) if isinstance(self.body, dict) else []
