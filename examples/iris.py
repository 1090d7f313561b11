"""Iris: 150 flowers of three species, each with four measurements in centimetres.

The measurements were taken by Edgar Anderson and published in R. A. Fisher, "The use of multiple measurements in
taxonomic problems", Annals of Eugenics 7 (1936), 179-188. `iris.csv` has them as they stand there.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Literal

import dspx

MEASUREMENTS = ("sepal_length", "sepal_width", "petal_length", "petal_width")


class Flower(dspx.Signature):
    """Name the species of an iris from its measurements in centimetres."""

    sepal_length: float = dspx.InputField()
    sepal_width: float = dspx.InputField()
    petal_length: float = dspx.InputField()
    petal_width: float = dspx.InputField()
    species: Literal["setosa", "versicolor", "virginica"] = dspx.OutputField()


def flowers() -> tuple[list[dspx.Example], list[dspx.Example]]:
    """75 flowers to learn from and 75 to judge by, 25 of each species in both, the same ones every time."""
    with (Path(__file__).parent / "iris.csv").open(newline="") as file:
        rows = [_example(row) for row in csv.DictReader(file)]
    # The file has 50 of each species, one species after the other: take one of each in turn.
    turns = list(zip(rows[:50], rows[50:100], rows[100:], strict=True))
    return [row for turn in turns[0::2] for row in turn], [row for turn in turns[1::2] for row in turn]


def _example(row: dict[str, str]) -> dspx.Example:
    values = {name: float(row[name]) for name in MEASUREMENTS}
    return dspx.Example(**values, species=row["species"]).with_inputs(*MEASUREMENTS)
