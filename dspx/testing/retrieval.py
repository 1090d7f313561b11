"""Vectors and retrieval without a model: letter pairs counted in buckets (DSPy's DummyVectorizer and dummy_rm)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import TYPE_CHECKING, Any

from dspx.errors import UsageError
from dspx.retrievers.passage import Passage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_PRIME = 1_000_000_007


class DummyVectorizer:
    """Texts → float32 rows of `max_length`, centred and of length 1: n-grams hashed by a polynomial."""

    def __init__(self, max_length: int = 100, n_gram: int = 2) -> None:
        self.max_length = max_length
        self.n_gram = n_gram
        random = Random(123)
        self.coefficients = [random.randrange(1, _PRIME) for _ in range(n_gram)]

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        import numpy as np

        vectors = np.array([self._counts(text) for text in texts], dtype=np.float32)
        vectors -= np.mean(vectors, axis=1, keepdims=True)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True) + 1e-10
        return vectors

    def _counts(self, text: str) -> list[int]:
        counts = [0] * self.max_length
        for start in range(len(text) - self.n_gram + 1):
            counts[self._bucket(text[start : start + self.n_gram])] += 1
        return counts

    def _bucket(self, gram: str) -> int:
        value = 1
        for coefficient, letter in zip(self.coefficients, gram, strict=True):
            value = (value * coefficient + ord(letter)) % _PRIME
        return value % self.max_length


def dummy_rm(passages: Sequence[str] = ()) -> Callable[..., list[Passage]]:
    """A retriever over a few passages: `rm(query, k=3)` gives the `k` that share most letter pairs with the query."""
    if not passages:

        def nothing(query: str, *, k: int, **_: Any) -> list[Passage]:
            raise UsageError("No passages defined: dummy_rm(['first passage', …]).")

        return nothing
    vectorizer = DummyVectorizer(max(map(len, passages)) + 100)
    vectors = vectorizer(passages)

    def retrieve(query: str, *, k: int, **_: Any) -> list[Passage]:
        if k > len(passages):
            raise UsageError(f"k={k}, but there are {len(passages)} passages.")
        scores = vectors @ vectorizer([query])[0]
        return [Passage(long_text=passages[int(place)]) for place in (-scores).argsort()[:k]]

    return retrieve
