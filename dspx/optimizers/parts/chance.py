"""Draws from an explicit source of chance, the same in every process."""

from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random


def softmax_choice(scores: Sequence[float], temperature: float, rng: Random) -> int:
    """A place, the likelier the higher its score; the lower the temperature, the surer the best."""
    highest = max(scores)
    weights = [
        math.exp((score - highest) / temperature) if temperature > 0 else float(score == highest)
        for score in scores
    ]
    return rng.choices(range(len(scores)), weights)[0]


def poisson(mean: float, rng: Random) -> int:
    """A Poisson number (Knuth 1969); for small means."""
    limit, count, product = math.exp(-mean), 0, rng.random()
    while product > limit:
        count += 1
        product *= rng.random()
    return count
