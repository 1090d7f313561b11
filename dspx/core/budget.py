"""How much may be spent: one hard limit over everything that a piece of work does, in whichever thread or task.

    with dspx.Budget(lm_calls=200, cost=1.50).spending() as spent:
        program(question="…")
    spent.total

Each call reserves the most that it can take before it is made, and gives back what it did not take, so no
interleaving spends more than the budget. Where there is no room, `BudgetExhausted` is raised.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, fields

from dspx.core.record import record
from dspx.errors import BudgetExhausted, UsageError
from dspx.runtime import clock
from dspx.runtime.locks import Lock
from dspx.runtime.scope import Scoped
from dspx.runtime.waiting import Signal


@record
class Spending:
    """What was spent: calls of language models (each attempt is one), tokens, US dollars, rollouts, seconds."""

    lm_calls: int = 0
    tokens: int = 0
    cost: float = 0.0
    rollouts: int = 0
    seconds: float = 0.0

    def __add__(self, other: Spending) -> Spending:
        return Spending(
            self.lm_calls + other.lm_calls,
            self.tokens + other.tokens,
            self.cost + other.cost,
            self.rollouts + other.rollouts,
            self.seconds + other.seconds,
        )

    def __sub__(self, other: Spending) -> Spending:
        return self + Spending(-other.lm_calls, -other.tokens, -other.cost, -other.rollouts, -other.seconds)

    def to_json(self) -> dict[str, float]:
        return {part.name: getattr(self, part.name) for part in fields(self)}


@dataclass(frozen=True, slots=True)
class Budget:
    """The most that may be spent; None sets no limit.

    lm_calls: requests to language models, retries included; answers from the cache are free.
    tokens: of prompts and answers. A call reserves its prompt and its `max_tokens`: set those to use a tight
        budget to its end.
    cost: US dollars, of models whose price is known.
    seconds: of time; what is under way when it is over is finished, nothing new is begun.
    rollouts: runs of the program on an example.
    """

    lm_calls: int | None = None
    tokens: int | None = None
    cost: float | None = None
    seconds: float | None = None
    rollouts: int | None = None

    def __post_init__(self) -> None:
        for name, limit in self.limits().items():
            if not limit >= 0 or math.isinf(limit):
                raise UsageError(
                    f"Budget({name}={limit!r}): a limit is a number from 0, or None for no limit."
                )

    def limits(self) -> dict[str, float]:
        """The limits that are set, by name."""
        found = {
            "lm_calls": self.lm_calls,
            "tokens": self.tokens,
            "cost": self.cost,
            "seconds": self.seconds,
            "rollouts": self.rollouts,
        }
        return {name: limit for name, limit in found.items() if limit is not None}

    @contextmanager
    def spending(self) -> Generator[Ledger]:
        """Hold everything in this block to the budget, and to those around it."""
        with ledger.using(Ledger(self, ledger.get())) as opened:
            assert opened is not None
            yield opened


class Ledger:
    """What was spent of a budget, on what, and what is reserved by calls under way."""

    def __init__(self, budget: Budget | None = None, parent: Ledger | None = None) -> None:
        self.budget = budget or _ENDLESS
        self.parent = parent
        self.exhausted: str | None = None
        """The limit that turned somebody away; None as long as none did."""
        self._limits = self.budget.limits() if budget is not None else {}
        self.limited: frozenset[str] = frozenset(self._limits) | (parent.limited if parent else frozenset())
        """What is limited here or in the ledgers around."""
        self._by_purpose: dict[str, Spending] = {}
        self._spent = Spending()
        self._held = Spending()
        self._started = clock.now()
        self._lock = Lock()
        self._waiting: list[Signal] = []

    @property
    def total(self) -> Spending:
        """What was spent so far."""
        spent, seconds = self._spent, clock.now() - self._started
        return Spending(spent.lm_calls, spent.tokens, spent.cost, spent.rollouts, spent.seconds + seconds)

    @property
    def by_purpose(self) -> dict[str, Spending]:
        """The same by what it was spent on: `program`, `judge`, `proposer`, …"""
        with self._lock:
            return dict(self._by_purpose)

    @property
    def left(self) -> dict[str, float]:
        """What may still be spent, by limit."""
        total = self.total
        return {name: max(0.0, limit - getattr(total, name)) for name, limit in self._limits.items()}

    async def reserve(self, asked: Spending) -> Hold:
        """Put aside what a call may take at most, here and in the ledgers around. `BudgetExhausted` where it does not fit.

        Where it would fit if calls under way took less than they reserved, it waits for them.
        """
        hold = Hold(asked, purpose.get())
        at: Ledger | None = self
        try:
            while at is not None:
                if at._limits:
                    await at._put_aside(asked)
                hold.ledgers.append(at)
                at = at.parent
        except BaseException as error:
            if isinstance(error, BudgetExhausted):
                for inner in hold.ledgers:
                    inner.exhausted = error.limit
            hold.settle(_NOTHING)
            raise
        return hold

    def add(self, spent: Spending, on: str | None = None) -> None:
        """Enter what was spent elsewhere, say before a crash. It may go beyond the budget."""
        with self._lock:
            self._enter(spent, on or purpose.get())
        if self.parent is not None:
            self.parent.add(spent, on)

    async def _put_aside(self, asked: Spending) -> None:
        while True:
            with self._lock:
                over = self._over(asked, self._spent + self._held)
                if over is None:
                    self._held = self._held + asked
                    return
                if self._over(asked, self._spent) is not None or over == "seconds":
                    self.exhausted = over
                    raise self._turned_away(over)
                signal = Signal()
                self._waiting.append(signal)
            await signal.wait()

    def _over(self, asked: Spending, so_far: Spending) -> str | None:
        """The limit that `asked` would break on top of `so_far`."""
        for name, limit in self._limits.items():
            if name == "seconds":
                if clock.now() - self._started + so_far.seconds >= limit:
                    return name
            elif getattr(so_far, name) + getattr(asked, name) > limit and getattr(asked, name):
                return name
        return None

    def _turned_away(self, name: str) -> BudgetExhausted:
        return BudgetExhausted(
            f"The budget of {self._limits[name]:g} {_UNITS[name]} is spent "
            f"({getattr(self.total, name):g} so far; the next needs more than is left).",
            limit=name,
        )

    def _settle(self, asked: Spending, spent: Spending, on: str) -> None:
        with self._lock:
            self._enter(spent, on)
            if not self._limits:
                return
            self._held = self._held - asked
            waiting, self._waiting = self._waiting, []
        for signal in waiting:
            signal.give()

    def _enter(self, spent: Spending, on: str) -> None:
        before = self._by_purpose.get(on)
        if before is None:
            self._by_purpose[on] = spent
        else:
            self._by_purpose[on] = before + spent
        self._spent = self._spent + spent


class Hold:
    """A reservation; `settle` says what was taken of it."""

    __slots__ = ("asked", "ledgers", "purpose")

    def __init__(self, asked: Spending, purpose: str) -> None:
        self.asked = asked
        self.purpose = purpose
        self.ledgers: list[Ledger] = []
        """Which put it aside, from the inside out."""

    def settle(self, spent: Spending) -> None:
        for at in self.ledgers:
            at._settle(self.asked, spent, self.purpose)


_ENDLESS = Budget()
_NOTHING = Spending()
_UNITS = {
    "lm_calls": "LM calls",
    "tokens": "tokens",
    "cost": "dollars",
    "seconds": "seconds",
    "rollouts": "rollouts",
}

ledger: Scoped[Ledger | None] = Scoped("dspx_ledger", None)
"""The ledger in force here; None where nothing is limited."""

purpose: Scoped[str] = Scoped("dspx_purpose", "program")
"""What calls made here are for."""
