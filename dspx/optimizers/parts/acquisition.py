"""Where to look next: what a point promises under a posterior, and the point that promises most."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from random import Random
from typing import TYPE_CHECKING, Any, Literal

from dspx.optimizers.parts.dimensions import (
    Dimension,
    Numeric,
    Point,
    all_points,
    cardinality,
    random_point,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

Acquisition = Literal["ei", "ucb", "pi"]
ACQUISITIONS: tuple[Acquisition, ...] = ("ei", "ucb", "pi")

MOST_ENUMERATED = 5_000
"""Spaces up to this size are looked through whole."""
_RANDOM = 2_000
_MUTANTS = 60
_CLIMBS = 3


def promise(kind: Acquisition, mean: Array, variance: Array, best: float) -> Array:
    """What each point promises: larger is better, and comparable only within one call."""
    import numpy as np

    deviation = np.sqrt(variance)
    if kind == "ei":
        return expected_improvement(mean, deviation, best)
    if kind == "pi":
        return probability_of_improvement(mean, deviation, best)
    return upper_confidence_bound(mean, deviation)


def expected_improvement(mean: Array, deviation: Array, best: float) -> Array:
    """By how much a point is expected to surpass `best`, counting less than nothing as nothing (Mockus 1978)."""
    import numpy as np

    gain = mean - best
    z = gain / deviation
    density = np.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)
    return np.maximum(gain * normal_cdf(z) + deviation * density, 0.0)


def probability_of_improvement(mean: Array, deviation: Array, best: float) -> Array:
    """How likely a point surpasses `best` (Kushner 1964)."""
    return normal_cdf((mean - best) / deviation)


def upper_confidence_bound(mean: Array, deviation: Array) -> Array:
    """What a point may well be worth: two deviations above its mean (Srinivas et al. 2010)."""
    return mean + 2 * deviation


def normal_cdf(z: Array) -> Array:
    import numpy as np

    values = np.fromiter((math.erfc(-value / math.sqrt(2)) for value in z.flat), np.float64, count=z.size)
    return 0.5 * values.reshape(z.shape)


# ---------------------------------------------------------------- the best point


def maximize(
    worth: Callable[[Sequence[Point]], Array],
    dimensions: Sequence[Dimension],
    rng: Random,
    *,
    around: Sequence[Point] = (),
    allowed: Callable[[Point], bool] | None = None,
) -> Point | None:
    """The allowed point of the highest `worth`; None where no point is allowed.

    Looks at all points where there are at most 5,000. Else at random ones and at mutants of those in `around`,
    then climbs from the best by mutating it. Equal points are chosen among at random.
    """
    if cardinality(dimensions) <= MOST_ENUMERATED:
        found = _best(worth, _only(all_points(dimensions), allowed), rng)
        return found[0] if found else None
    seeds = list(around)
    candidates = [random_point(dimensions, rng) for _ in range(_RANDOM)]
    candidates += [mutate(dimensions, point, rng) for point in seeds for _ in range(_MUTANTS)]
    best = _best(worth, _only(candidates, allowed), rng)
    for _ in range(_CLIMBS if best else 0):
        assert best is not None
        mutants = [mutate(dimensions, best[0], rng) for _ in range(_MUTANTS)]
        found = _best(worth, _only(mutants, allowed), rng)
        if found and found[1] > best[1]:
            best = found
    return best[0] if best else None


def mutate(dimensions: Sequence[Dimension], point: Point, rng: Random) -> Point:
    """The point with one dimension changed, and each other one now and then: a short step, or another category."""
    certain = rng.randrange(len(dimensions))
    also = 0.5 / len(dimensions)
    return tuple(
        _mutated(dimension, value, rng) if index == certain or rng.random() < also else value
        for index, (dimension, value) in enumerate(zip(dimensions, point, strict=True))
    )


def _mutated(dimension: Dimension, value: float, rng: Random) -> float:
    if not isinstance(dimension, Numeric):
        return dimension.draw(rng.random())
    width = rng.choice((0.02, 0.1, 0.3))
    return dimension.from_unit(dimension.to_unit(value) + rng.gauss(0, width))


def _best(
    worth: Callable[[Sequence[Point]], Array], points: Sequence[Point], rng: Random
) -> tuple[Point, float] | None:
    import numpy as np

    if not points:
        return None
    values = worth(points)
    top = float(values.max())
    tied = np.flatnonzero(values >= top - 1e-12 * max(1.0, abs(top)))
    return points[int(tied[rng.randrange(len(tied))])], top


def _only(points: Sequence[Point], allowed: Callable[[Point], bool] | None) -> list[Point]:
    return [point for point in dict.fromkeys(points) if allowed is None or allowed(point)]
