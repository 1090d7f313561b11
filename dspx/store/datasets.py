"""Datasets by content: what was trained and measured on, in versions, with statistics."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from dspx.runtime import clock
from dspx.store.base import Backend, Tables, Where, equal
from dspx.store.errors import RecordNotFound
from dspx.store.jsontext import decode, encode
from dspx.store.records import Dataset
from dspx.store.rows import find_latest, find_one, record_of, row_of
from dspx.store.schema import DATASETS, EXAMPLES
from dspx.store.statistics import describe

_PAGE = 1000


def dataset_hash(examples: Iterable[Any]) -> str:
    """What identifies a dataset: the sha256 of its examples' canonical JSON, in their order."""
    return _hash([encode(example, "An example") for example in examples])


class Datasets:
    """Record a dataset, find it, read its examples."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def record(self, name: str, examples: Iterable[Any], *, keep: bool = True) -> Dataset:
        """The dataset as a version of `name`; content that a version has already makes no new one.

        With `keep=False` only the hash and the statistics are kept.
        """
        texts = [encode(example, "An example") for example in examples]
        found = Dataset(name, _hash(texts), size=len(texts), created=clock.time())
        with self._backend.writing("datasets") as tables:
            same = find_one(tables, Dataset, DATASETS, name=name, hash=found.hash)
            if same is None:
                same = _add(tables, found, texts)
            if keep and texts and not tables.count(EXAMPLES, equal(dataset_hash=found.hash)):
                tables.add(EXAMPLES, _example_rows(found.hash, texts))
        return same

    def find(self, name: str, version: int | None = None) -> Dataset:
        """A version, the latest unless told which. `RecordNotFound` where there is none."""
        with self._backend.reading() as tables:
            found = (
                find_latest(tables, Dataset, DATASETS, name=name)
                if version is None
                else find_one(tables, Dataset, DATASETS, name=name, version=version)
            )
        if found is None:
            raise RecordNotFound(
                f"The store has no dataset {name!r}" + (f" version {version}." if version else ".")
            )
        return found

    def find_all(self, name: str | None = None, *, hash: str | None = None) -> list[Dataset]:
        """Versions by name and number."""
        with self._backend.reading() as tables:
            return [record_of(Dataset, row) for row in tables.find(DATASETS, equal(name=name, hash=hash))]

    def examples(self, hash: str) -> Iterator[Any]:
        """The examples as JSON data, in their order, read as you go. Nothing where they were not kept."""
        last = -1
        while True:
            where = [*equal(dataset_hash=hash), Where("position", ">", last)]
            with self._backend.reading() as tables:
                rows = tables.find(EXAMPLES, where, order="position", limit=_PAGE)
            for row in rows:
                yield decode(row["body"])
            if len(rows) < _PAGE:
                return
            last = rows[-1]["position"]


def _hash(texts: Sequence[str]) -> str:
    digest = hashlib.sha256()
    for text in texts:
        digest.update(text.encode() + b"\n")
    return digest.hexdigest()


def _add(tables: Tables, dataset: Dataset, texts: Sequence[str]) -> Dataset:
    latest = find_latest(tables, Dataset, DATASETS, name=dataset.name)
    row = row_of(
        DATASETS,
        Dataset(
            dataset.name,
            dataset.hash,
            version=latest.version + 1 if latest else 1,
            size=dataset.size,
            statistics=describe([decode(text) for text in texts]),
            created=dataset.created,
        ),
    )
    tables.add(DATASETS, [row])
    return record_of(Dataset, row)


def _example_rows(hash: str, texts: Sequence[str]) -> list[dict[str, Any]]:
    return [{"dataset_hash": hash, "position": n, "body": text} for n, text in enumerate(texts)]
