"""The examples nearest to a question."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from dspx.errors import UsageError
from dspx.retrievers.exact import nearest
from dspx.runtime.bridge import call, run


class KNN:
    """`KNN(k, trainset, vectorizer)(question=…)`: the `k` examples whose inputs are most alike, nearest first.

    `vectorizer` makes vectors of a list of texts: a `dspx.Embedder`, or any function that does. Likeness is
    the dot product. The trainset is embedded once, here.
    """

    def __init__(self, k: int, trainset: Sequence[Any], vectorizer: Any) -> None:
        if not trainset:
            raise UsageError("KNN needs examples to choose from, but the trainset is empty.")
        self.k = k
        self.trainset = list(trainset)
        self.embedding = vectorizer
        self.trainset_vectors: Any = _matrix(vectorizer([_inputs_text(example) for example in self.trainset]))

    def __call__(self, **kwargs: Any) -> list[Any]:
        return run(self.acall(**kwargs))

    async def acall(self, **kwargs: Any) -> list[Any]:
        """The same for async code."""
        embed = getattr(self.embedding, "acall", None)
        asked = [_text(kwargs.items())]
        vector = _matrix(await embed(asked) if embed is not None else await call(self.embedding, asked))
        [(places, _)] = nearest(self.trainset_vectors, vector, self.k)
        return [self.trainset[place] for place in places]


def _inputs_text(example: Any) -> str:
    return _text(example.inputs().items())


def _text(fields: Iterable[tuple[str, Any]]) -> str:
    return " | ".join(f"{name}: {value}" for name, value in fields)


def _matrix(vectors: Any) -> Any:
    import numpy as np

    return np.atleast_2d(np.asarray(vectors, dtype=np.float32))
