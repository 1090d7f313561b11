"""Points that fill a space more evenly than random ones: Halton's sequence, shifted at random."""

from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random

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


def halton(index: int, base: int, digits: Sequence[int] | None = None) -> float:
    """The index's digits mirrored at the point: 1, 2, 3 in base 2 are 0.1, 0.01, 0.11. `digits` replaces each digit."""
    value, scale = 0.0, 1.0
    while index:
        index, digit = divmod(index, base)
        scale /= base
        value += scale * (digits[digit] if digits else digit)
    return value


def primes(count: int) -> list[int]:
    """The first `count` primes."""
    found: list[int] = []
    candidate = 2
    while len(found) < count:
        if all(candidate % prime for prime in found if prime <= math.isqrt(candidate)):
            found.append(candidate)
        candidate += 1
    return found
