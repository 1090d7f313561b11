"""Divide data: a part to learn from and a part to judge by, always the same for the same seed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random
from typing import TypeVar

from dspx.errors import UsageError

T = TypeVar("T")


def split(data: Sequence[T], *sizes: float, seed: int = 0) -> list[list[T]]:
    """The data, shuffled and cut: `train, test = split(data, 0.8)`; `train, dev, test = split(data, 200, 100)`.

    A size is a share (a float) or a count (an int). What is left over is the last part; shares that add
    up to 1 leave nothing, and no part for it.
    """
    shuffled = list(data)
    Random(seed).shuffle(shuffled)
    counts = _counts(sizes, len(shuffled))
    parts: list[list[T]] = []
    start = 0
    for count in counts:
        parts.append(shuffled[start : start + count])
        start += count
    return parts


def k_folds(data: Sequence[T], k: int = 5, seed: int = 0) -> list[tuple[list[T], list[T]]]:
    """`k` pairs `(train, test)`: every example is in one test part, and in the train part of all other folds."""
    if not 2 <= k <= len(data):
        raise UsageError(f"k_folds needs 2 to {len(data)} folds for {len(data)} examples, not {k}.")
    shuffled = list(data)
    Random(seed).shuffle(shuffled)
    return [
        ([item for place, item in enumerate(shuffled) if place % k != fold], shuffled[fold::k])
        for fold in range(k)
    ]


def _counts(sizes: Sequence[float], n: int) -> list[int]:
    shares = [size for size in sizes if isinstance(size, float)]
    if not sizes or any(size < 0 for size in sizes) or any(share > 1 for share in shares):
        raise UsageError(
            f"split takes shares between 0.0 and 1.0 or counts, such as split(data, 0.8), not {sizes}."
        )
    if len(shares) == len(sizes) and math.isclose(sum(shares), 1.0):
        ends = [round(n * sum(shares[: place + 1])) for place in range(len(shares))]
        return [end - start for start, end in zip([0, *ends], ends, strict=False)]
    counts = [round(n * size) if isinstance(size, float) else int(size) for size in sizes]
    if sum(counts) > n:
        raise UsageError(f"split{tuple(sizes)} asks for {sum(counts)} examples, but there are {n}.")
    return [*counts, n - sum(counts)]
