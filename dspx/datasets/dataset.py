"""A dataset in three parts, each in a random order that its seed fixes.

class Tickets(dspx.datasets.Dataset):
    def __init__(self, **settings):
        super().__init__(**settings)
        self._train, self._dev, self._test = ...  # lists of dicts

tickets = Tickets(train_size=200, dev_size=500, input_keys=["text"])
tickets.train   # 200 examples, the same ones every time
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from dspx.core.canonical import stable_hash
from dspx.core.example import Example
from dspx.errors import UsageError

logger = logging.getLogger("dspx.datasets")

_NAMESPACE = uuid.UUID("7f6a3d52-6b0c-5a49-9a55-2f6a1f0d8a11")


class Dataset:
    """Its parts `train`, `dev` and `test`, shuffled by their seeds and cut to their sizes (None: all of it).

    A subclass puts rows (dicts or examples) into `_train`, `_dev`, `_test`. Each example also has `dspy_split` and
    `dspy_uuid`, both hidden from `keys()`; a row's id is the same in every process and for every seed and size.
    `do_shuffle = False` keeps the rows' own order.
    """

    do_shuffle: bool = True

    def __init__(
        self,
        train_seed: int = 0,
        train_size: int | None = None,
        eval_seed: int = 0,
        dev_size: int | None = None,
        test_size: int | None = None,
        input_keys: Sequence[str] | None = None,
    ) -> None:
        self.train_seed, self.train_size = train_seed, train_size
        self.dev_seed, self.dev_size = eval_seed, dev_size
        self.test_seed, self.test_size = eval_seed, test_size
        self.input_keys = list(input_keys or ())
        self.name = type(self).__name__
        self._made: dict[str, list[Example]] = {}

    def reset_seeds(
        self,
        train_seed: int | None = None,
        train_size: int | None = None,
        eval_seed: int | None = None,
        dev_size: int | None = None,
        test_size: int | None = None,
    ) -> None:
        """Take other seeds and sizes; what is not given stays."""
        given = {
            "train_seed": train_seed,
            "train_size": train_size,
            "dev_seed": eval_seed,
            "dev_size": dev_size,
            "test_seed": eval_seed,
            "test_size": test_size,
        }
        for name, value in given.items():
            if value is not None:
                setattr(self, name, value)
        self._made.clear()

    @property
    def train(self) -> list[Example]:
        """To learn from."""
        return self._part("train", self.train_size, self.train_seed)

    @property
    def dev(self) -> list[Example]:
        """To choose by."""
        return self._part("dev", self.dev_size, self.dev_seed)

    @property
    def test(self) -> list[Example]:
        """To judge by, at the end."""
        return self._part("test", self.test_size, self.test_seed)

    @classmethod
    def prepare_by_seed(
        cls,
        train_seeds: Sequence[int] | None = None,
        train_size: int = 16,
        dev_size: int = 1000,
        divide_eval_per_seed: bool = True,
        eval_seed: int = 2023,
        **kwargs: Any,
    ) -> SeededSets:
        """For an experiment that is repeated: a training set for each seed, and an evaluation set for each.

        With `divide_eval_per_seed` the `dev_size` examples are shared out; else each gets them all.
        """
        seeds = list(train_seeds or (1, 2, 3, 4, 5))
        dataset = cls(train_size=train_size, eval_seed=eval_seed, dev_size=dev_size, test_size=0, **kwargs)
        dev, share = dataset.dev, dev_size // len(seeds)
        sets = SeededSets()
        for place, seed in enumerate(seeds):
            dataset.reset_seeds(train_seed=seed)
            sets.train_sets.append(dataset.train)
            sets.eval_sets.append(dev[place * share : (place + 1) * share] if divide_eval_per_seed else dev)
        return sets

    def _part(self, split: str, size: int | None, seed: int) -> list[Example]:
        if split not in self._made:
            rows = getattr(self, f"_{split}", None)
            if rows is None:
                raise UsageError(f"{self.name} has no {split} part.")
            self._made[split] = self._shuffle_and_sample(split, rows, size, seed)
        return self._made[split]

    def _shuffle_and_sample(
        self, split: str, data: Iterable[Mapping[str, Any] | Example], size: int | None, seed: int = 0
    ) -> list[Example]:
        rows = list(enumerate(data))
        if self.do_shuffle:
            Random(seed).shuffle(rows)
        if size is not None and size > len(rows):
            logger.warning(
                "%s: %d %s examples were asked for, and there are %d.", self.name, size, split, len(rows)
            )
        return [self._example(split, place, row) for place, row in rows[:size]]

    def _example(self, split: str, place: int, row: Mapping[str, Any] | Example) -> Example:
        example = Example(row, dspy_uuid=self._uuid(split, place, row), dspy_split=split)
        return example.with_inputs(*self.input_keys) if self.input_keys else example

    def _uuid(self, split: str, place: int, row: Any) -> str:
        try:
            content = stable_hash(row)
        except TypeError:
            content = ""
        return str(uuid.uuid5(_NAMESPACE, f"{self.name}/{split}/{place}/{content}"))


@dataclass(frozen=True, slots=True)
class SeededSets:
    """Training and evaluation sets, one of each for each seed."""

    train_sets: list[list[Example]] = field(default_factory=list[list[Example]])
    eval_sets: list[list[Example]] = field(default_factory=list[list[Example]])
