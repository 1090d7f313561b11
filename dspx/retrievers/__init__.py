"""Find passages for a question: by vectors in memory (`Embeddings`), by a ColBERT server (`ColBERTv2`).

Or by anything that is called with a question and `k`: `dspx.configure(rm=…)` and `dspx.Retrieve(k=3)`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from dspx.core.lazy import submodule

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


def __getattr__(name: str) -> Any:
    home = _HOME.get(name)
    if home is None:
        return submodule("dspx.retrievers", name)
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})


__all__ = sorted(_HOME)  # pyright: ignore[reportUnsupportedDunderAll]
