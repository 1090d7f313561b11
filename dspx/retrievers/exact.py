"""The nearest vectors by comparing with all: the dot product, best first, of equals the first."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]
    Places = NDArray[np.int64]
    Ranked = tuple[Places, Vectors]

_BLOCK = 16_000_000
"""Scores at once: 64 MB."""
_SMALL = 5_000_000
"""Up to so many numbers one query is multiplied on this thread. BLAS would spread it over all cores, which on an idle
machine saves 0.2 ms of 0.4 (10,000 vectors of 256), and on a busy one waits 15 to 30 for the others to be free."""


def nearest(vectors: Vectors, queries: Vectors, k: int) -> list[Ranked]:
    """For each query the places of the `k` nearest vectors and their scores."""
    rows = max(1, _BLOCK // max(1, len(vectors)))
    found: list[Ranked] = []
    for start in range(0, len(queries), rows):
        found.extend(_best(scores, k) for scores in _products(vectors, queries[start : start + rows]))
    return found


def nearest_among(candidates: Sequence[Places], vectors: Vectors, queries: Vectors, k: int) -> list[Ranked]:
    """The same, but each query is compared with its own candidates only (places, in any order, with doubles)."""
    import numpy as np

    found: list[Ranked] = []
    for places, query in zip(candidates, queries, strict=True):
        once = np.unique(places)
        best, scores = _best(vectors[once] @ query, k)
        found.append((once[best], scores))
    return found


def unit_length(vectors: Vectors) -> Vectors:
    """The vectors at length 1, so that a dot product is a cosine. One of zeros stays."""
    import numpy as np

    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.maximum(lengths, np.float32(1e-30))


def _products(vectors: Vectors, queries: Vectors) -> Vectors:
    if len(queries) == 1 and vectors.size <= _SMALL:
        import numpy as np

        return np.einsum("qd,nd->qn", queries, vectors)
    return queries @ vectors.T


def _best(scores: Vectors, k: int) -> Ranked:
    import numpy as np

    k = min(k, len(scores))
    if k < 1:
        return np.empty(0, np.int64), np.empty(0, np.float32)
    least = np.partition(scores, len(scores) - k)[len(scores) - k]
    places = np.flatnonzero(scores >= least)  # more than k where scores are equal
    order = np.argsort(-scores[places], kind="stable")[:k]
    return places[order], scores[places[order]]
