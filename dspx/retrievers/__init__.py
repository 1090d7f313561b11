"""Find passages for a question: by vectors in memory (`Embeddings`), by a ColBERT server (`ColBERTv2`).

Or by anything that is called with a question and `k`: `dspx.configure(rm=…)` and `dspx.Retrieve(k=3)`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dspx.core.lazy import lazily

if TYPE_CHECKING:
    from dspx.retrievers.colbert import ColBERTv2 as ColBERTv2
    from dspx.retrievers.embeddings import Embeddings as Embeddings
    from dspx.retrievers.embeddings import EmbeddingsWithScores as EmbeddingsWithScores
    from dspx.retrievers.passage import Passage as Passage
    from dspx.retrievers.retrieve import Retrieve as Retrieve

_HOME = {
    "ColBERTv2": "dspx.retrievers.colbert",
    "Embeddings": "dspx.retrievers.embeddings",
    "EmbeddingsWithScores": "dspx.retrievers.embeddings",
    "Passage": "dspx.retrievers.passage",
    "Retrieve": "dspx.retrievers.retrieve",
}

__getattr__, __dir__ = lazily(__name__, _HOME)


__all__ = sorted(_HOME)  # pyright: ignore[reportUnsupportedDunderAll]
