"""Run cases: each library in its own process, samples interleaved (dspx, dspy, floor, dspx, …), medians."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import groupby
from statistics import median

from benchmarks.cases import Case
from benchmarks.environment import dspy_python
from benchmarks.processes import Failed, Server, Worker

SIDES = ("dspx", "dspy", "floor")
REPEATS = {"tiny": (1, 1), "quick": (3, 1), "full": (7, 3)}
"""How many samples of a case, and of a heavy one."""


@dataclass
class Row:
    """What was measured of one case: each side's samples, or why it has none."""

    case: Case
    samples: dict[str, list[float]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    def figure(self, side: str) -> float | None:
        samples = self.samples.get(side)
        return median(samples) if samples else None

    @property
    def ratio(self) -> float | None:
        return self.case.ratio(self.figure("dspx"), self.figure("dspy"))

    @property
    def met(self) -> bool | None:
        target = self.case.target
        return None if target is None else target.met(self.figure("dspx"), self.ratio)

    def to_json(self) -> dict[str, object]:
        return {
            "case": self.case.name,
            "title": self.case.title,
            "unit": self.case.unit,
            **{side: self.figure(side) for side in SIDES},
            "samples": self.samples,
            "errors": self.errors,
            "ratio": self.ratio,
            "target": str(self.case.target or ""),
            "met": self.met,
        }


def run(cases: Iterable[Case], size: str, sides: tuple[str, ...] = SIDES) -> list[Row]:
    """A row for each case. Workers live as long as a group of cases; the server as long as the run."""
    rows: list[Row] = []
    with Server() as server:
        for group, members in groupby(cases, key=lambda case: case.group):
            print(f"  {group} …", file=sys.stderr, flush=True)
            rows += _group(list(members), size, sides, server.url)
    return rows


def _group(cases: list[Case], size: str, sides: tuple[str, ...], server: str) -> list[Row]:
    pythons = {"dspx": sys.executable, "floor": sys.executable}
    if "dspy" in sides:
        pythons["dspy"] = dspy_python()
    with ExitStack() as stack:
        workers = {
            side: stack.enter_context(Worker(side, pythons[side], size, server))
            for side in sides
            if any(_takes_part(case, side) for case in cases)
        }
        return [_row(case, workers, size) for case in cases]


def _row(case: Case, workers: dict[str, Worker], size: str) -> Row:
    row = Row(case)
    for _ in range(REPEATS[size][case.heavy]):
        for side, worker in workers.items():
            if not _takes_part(case, side) or side in row.errors:
                continue
            try:
                row.samples.setdefault(side, []).append(worker.sample(case.name))
            except Failed as failure:
                row.errors[side] = str(failure)
    return row


def _takes_part(case: Case, side: str) -> bool:
    return {"dspx": True, "dspy": case.dspy, "floor": case.floor is not None}[side]
