"""Examples from files, tables and Hugging Face; samples and splits of them.

loader = dspx.datasets.DataLoader()
examples = loader.from_csv("tickets.csv", input_keys=("text",))
parts = loader.train_test_split(examples, train_size=0.8)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any, TypeVar

from dspx.core.example import Example
from dspx.core.settings import snapshot
from dspx.datasets.dataset import Dataset
from dspx.datasets.hub import load_from_hub
from dspx.datasets.rows import read_csv, read_json, read_parquet
from dspx.errors import UsageError

T = TypeVar("T")
Examples = list[Example]


class DataLoader(Dataset):
    """`fields` names the columns to keep (None: all), `input_keys` those that are a program's inputs."""

    def __init__(self) -> None:
        super().__init__()

    def from_csv(
        self,
        file_path: str | Path,
        fields: Sequence[str] | None = None,
        input_keys: Sequence[str] = (),
        *,
        infer_types: bool = True,
    ) -> Examples:
        """The rows of a CSV file. With `infer_types`, columns of numbers and of True/False become such values."""
        return _examples(read_csv(file_path, infer_types=infer_types), fields, input_keys)

    def from_json(
        self, file_path: str | Path, fields: Sequence[str] | None = None, input_keys: Sequence[str] = ()
    ) -> Examples:
        """The objects of a JSON file: a list of them, or one on each line."""
        return _examples(read_json(file_path), fields, input_keys)

    def from_parquet(
        self, file_path: str | Path, fields: Sequence[str] | None = None, input_keys: Sequence[str] = ()
    ) -> Examples:
        """The rows of a Parquet file (`pip install "dspx[parquet]"`)."""
        return _examples(read_parquet(file_path), fields, input_keys)

    def from_pandas(
        self, df: Any, fields: Sequence[str] | None = None, input_keys: Sequence[str] = ()
    ) -> Examples:
        """The rows of a pandas DataFrame."""
        return _examples(df.to_dict("records"), fields, input_keys)

    def from_huggingface(
        self,
        dataset_name: str,
        *args: Any,
        input_keys: Sequence[str] = (),
        fields: Sequence[str] | None = None,
        **kwargs: Any,
    ) -> Examples | dict[str, Examples]:
        """A dataset of Hugging Face's (`pip install "dspx[datasets]"`), downloaded or from its local cache.

        `*args` and `**kwargs` are those of `datasets.load_dataset`. With `split="train"` a list; with
        `split=["train", "test"]`, or without, a list for each split by its name.
        """
        _check_keys(input_keys)
        loaded = load_from_hub(dataset_name, *args, **kwargs)
        if isinstance(loaded, Mapping):
            return {str(split): _examples(rows, fields, input_keys) for split, rows in loaded.items()}
        splits = kwargs.get("split")
        if isinstance(splits, (list, tuple)):
            return {
                str(split): _examples(rows, fields, input_keys)
                for split, rows in zip(splits, loaded, strict=True)
            }
        return _examples(loaded, fields, input_keys)

    def from_rm(self, num_samples: int, fields: Sequence[str], input_keys: Sequence[str]) -> Examples:
        """Examples that the retriever of the settings has: its `get_objects(num_samples=…, fields=…)`."""
        rm = snapshot()["rm"]
        if not callable(getattr(rm, "get_objects", None)):
            what = "There is no retriever" if rm is None else f"{type(rm).__name__} has no get_objects"
            raise UsageError(f"{what}: dspx.configure(rm=…) with one that gives objects away.")
        return _examples(rm.get_objects(num_samples=num_samples, fields=list(fields)), fields, input_keys)

    def sample(self, dataset: Sequence[T], n: int, seed: int = 0) -> list[T]:
        """`n` examples at random, the same ones for the same seed."""
        if not 0 <= n <= len(dataset):
            raise UsageError(f"sample: {n} examples were asked for, and there are {len(dataset)}.")
        return Random(seed).sample(list(dataset), n)

    def train_test_split(
        self,
        dataset: Sequence[T],
        train_size: float = 0.75,
        test_size: float | None = None,
        random_state: int | None = None,
    ) -> dict[str, list[T]]:
        """`{"train": […], "test": […]}`, shuffled by `random_state` (None is 0: the same every time).

        A size is a share (a float) or a count (an int); without `test_size` the test part is what is left.
        """
        shuffled = list(dataset)
        Random(random_state or 0).shuffle(shuffled)
        train = _count(train_size, len(shuffled), "train_size")
        test = len(shuffled) - train if test_size is None else _count(test_size, len(shuffled), "test_size")
        if train + test > len(shuffled) or test < 0:
            raise UsageError(
                f"train_size={train_size} and test_size={test_size} ask for {train + max(0, test)} examples, and "
                f"there are {len(shuffled)}."
            )
        return {"train": shuffled[:train], "test": shuffled[train : train + test]}


def _examples(
    rows: Iterable[Mapping[str, Any]], fields: Sequence[str] | None, input_keys: Sequence[str]
) -> Examples:
    _check_keys(input_keys)
    made: Examples = []
    for row in rows:
        missing = [name for name in fields or () if name not in row]
        if missing:
            raise UsageError(f"A row has no {missing}; its fields are {list(row)}.")
        kept = {name: row[name] for name in fields} if fields else dict(row)
        made.append(Example(kept).with_inputs(*input_keys))
    return made


def _check_keys(input_keys: Any) -> None:
    if isinstance(input_keys, str) or not isinstance(input_keys, Sequence):
        raise UsageError(
            f"input_keys={input_keys!r}: give a tuple of names, such as input_keys=('question',)."
        )


def _count(size: float, n: int, name: str) -> int:
    if isinstance(size, float) and 0.0 <= size <= 1.0:
        return int(n * size)
    if isinstance(size, int) and size >= 0:
        return size
    raise UsageError(f"{name}={size}: give a share between 0.0 and 1.0, or a count.")
