"""Retrieval: queries against 10,000 passages of 256 numbers each, compared with all of them."""

from __future__ import annotations

from itertools import count
from typing import Any

from benchmarks.cases import Times, case
from benchmarks.side import Side
from benchmarks.timing import per_call

_PASSAGES, _NUMBERS = 10_000, 256
_number = count()


def _vectors() -> Any:
    import numpy as np

    vectors = np.random.default_rng(0).normal(size=(_PASSAGES, _NUMBERS)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _search(side: Side) -> Any:
    """Embeddings whose embedder looks vectors up: what is measured is the search."""
    vectors = _vectors()

    def embed(texts: list[str]) -> Any:
        return vectors[[int(text) for text in texts]]

    return side.api.Embeddings([str(place) for place in range(_PASSAGES)], embed, k=5)


def _numpy_floor(side: Side) -> float:
    """One product of a matrix and a vector, the five best of it, in order."""
    import numpy as np

    vectors = side.once("vectors", _vectors)

    def one() -> None:
        scores = np.einsum("nd,d->n", vectors, vectors[next(_number) % _PASSAGES])
        best = np.argpartition(-scores, 5)[:5]
        _ = best[np.argsort(-scores[best])]

    return per_call(side, one)


@case(
    "retrieve.query",
    "Embeddings, one query of 10,000 passages",
    target=Times(2),
    floor=_numpy_floor,
    floor_title="numpy: einsum, argpartition",
)
def query(side: Side) -> float:
    search = side.once("search", lambda: _search(side))
    return per_call(side, lambda: search(str(next(_number) % _PASSAGES)))
