"""What goes wrong, how often: faults by rate and seed, or one after the other.

| kind | what the client sees |
|---|---|
| `rate_limit` | 429 with Retry-After |
| `server_error` | 500, 502 or 503 |
| `timeout` | nothing: the connection stays open, the answer never comes |
| `late` | the answer, `delay` seconds later than usual |
| `reset` | the connection is reset before any byte of the answer |
| `reset_body` | the connection is reset in the middle of the body |
| `truncated` | the connection ends before the body is whole |
| `malformed` | 200, and a body that is no JSON |
| `broken_stream` | a stream that ends before its answer does (`truncated`, where nothing streams) |
| `garbled_stream` | a stream with an event that is no JSON (`malformed`, where nothing streams) |
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from random import Random
from typing import Any, Protocol

from dspx.errors import UsageError
from dspx.testing.models.script import Fault

KINDS = (
    "rate_limit",
    "server_error",
    "timeout",
    "late",
    "reset",
    "reset_body",
    "truncated",
    "malformed",
    "broken_stream",
    "garbled_stream",
)


@dataclass(frozen=True, slots=True)
class Faults:
    """The share of requests (0 to 1) that meet each kind of fault. The same seed gives the same sequence.

    `retry_after`: seconds in a 429's header, None for no header. `delay`: seconds by which a late answer is late.
    """

    rate_limit: float = 0.0
    server_error: float = 0.0
    timeout: float = 0.0
    late: float = 0.0
    reset: float = 0.0
    reset_body: float = 0.0
    truncated: float = 0.0
    malformed: float = 0.0
    broken_stream: float = 0.0
    garbled_stream: float = 0.0
    seed: int = 0
    retry_after: float | None = 0.05
    delay: float = 1.0
    statuses: tuple[int, ...] = (500, 502, 503)

    @classmethod
    def mixed(cls, share: float, kinds: Iterable[str] | None = None, **settings: Any) -> Faults:
        """`share` of all requests fail, by the given kinds in equal parts: by default those that answer at once."""
        chosen = tuple(
            kinds or ("rate_limit", "server_error", "reset", "reset_body", "truncated", "malformed")
        )
        unknown = sorted(set(chosen) - set(KINDS))
        if unknown:
            raise UsageError(f"No fault is called {', '.join(unknown)}; there are {', '.join(KINDS)}.")
        return cls(**dict.fromkeys(chosen, share / len(chosen)), **settings)

    @property
    def share(self) -> float:
        """The share of requests that meet any fault."""
        return sum(getattr(self, kind) for kind in KINDS)


class FaultSource(Protocol):
    """Says of each request what goes wrong with it; None where nothing does."""

    def next(self) -> Fault | None: ...


def fault_source(faults: Any) -> FaultSource | None:
    """Where faults come from: `Faults`, a share (mixed), a dict of shares, or a list (a kind or None per request)."""
    if faults is None or isinstance(faults, (Drawn, Listed)):
        return faults
    if isinstance(faults, (int, float)):
        faults = Faults.mixed(float(faults))
    elif isinstance(faults, Mapping):
        known = {each.name for each in fields(Faults)}
        unknown = sorted(set(faults) - known)
        if unknown:
            raise UsageError(f"No fault is called {', '.join(unknown)}; there are {', '.join(KINDS)}.")
        faults = Faults(**faults)
    return Drawn(faults) if isinstance(faults, Faults) else Listed(faults)


class Drawn:
    """Faults by their shares."""

    def __init__(self, faults: Faults) -> None:
        if not 0.0 <= faults.share <= 1.0:
            raise UsageError(f"The shares of faults add up to {faults.share:g}; they are parts of 1.")
        self.faults = faults
        self._random = Random(faults.seed)

    def next(self) -> Fault | None:
        drawn = self._random.random()
        for kind in KINDS:
            drawn -= getattr(self.faults, kind)
            if drawn < 0.0:
                return self._made(kind)
        return None

    def _made(self, kind: str) -> Fault:
        if kind == "server_error":
            return Fault(kind, status=self._random.choice(self.faults.statuses))
        seconds = {"rate_limit": self.faults.retry_after, "late": self.faults.delay}.get(kind)
        return Fault(kind, seconds=seconds)


class Listed:
    """Faults one after the other, then none."""

    def __init__(self, faults: Iterable[Any]) -> None:
        self._faults = iter([named(fault) for fault in faults])

    def next(self) -> Fault | None:
        return next(self._faults, None)


def named(fault: Any) -> Fault | None:
    """A fault by its kind, or by its status (429, 503)."""
    if fault is None:
        return None
    if isinstance(fault, int):
        fault = Fault("rate_limit") if fault == 429 else Fault("server_error", status=fault)
    elif isinstance(fault, str):
        fault = Fault(fault)
    if not isinstance(fault, Fault) or fault.kind not in KINDS:
        raise UsageError(f"No fault is called {fault!r}; there are {', '.join(KINDS)}.")
    if fault.kind == "late" and fault.seconds is None:
        return replace(fault, seconds=1.0)
    return fault
