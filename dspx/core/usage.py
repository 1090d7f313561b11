"""What calls used: tokens, cost and time by model, counted whichever thread or task made them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextvars import Token
from typing import TYPE_CHECKING, Any

from dspx.core.record import record
from dspx.runtime.scope import Scoped

if TYPE_CHECKING:
    from typing_extensions import Self


@record
class UsageEntry:
    """One call: tokens in OpenAI's names, US dollars (None where no price is known), seconds."""

    model: str
    usage: Mapping[str, Any]
    cost: float | None
    cache_hit: bool
    latency: float
    route: str | None = None


class UsageTracker:
    """Adds up calls. An inner tracker's calls count in the trackers around it too."""

    __slots__ = ("_token", "entries", "parent")

    _token: Token[UsageTracker | None]

    def __init__(self, parent: UsageTracker | None = None) -> None:
        self.parent = parent
        self.entries: list[UsageEntry] = []  # appending to a list, and copying it, needs no lock

    def __enter__(self) -> Self:
        self._token = _tracker.set(self)
        return self

    def __exit__(self, *_: object) -> None:
        _tracker.reset(self._token)

    def add(
        self,
        model: str,
        usage: Mapping[str, Any],
        cost: float | None = None,
        cache_hit: bool = False,
        latency: float = 0.0,
        route: str | None = None,
    ) -> None:
        """Count a call here and in every tracker around this one. A cache hit counts as a call without tokens."""
        entry = UsageEntry(
            model, {} if cache_hit else usage, None if cache_hit else cost, cache_hit, latency, route
        )
        tracker: UsageTracker | None = self
        while tracker is not None:
            tracker.entries.append(entry)
            tracker = tracker.parent

    def add_usage(self, model: str, usage: Mapping[str, Any]) -> None:
        """DSPy's name for `add`."""
        self.add(model, usage)

    @property
    def usage_data(self) -> dict[str, list[dict[str, Any]]]:
        """Each call's tokens, by model."""
        data: dict[str, list[dict[str, Any]]] = {}
        for entry in self._snapshot():
            if entry.usage:
                data.setdefault(entry.model, []).append(dict(entry.usage))
        return data

    def get_total_tokens(self) -> dict[str, dict[str, Any]]:
        """Tokens added up by model: `{"openai/gpt-4o-mini": {"prompt_tokens": 12, …}}`."""
        return total_tokens(self._snapshot())

    @property
    def calls(self) -> int:
        """LM calls that were made, cache hits not among them."""
        return sum(not entry.cache_hit for entry in self._snapshot())

    @property
    def cache_hits(self) -> int:
        return sum(entry.cache_hit for entry in self._snapshot())

    @property
    def total_cost(self) -> float | None:
        """US dollars of all calls whose price is known; None where none is."""
        return total_cost(self._snapshot())

    @property
    def total_tokens(self) -> int:
        return sum(int(entry.usage.get("total_tokens") or 0) for entry in self._snapshot())

    def _snapshot(self) -> list[UsageEntry]:
        return list(self.entries)


_tracker: Scoped[UsageTracker | None] = Scoped("dspx_usage_tracker", None)
current_tracker = _tracker.get


def track_usage() -> UsageTracker:
    """Count every LM call made in this block, in whichever thread or task.

    >>> with dspx.track_usage() as usage:
    ...     program(question="…")
    >>> usage.get_total_tokens()
    """
    return UsageTracker(current_tracker())


def total_tokens(entries: Iterable[UsageEntry]) -> dict[str, dict[str, Any]]:
    """The tokens of these calls, added up by model."""
    totals: dict[str, dict[str, Any]] = {}
    for entry in entries:
        usage = entry.usage
        if usage:
            before = totals.get(entry.model)
            if before is None:
                totals[entry.model] = _copied(usage)
            else:
                add_up(before, usage)
    return totals


def total_cost(entries: Iterable[UsageEntry]) -> float | None:
    """The US dollars of those calls whose price is known; None where none is."""
    costs = [entry.cost for entry in entries if entry.cost is not None]
    return sum(costs) if costs else None


def add_up(total: dict[str, Any], usage: Mapping[str, Any]) -> None:
    """Add `usage` to `total`, number by number, nested ones too; of anything else the first stays."""
    for name, value in usage.items():
        if isinstance(value, Mapping):
            nested = total.get(name)
            total[name] = nested if isinstance(nested, dict) else {}
            add_up(total[name], value)
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            before = total.get(name)
            total[name] = (before if isinstance(before, (int, float)) else 0) + value
        else:
            total.setdefault(name, value)


def _copied(usage: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _copied(value) if isinstance(value, Mapping) else value for name, value in usage.items()}
