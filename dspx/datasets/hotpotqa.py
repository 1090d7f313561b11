"""HotPotQA (Yang et al. 2018): questions whose answer takes two articles of Wikipedia."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from random import Random
from typing import Any

from dspx.datasets.dataset import Dataset
from dspx.datasets.hub import load_split
from dspx.datasets.rows import Row

_HUB = ("hotpotqa/hotpot_qa", "fullwiki")
_TRAIN_SHARE = 0.75


class HotPotQA(Dataset):
    """Examples with `question` (the input) and `answer`; `dev` and `test` with `gold_titles`, the articles to find.

    Args:
        only_hard_examples: train on hard questions alone. `dev` and `test` are hard always.
        keep_details: "dev_titles"; True keeps `id`, `type`, `context` and `gold_titles` in both parts, False nothing.
        unofficial_dev: take a quarter of the official training set as `dev`; else there is none. `test` is the
            official development set.
        path: a folder with `train` and `validation` (or `dev`) as .jsonl, .json or .parquet; without one, Hugging
            Face's copy is loaded.
        **settings: seeds, sizes and input keys, as for `Dataset`.
    """

    def __init__(
        self,
        *args: Any,
        only_hard_examples: bool = True,
        keep_details: bool | str = "dev_titles",
        unofficial_dev: bool = True,
        path: str | Path | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(*args, **settings)
        self.input_keys = self.input_keys or ["question"]
        rows = load_split(path, "train", hub=_HUB)
        rows = [row for row in rows if row["level"] == "hard" or not only_hard_examples]
        Random(0).shuffle(rows)
        cut = int(len(rows) * _TRAIN_SHARE)
        self._train = [_row(row, _TRAIN_FIELDS[keep_details]) for row in rows[:cut]]
        if unofficial_dev:
            hard = [row for row in rows[cut:] if row["level"] == "hard"]
            self._dev = [_row(row, _DEV_FIELDS[keep_details]) for row in hard]
        test = load_split(path, "validation", "dev", hub=_HUB)
        self._test = [_row(row, _TEST_FIELDS) for row in test]


_BARE = ("question", "answer")
_ALL = ("id", "question", "answer", "type", "context", "gold_titles")
_TRAIN_FIELDS: dict[bool | str, tuple[str, ...]] = {"dev_titles": _BARE, False: _BARE, True: _ALL}
_DEV_FIELDS: dict[bool | str, tuple[str, ...]] = {
    "dev_titles": (*_BARE, "gold_titles"),
    False: _BARE,
    True: _ALL,
}
_TEST_FIELDS = ("id", "question", "answer", "type", "gold_titles")


def _row(row: Row, fields: Iterable[str]) -> Row:
    whole = {**row, "id": row.get("id", row.get("_id")), "gold_titles": _titles(row["supporting_facts"])}
    return {name: whole[name] for name in fields}


def _titles(facts: Any) -> list[str]:
    """Hugging Face's copy has lists of titles and sentences, the original pairs of both."""
    titles = facts["title"] if isinstance(facts, dict) else [title for title, _ in facts]
    return list(dict.fromkeys(titles))
