"""Halton's sequence: numbers that fill the interval from 0 to 1 more evenly than random ones (Halton 1960)."""

from __future__ import annotations

import math
from collections.abc import Sequence


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
