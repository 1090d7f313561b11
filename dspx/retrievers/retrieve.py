"""Ask the retriever of the settings: `dspx.Retrieve(k=3)("Who wrote Dune?").passages`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dspx.core.calls import entrance
from dspx.core.ids import new_id
from dspx.core.module import Module, Parameter
from dspx.core.prediction import Prediction
from dspx.core.settings import snapshot
from dspx.errors import StateError, UsageError
from dspx.retrievers.passage import texts_of


class Retrieve(Module, Parameter):
    """The texts of the `k` passages that `dspx.settings.rm` finds, as `Prediction(passages=[…])`.

    The retriever is anything, sync or async, that is called as `rm(query, k=3)` and gives strings, passages
    with `long_text`, or a Prediction with `passages`: `Embeddings`, `ColBERTv2`, a function of your own.
    """

    name = "Retrieve"
    input_variable = "query"
    desc = "Finds the passages that answer a query."

    def __init__(self, k: int = 3, callbacks: list[Any] | None = None) -> None:
        super().__init__(callbacks=callbacks)
        self.stage = new_id()[-16:]
        self.k = _checked(k)

    async def aforward(self, query: str, k: int | None = None, **kwargs: Any) -> Prediction:
        """`k` goes before the module's own; other keywords are handed to the retriever."""
        rm = snapshot()["rm"]
        if rm is None:
            raise UsageError("There is no retriever: dspx.configure(rm=…), or with dspx.context(rm=…).")
        found = await entrance(rm)(query, k=self.k if k is None else _checked(k), **kwargs)
        return Prediction(passages=texts_of(found))

    # ------------------------------------------------------------ a leaf's state

    def reset(self) -> None:
        """There is nothing to forget: `k` is part of the program."""

    def dump_state(self, json_mode: bool = True) -> dict[str, Any]:
        return {"k": self.k}

    def read_state(self, state: Mapping[str, Any], *, allow_unsafe_lm_state: bool = False) -> dict[str, Any]:
        k = state.get("k", self.k)
        if not isinstance(k, int) or k < 1:
            raise StateError(f"The saved state of a Retrieve says k={k!r}; it has to be a number from 1.")
        return {"k": k}

    def take_state(self, values: Mapping[str, Any]) -> None:
        self.k = values["k"]

    def __repr__(self) -> str:
        return f"Retrieve(k={self.k})"


def _checked(k: int) -> int:
    if k < 1:
        raise UsageError(f"k={k}: how many passages to find has to be at least 1.")
    return k
