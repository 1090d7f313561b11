"""Rows of a file: CSV, JSON, JSON lines, Parquet, by the file's name."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import orjson

from dspx.errors import UsageError

Row = dict[str, Any]


def read_rows(path: str | Path) -> list[Row]:
    """The rows of a file whose name ends in .csv, .tsv, .json, .jsonl or .parquet."""
    path = Path(path)
    read = _READERS.get(path.suffix.lower())
    if read is None:
        raise UsageError(f"{path}: rows are read from files ending in {', '.join(_READERS)}.")
    return read(path)


def read_csv(path: str | Path, *, infer_types: bool = True, delimiter: str = ",") -> list[Row]:
    """The rows of a CSV file in UTF-8 whose first line names the columns.

    With `infer_types` a column whose every value is a whole number becomes int, and so float and bool (True/False);
    an empty cell of such a column is None. Numbers written with leading zeros ("007") stay text, and so do "NA" and
    "null".
    """
    with Path(path).open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file, delimiter=delimiter)
        names = list(reader.fieldnames or ())
        rows = [dict(row) for row in reader]
    for number, row in enumerate(rows):
        if None in row or None in row.values():
            raise UsageError(
                f"{path}: row {number + 1} after the first line does not have {len(names)} cells, one for each of "
                f"{names}."
            )
    return _typed(rows, names) if infer_types else rows


def read_json(path: str | Path) -> list[Row]:
    """The rows of a JSON file: a list of objects, or one object on each line."""
    path = Path(path)
    text = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    if text.lstrip()[:1] == b"[":
        values = _parsed(text, str(path))
    else:
        lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
        values = [_parsed(line, f"{path}, line {number}") for number, line in lines]
    for place, value in enumerate(values):
        if not isinstance(value, dict):
            raise UsageError(
                f"{path}: item {place + 1} is a {type(value).__name__}, and rows are JSON objects."
            )
    return values


def read_parquet(path: str | Path, columns: Sequence[str] | None = None) -> list[Row]:
    """The rows of a Parquet file. UsageError where pyarrow is not installed."""
    try:
        parquet = import_module("pyarrow.parquet")
    except ModuleNotFoundError as error:
        raise UsageError('Parquet files are read by pyarrow: pip install "dspx[parquet]".') from error
    return parquet.read_table(str(path), columns=list(columns) if columns else None).to_pylist()


_READERS: dict[str, Callable[[Path], list[Row]]] = {
    ".csv": read_csv,
    ".tsv": lambda path: read_csv(path, delimiter="\t"),
    ".json": read_json,
    ".jsonl": read_json,
    ".parquet": read_parquet,
}


def find_file(folder: Path, *names: str) -> Path:
    """The file of one of these names, whatever its ending. UsageError where there is none."""
    for name in names:
        for suffix in _READERS:
            if (folder / f"{name}{suffix}").is_file():
                return folder / f"{name}{suffix}"
    wanted = " or ".join(f"{name}{suffix}" for name in names for suffix in (".jsonl", ".csv", ".parquet"))
    raise UsageError(f"{folder} has no {wanted}.")


def _parsed(text: bytes, where: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        try:
            return json.loads(text)  # whole numbers beyond 64 bits, NaN
        except ValueError:
            raise UsageError(f"{where}: not JSON: {error}.") from error


# ---------------------------------------------------------------- types of CSV columns

_INT = re.compile(r"[+-]?(0|[1-9]\d*)")
_FLOAT = re.compile(r"[+-]?((0|[1-9]\d*)(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_BOOLS = {"True": True, "False": False, "true": True, "false": False}


def _typed(rows: list[Row], names: Iterable[str]) -> list[Row]:
    for name in names:
        read = _type_of([row[name] for row in rows])
        if read is not None:
            for row in rows:
                row[name] = read(row[name]) if row[name] else None
    return rows


def _type_of(values: list[str]) -> Callable[[str], Any] | None:
    given = [value for value in values if value]
    if not given:
        return None
    if all(_INT.fullmatch(value) for value in given):
        return int
    if all(_FLOAT.fullmatch(value) for value in given):
        return float
    return _BOOLS.__getitem__ if all(value in _BOOLS for value in given) else None
