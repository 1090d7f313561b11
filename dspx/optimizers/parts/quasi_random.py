"""Points that fill a space more evenly than random ones: Halton's sequence, shifted at random."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from dspx.core.halton import halton, primes
from dspx.optimizers.parts.dimensions import Dimension, Point


def quasi_random_points(dimensions: Sequence[Dimension], count: int, rng: Random) -> list[Point]:
    """`count` points spread over the space (Halton 1960, shifted as Cranley and Patterson do, 1976).

    The digits of each base are permuted as well, so that dimensions with large bases do not run side by side.
    """
    columns = [
        _column(dimension, base, count, rng)
        for dimension, base in zip(dimensions, primes(len(dimensions)), strict=True)
    ]
    return list(zip(*columns, strict=True)) if columns else [()] * count


def _column(dimension: Dimension, base: int, count: int, rng: Random) -> list[float]:
    shift = rng.random()
    digits = [0, *rng.sample(range(1, base), base - 1)]
    return [dimension.draw((halton(index + 1, base, digits) + shift) % 1.0) for index in range(count)]
