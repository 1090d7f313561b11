"""What is measured: cases, the figures they must reach, and where each is listed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Measure = Callable[[Any], float]


@dataclass(frozen=True)
class Times:
    """dspx must be at least `factor` times better than DSPy."""

    factor: float

    def met(self, ours: float | None, ratio: float | None) -> bool | None:
        return None if ratio is None else ratio >= self.factor

    def __str__(self) -> str:
        return f"≥ {self.factor:g}×"


@dataclass(frozen=True)
class AtMost:
    """dspx's own figure must not be above `limit`."""

    limit: float

    def met(self, ours: float | None, ratio: float | None) -> bool | None:
        return None if ours is None else ours <= self.limit

    def __str__(self) -> str:
        return f"≤ {self.limit:,g}"


@dataclass(frozen=True)
class AtLeast:
    """dspx's own figure must not be below `limit`."""

    limit: float

    def met(self, ours: float | None, ratio: float | None) -> bool | None:
        return None if ours is None else ours >= self.limit

    def __str__(self) -> str:
        return f"≥ {self.limit:,g}"


Target = Times | AtMost | AtLeast


@dataclass(frozen=True)
class Case:
    """One row of the table. `measure(side)` gives one sample, in seconds for times, else in `unit`."""

    name: str
    title: str
    measure: Measure
    floor: Measure | None
    floor_title: str
    unit: str
    target: Target | None
    higher_is_better: bool
    heavy: bool
    dspy: bool
    full_title: str = ""

    @property
    def group(self) -> str:
        return self.name.partition(".")[0]

    def ratio(self, ours: float | None, theirs: float | None) -> float | None:
        """How many times better dspx is; None where one of them has no figure."""
        if not ours or theirs is None:
            return None
        return ours / theirs if self.higher_is_better and theirs else theirs / ours


CASES: dict[str, Case] = {}


def case(
    name: str,
    title: str,
    *,
    unit: str = "time",
    target: Target | None = None,
    floor: Measure | None = None,
    floor_title: str = "",
    higher_is_better: bool = False,
    heavy: bool = False,
    dspy: bool = True,
    full_title: str = "",
) -> Callable[[Measure], Measure]:
    """List a measurement. `heavy` ones are repeated less; with `dspy=False` DSPy is not asked.

    A title that begins with spaces goes with the row above it; `full_title` is for where it stands alone.
    """

    def register(measure: Measure) -> Measure:
        CASES[name] = Case(
            name, title, measure, floor, floor_title, unit, target, higher_is_better, heavy, dspy, full_title
        )
        return measure

    return register


def load_all() -> dict[str, Case]:
    """Every case, in the order of the table."""
    from benchmarks.groups import GROUPS

    place = {group.__name__: number for number, group in enumerate(GROUPS)}
    return dict(sorted(CASES.items(), key=lambda item: place[item[1].measure.__module__]))
