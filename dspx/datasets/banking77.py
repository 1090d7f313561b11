"""Banking77 (Casanueva et al. 2020): customers' questions to a bank, in 77 intents."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

from dspx.datasets.dataset import Dataset
from dspx.datasets.hub import load_from_hub, load_split
from dspx.datasets.rows import Row

_HUB = ("legacy-datasets/banking77",)
_TRAIN_SHARE = 0.75


class Banking77(Dataset):
    """Examples with `text` (the input) and `intent`; `intents` are all there are, in order.

    Args:
        unofficial_dev: take a quarter of the official training set as `dev`; else there is none.
        path: a folder with `train.csv` and `test.csv` (columns `text` and `category`); without one, Hugging Face's
            copy is loaded.
        **settings: seeds, sizes and input keys, as for `Dataset`.
    """

    def __init__(
        self, *args: Any, unofficial_dev: bool = True, path: str | Path | None = None, **settings: Any
    ) -> None:
        super().__init__(*args, **settings)
        self.input_keys = self.input_keys or ["text"]
        train, test = _split(path, "train"), _split(path, "test")
        self.intents = tuple(sorted({row["intent"] for row in (*train, *test)}))
        self._test = test
        self._train = train
        if unofficial_dev:
            Random(0).shuffle(train)
            cut = int(len(train) * _TRAIN_SHARE)
            self._train, self._dev = train[:cut], train[cut:]


def _split(path: str | Path | None, split: str) -> list[Row]:
    if path is None:
        loaded = load_from_hub(*_HUB, split=split)
        name_of = loaded.features["label"].int2str
        return [{"text": row["text"], "intent": name_of(row["label"])} for row in loaded]
    rows = load_split(path, split, hub=_HUB)
    return [{"text": str(row["text"]), "intent": row["category"]} for row in rows]
