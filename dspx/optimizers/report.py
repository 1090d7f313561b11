"""What an optimization found, how sure that is, and what it took."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dspx.core.budget import Spending
from dspx.core.candidate import Candidate
from dspx.optimizers.parts.winner_check import WinnerCheck


@dataclass(frozen=True, slots=True)
class Gain:
    """How much better the winner is than the student as given, in percentage points."""

    points: float
    """What to expect on other examples. As measured, where the winner was not chosen by these; else less than that."""
    measured: float
    """The difference on these very examples."""
    ci95: tuple[float, float] | None
    """Where the gain would lie on endlessly many examples like these, 95 % sure."""
    p_not_better: float
    """How likely the winner is no better than the student."""
    baseline: float
    """The student's score on these examples, in percent."""
    winner: float
    n: int
    on: str
    """Which examples: kept apart from the search, or those that it chose by."""

    @property
    def within_noise(self) -> bool:
        """Whether chance alone may explain it."""
        return self.ci95 is None or self.ci95[0] <= 0

    def to_json(self) -> dict[str, Any]:
        return {
            "points": self.points,
            "measured": self.measured,
            "ci95": list(self.ci95) if self.ci95 else None,
            "p_not_better": self.p_not_better,
            "baseline": self.baseline,
            "winner": self.winner,
            "n": self.n,
            "on": self.on,
        }


@dataclass(frozen=True, slots=True)
class Lineage:
    """One candidate of the search: what it was made from, how, and what was measured of it."""

    candidate: Candidate
    how: str
    parents: tuple[str, ...]
    score: float | None
    n: int


@dataclass(frozen=True, slots=True)
class Report:
    """`compiled.report`: what the optimizer did. Print it to read it."""

    optimizer: str
    selection: str
    gain: Gain | None
    """None where nothing was measured, as by an optimizer that only fills in demos."""
    overall: float | None
    """The winner's mean minus the student's, in points, over all examples that both ran, those it was chosen by too.
    Honest selection goes by it: where it is negative the student comes back."""
    winner: Candidate
    kept_student: bool
    """Whether nothing better than the student was found, so that its copy came back."""
    spent: Spending
    spent_on: Mapping[str, Spending]
    rollouts: int
    replayed: int
    """How many rollouts and asks were answered by the record of an earlier start of this run."""
    stopped_by: str | None = None
    """What ended the search early: a limit of the budget, or the user; None where it came to its end."""
    run_id: str | None = None
    seed: int = 0
    lineage: Sequence[Lineage] = field(default_factory=list[Lineage], repr=False)

    @property
    def verdict(self) -> str:
        """The outcome in a sentence."""
        if self.gain is None:
            return "nothing was measured"
        gain = self.gain
        if self.kept_student:
            return f"nothing better than the student was found (its score: {gain.baseline:.1f} % on {gain.n} examples)"
        sure = "" if gain.ci95 is None else f" [{gain.ci95[0]:+.1f}, {gain.ci95[1]:+.1f}]"
        told = f"{gain.points:+.1f} points{sure}" + (
            "" if gain.points == gain.measured else " to expect on others"
        )
        text = f"{gain.baseline:.1f} % -> {gain.winner:.1f} % on {gain.n} examples: {told}"
        return f"{text}, within the noise" if gain.within_noise else text

    def __str__(self) -> str:
        lines = [f"{self.optimizer}: {self.verdict}"]
        if self.gain is not None:
            lines.append(
                f"  measured on {self.gain.on}; probability that it is no better: {self.gain.p_not_better:.3f}"
            )
        if self.stopped_by:
            lines.append(f"  ended early: {self.stopped_by}")
        lines.append(f"  {self.rollouts} rollouts run, {self.replayed} answers replayed; {_told(self.spent)}")
        lines += [
            f"    {name}: {_told(part)}" for name, part in self.spent_on.items() if len(self.spent_on) > 1
        ]
        return "\n".join(lines)

    def to_json(self) -> dict[str, Any]:
        """What a saved program and a store keep of it."""
        return {
            "optimizer": self.optimizer,
            "selection": self.selection,
            "gain": self.gain.to_json() if self.gain else None,
            "overall": self.overall,
            "kept_student": self.kept_student,
            "spent": self.spent.to_json(),
            "rollouts": self.rollouts,
            "stopped_by": self.stopped_by,
            "run_id": self.run_id,
            "seed": self.seed,
        }


def gain_of(check: WinnerCheck, baseline: Sequence[float], winner: Sequence[float], on: str) -> Gain | None:
    """The gain from scores paired by example; None where there are none."""
    if not baseline:
        return None
    interval = check.ci95
    return Gain(
        points=round(100 * check.expected, 2),
        measured=round(100 * check.gain, 2),
        ci95=None if interval is None else (round(100 * interval[0], 2), round(100 * interval[1], 2)),
        p_not_better=round(check.p_not_better, 6),
        baseline=round(100 * sum(baseline) / len(baseline), 2),
        winner=round(100 * sum(winner) / len(winner), 2),
        n=len(baseline),
        on=on,
    )


def _told(spent: Spending) -> str:
    parts = [f"{spent.lm_calls:,} LM calls"]
    if spent.tokens:
        parts.append(f"{spent.tokens:,} tokens")
    if spent.cost:
        parts.append(f"${spent.cost:.4f}")
    if spent.seconds >= 0.05:
        parts.append(f"{spent.seconds:.1f} s")
    return ", ".join(parts)
