"""Passages by the likeness of their vectors.

search = dspx.Embeddings(corpus, dspx.Embedder("openai/text-embedding-3-small"), k=3)
search("Who wrote Dune?").passages
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dspx.core.calls import entrance
from dspx.core.events import aobserve
from dspx.core.prediction import Prediction
from dspx.errors import UsageError
from dspx.lm.embedder import Embedder
from dspx.retrievers import approximate, saved
from dspx.retrievers.exact import nearest, nearest_among, unit_length
from dspx.runtime.bridge import in_thread, run
from dspx.runtime.grouping import Grouped

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from typing_extensions import Self

    Vectors = NDArray[np.float32]
    Found = tuple[list[int], list[float]]

logger = logging.getLogger("dspx.retrievers")

_CANDIDATES = 10  # for each passage that is wanted


class Embeddings:
    """`Embeddings(corpus, embedder)(query)`: the `k` passages most like the query, as `Prediction(passages, indices)`.

    Up to `brute_force_threshold` passages each query is compared with all; a larger corpus is searched by FAISS
    (`pip install "dspx[faiss]"`), and what it proposes is ranked exactly. Queries that come while another is
    being embedded, from threads or tasks, are embedded and compared together.

    Args:
        corpus: the passages. They are embedded here, once; in async code use `await Embeddings.acreate(…)`.
        embedder: a `dspx.Embedder`, a model string, or a function, sync or async, from a list of texts to one
            vector for each.
        k: how many passages to give, unless the call says otherwise: `search(query, k=10)`.
        cache: remember the queries' vectors, where the embedder does not do so itself.
        normalize: compare directions (the cosine) and not lengths.
    """

    def __init__(
        self,
        corpus: Sequence[str],
        embedder: str | Callable[..., Any],
        k: int = 5,
        callbacks: list[Any] | None = None,
        cache: bool = False,
        brute_force_threshold: int = 20_000,
        normalize: bool = True,
    ) -> None:
        self._set_up(embedder, k, callbacks, cache, normalize)
        self.corpus = _passages(corpus)
        self._index(run(self._embed(self.corpus, self.embedder)), brute_force_threshold)

    @classmethod
    async def acreate(
        cls,
        corpus: Sequence[str],
        embedder: str | Callable[..., Any],
        k: int = 5,
        callbacks: list[Any] | None = None,
        cache: bool = False,
        brute_force_threshold: int = 20_000,
        normalize: bool = True,
    ) -> Self:
        """The same object, made in async code: the corpus is embedded without blocking the loop."""
        self = cls.__new__(cls)
        self._set_up(embedder, k, callbacks, cache, normalize)
        self.corpus = _passages(corpus)
        vectors = await self._embed(self.corpus, self.embedder)
        await in_thread(self._index, vectors, brute_force_threshold)
        return self

    # ------------------------------------------------------------ asking

    def __call__(self, query: str, k: int | None = None) -> Prediction:
        """The passages most like `query`, best first; `indices` are their places in the corpus."""
        return self.forward(query) if k is None else self.forward(query, k)

    def forward(self, query: str, k: int | None = None) -> Prediction:
        return run(self.aforward(query, k))

    async def acall(self, query: str, k: int | None = None) -> Prediction:
        """The same for async code."""
        return await self.aforward(query) if k is None else await self.aforward(query, k)

    async def aforward(self, query: str, k: int | None = None) -> Prediction:
        _texts([query])
        count = _checked(self.k if k is None else k)
        return await aobserve(
            "module", self, lambda: {"query": query, "k": count}, self._answer, query, count
        )

    def search(self, queries: Sequence[str], k: int | None = None) -> list[Prediction]:
        """A prediction for each query, all embedded and compared together."""
        return run(self.asearch(queries, k))

    async def asearch(self, queries: Sequence[str], k: int | None = None) -> list[Prediction]:
        """The same for async code."""
        count = _checked(self.k if k is None else k)
        asked = [(query, count) for query in _texts(queries)]
        return [self._prediction(found) for found in (await self._find(asked) if asked else [])]

    def _prediction(self, found: Found) -> Prediction:
        places, _ = found
        return Prediction(passages=[self.corpus[place] for place in places], indices=places)

    async def _answer(self, query: str, k: int) -> Prediction:
        return self._prediction(await self._grouped((query, k)))

    async def _find(self, asked: list[tuple[str, int]]) -> list[Found]:
        vectors = await self._embed([query for query, _ in asked], self._query_embedder)
        ranked = await in_thread(self._ranked, vectors, max(k for _, k in asked))
        return [
            (places[:k].tolist(), scores[:k].tolist())
            for (places, scores), (_, k) in zip(ranked, asked, strict=True)
        ]

    def _ranked(self, queries: Vectors, k: int) -> Any:
        own = self.corpus_embeddings
        if queries.shape[1] != own.shape[1]:
            raise UsageError(
                f"The query's vector has {queries.shape[1]} numbers, those of the passages {own.shape[1]}: the "
                "corpus was embedded by another model. Build it again, or give the embedder it was built with."
            )
        if self.index is None:
            return nearest(own, queries, k)
        proposed = approximate.candidates(self.index, queries, k * _CANDIDATES)
        return nearest_among(proposed, own, queries, k)

    # ------------------------------------------------------------ building

    def _set_up(
        self,
        embedder: str | Callable[..., Any],
        k: int,
        callbacks: list[Any] | None,
        cache: bool,
        normalize: bool,
    ) -> None:
        self.embedder = Embedder(embedder) if isinstance(embedder, str) else embedder
        self.k = _checked(k)
        self.callbacks = list(callbacks or ())
        self.cache = cache
        self.normalize = normalize
        remembers = isinstance(self.embedder, Embedder)
        self._query_embedder = Embedder(self.embedder) if cache and not remembers else self.embedder
        self._grouped = Grouped(self._find, shared=lambda error: bool(getattr(error, "retryable", False)))

    async def _embed(self, texts: list[str], embedder: Any) -> Vectors:
        import numpy as np

        vectors = np.asarray(await entrance(embedder)(texts), dtype=np.float32)
        if vectors.ndim != 2 or len(vectors) != len(texts):
            raise UsageError(
                f"The embedder was given {len(texts)} texts and returned an array of shape {vectors.shape}: it "
                "has to return one vector for each."
            )
        bad = np.flatnonzero(~np.isfinite(vectors).all(axis=1))
        if len(bad):
            raise UsageError(f"The embedder's vector of {texts[bad[0]][:80]!r} holds a NaN or an infinity.")
        return unit_length(vectors) if self.normalize else vectors

    def _index(self, vectors: Vectors, brute_force_threshold: int) -> None:
        self.corpus_embeddings = vectors
        self.index: Any = approximate.build(vectors) if len(vectors) > brute_force_threshold else None

    # ------------------------------------------------------------ keeping

    def save(self, path: str | Path) -> None:
        """Write passages, vectors and index to the folder `path`, without code and without the embedder.

        A folder that is there is replaced as a whole: a crash leaves the old one or the new one.
        """
        named = getattr(self.embedder, "model", None)
        model = named if isinstance(named, str) else None
        saved.write(
            Path(path),
            saved.Saved(self.corpus, self.corpus_embeddings, self.k, self.normalize, model, self.index),
        )

    def load(self, path: str | Path, embedder: str | Callable[..., Any]) -> Self:
        """Take over what `save` wrote, or DSPy 3.4 did. `embedder` has to be the one that it was built with."""
        found = saved.read(Path(path))
        self._set_up(embedder, found.k, self.callbacks, self.cache, found.normalize)
        self.corpus, self.corpus_embeddings, self.index = found.corpus, found.vectors, found.index
        named = getattr(self.embedder, "model", None)
        if isinstance(named, str) and found.model is not None and named != found.model:
            logger.warning("%s was embedded by %s; its queries will be by %s.", path, found.model, named)
        return self

    @classmethod
    def from_saved(cls, path: str | Path, embedder: str | Callable[..., Any]) -> Self:
        """A saved one, without embedding anything."""
        self = cls.__new__(cls)
        self.callbacks, self.cache = [], False
        return self.load(path, embedder)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Copies of a program share it: it does not change, and it may be large."""
        return self

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self.corpus)} passages, k={self.k})"


class EmbeddingsWithScores(Embeddings):
    """`Embeddings` whose predictions have `scores` too: each passage's likeness, the cosine where normalized."""

    def _prediction(self, found: Found) -> Prediction:
        places, scores = found
        return Prediction(passages=[self.corpus[place] for place in places], indices=places, scores=scores)


def _passages(corpus: Sequence[Any]) -> list[str]:
    texts = _texts(corpus)
    if not texts:
        raise UsageError("Embeddings needs passages to search, but the corpus is empty.")
    return texts


def _texts(texts: Sequence[Any]) -> list[str]:
    found: list[Any] = [] if isinstance(texts, str) else list(texts)
    if isinstance(texts, str) or not all(isinstance(text, str) for text in found):
        kinds = "a string" if isinstance(texts, str) else sorted({type(text).__name__ for text in found})
        raise UsageError(f"Embeddings takes a list of strings, not {kinds}.")
    return found


def _checked(k: int) -> int:
    if k < 1:
        raise UsageError(f"k={k}: how many passages to find has to be at least 1.")
    return k
