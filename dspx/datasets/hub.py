"""Hugging Face's datasets, where its package is installed; or a folder with the same files."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from dspx.datasets.rows import Row, find_file, read_rows
from dspx.errors import UsageError


def load_from_hub(name: str, *args: Any, **kwargs: Any) -> Any:
    """What `datasets.load_dataset` gives. UsageError where the package is not installed."""
    try:
        datasets = import_module("datasets")
    except ModuleNotFoundError as error:
        raise UsageError(
            f'{name} is loaded by Hugging Face\'s `datasets`, which downloads it: pip install "dspx[datasets]". '
            "Known datasets can be read from a folder instead: path=…"
        ) from error
    return datasets.load_dataset(name, *args, **kwargs)


def load_split(path: str | Path | None, split: str, *others: str, hub: tuple[str, ...]) -> list[Row]:
    """The rows of a split: of the file of its name (or another's) in a folder, or from Hugging Face."""
    if path is not None:
        folder = Path(path)
        if not folder.is_dir():
            raise UsageError(f"path={str(path)!r} is not a folder.")
        return read_rows(find_file(folder, split, *others))
    return [dict(row) for row in load_from_hub(*hub, split=split)]
