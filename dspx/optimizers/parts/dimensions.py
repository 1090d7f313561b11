"""The axes of a search space: numbers in a range and categories, and how a point is turned into an array.

A point is a tuple with one value per dimension: a number, or the index of a category.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any

from dspx.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

Point = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Numeric:
    """A number from `low` to `high`; with `log`, equal ratios count as equal distances.

    With a `step` only low, low + step, … are values; `integer` makes them ints (a step of 1 unless given).
    """

    name: str
    low: float
    high: float
    log: bool = False
    step: float | None = None
    integer: bool = False

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low <= self.high):
            raise UsageError(
                f"{self.name!r} needs finite bounds, low <= high; got {self.low} and {self.high}."
            )
        if self.log and self.low <= 0:
            raise UsageError(f"{self.name!r} is on a log scale, so low must be above 0; got {self.low}.")
        if self.step is not None and self.step <= 0:
            raise UsageError(f"{self.name!r} needs a step above 0; got {self.step}.")

    @property
    def spacing(self) -> float | None:
        """The distance between neighbouring values; None where every real number is one."""
        return self.step if self.step is not None else 1 if self.integer else None

    @property
    def size(self) -> float:
        """How many values there are; infinite without a step."""
        if self.low == self.high:
            return 1
        return math.inf if self.spacing is None else self._last + 1

    @property
    def _last(self) -> int:
        assert self.spacing is not None
        return math.floor((self.high - self.low) / self.spacing + 1e-9)

    def values(self) -> Iterator[float]:
        """Every value, in order; only where there is a finite number of them."""
        steps = 1 if self.low == self.high else self._last + 1
        return (self._at(index) for index in range(steps))

    def to_unit(self, value: float) -> float:
        """Where the value lies between low and high, from 0 to 1."""
        if self.low == self.high:
            return 0.0
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def from_unit(self, share: float) -> float:
        """The value at this share of the range, moved to the nearest one that the step allows."""
        share = min(1.0, max(0.0, share))
        if self.log:
            value = self.low * (self.high / self.low) ** share
        else:
            value = self.low + share * (self.high - self.low)
        if self.spacing is None:
            return min(self.high, max(self.low, value))
        return self._at(min(self._last, round((value - self.low) / self.spacing)))

    def draw(self, share: float) -> float:
        """The value for a uniform `share`: each value of a stepped, linear range is equally likely."""
        if self.log or self.spacing is None:
            return self.from_unit(share)
        return self._at(min(self._last, int(share * (self._last + 1))))

    def _at(self, index: int) -> float:
        if self.spacing is None:
            return self.low
        value = self.low + index * self.spacing
        return round(value) if self.integer else min(self.high, value)


@dataclass(frozen=True, slots=True)
class Categorical:
    """One of `options` things that have no order, known by their index."""

    name: str
    options: int

    def __post_init__(self) -> None:
        if self.options < 1:
            raise UsageError(f"{self.name!r} needs at least one option; got {self.options}.")

    @property
    def size(self) -> float:
        return self.options

    def values(self) -> Iterator[float]:
        return iter(range(self.options))

    def to_unit(self, value: float) -> float:
        return value

    def draw(self, share: float) -> float:
        return min(self.options - 1, int(share * self.options))


Dimension = Numeric | Categorical


def cardinality(dimensions: Sequence[Dimension]) -> float:
    """How many points there are; infinite where a number has no step."""
    return math.prod(dimension.size for dimension in dimensions)


def all_points(dimensions: Sequence[Dimension]) -> list[Point]:
    """Every point, the last dimension changing fastest."""
    return list(itertools.product(*(dimension.values() for dimension in dimensions)))


def random_point(dimensions: Sequence[Dimension], rng: Random) -> Point:
    """A point of which every value is drawn at random."""
    return tuple(dimension.draw(rng.random()) for dimension in dimensions)


def encode(dimensions: Sequence[Dimension], points: Sequence[Point]) -> Array:
    """One row per point: numbers from 0 to 1, categories as their index."""
    import numpy as np

    rows = [[d.to_unit(value) for d, value in zip(dimensions, point, strict=True)] for point in points]
    return np.array(rows, dtype=np.float64).reshape(len(points), len(dimensions))


def categories(dimensions: Sequence[Dimension]) -> tuple[bool, ...]:
    """Which columns of an encoded point are categories."""
    return tuple(isinstance(dimension, Categorical) for dimension in dimensions)


def check_point(dimensions: Sequence[Dimension], point: Point) -> None:
    """Raise `UsageError` unless the point has one value of each dimension."""
    if len(point) != len(dimensions):
        raise UsageError(f"A point has one value for each of {len(dimensions)} dimensions; got {point!r}.")
    for dimension, value in zip(dimensions, point, strict=True):
        if isinstance(dimension, Numeric):
            low, high = dimension.low, dimension.high
        else:
            low, high = 0, dimension.options - 1
        if not low <= value <= high:
            raise UsageError(f"{dimension.name!r} goes from {low} to {high}; got {value!r}.")
