"""The A/A test: nothing can be gained (demos and rules have no effect), so what is reported as a gain is chance.

For each run: the gain that the library reports, in points, and whether its interval excludes zero. dspx's is its
own (`program.report.gain`); DSPy reports two scores and no interval, so the plain interval for two shares is put around
their difference, which is what a careful reader would do, and still ignores that one of them was the best of many.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from statistics import mean

from benchmarks.optimizers.plans import AA, PLANS
from benchmarks.optimizers.run import Optimizing, Result, record, recorded
from benchmarks.processes import Failed

TASK = {"effect": 0.0, "ease": 1.6}
"""All candidates score about one half, where chance has most room."""

SELECTIONS = (("dspx", "honest"), ("dspx", "dspy"), ("dspy", None))


@dataclass
class AARow:
    """The runs of one optimizer, under one way to select."""

    title: str
    results: list[Result] = field(default_factory=list[Result])
    notes: list[str] = field(default_factory=list[str])

    @property
    def gains(self) -> list[Result]:
        """The gains reported; a run that reports none reports 0."""
        return [result["gain"] or {"points": 0.0, "low": None, "high": None} for result in self.results]

    @property
    def share_above_zero(self) -> float:
        return mean(gain["points"] > 0 for gain in self.gains)

    @property
    def share_excluding(self) -> float | None:
        """How often the interval of the gain lies above zero; None where no run has an interval."""
        if all(gain["low"] is None for gain in self.gains):
            return None
        return mean(gain["low"] is not None and gain["low"] > 0 for gain in self.gains)

    @property
    def mean_gain(self) -> float:
        return mean(gain["points"] for gain in self.gains)

    @property
    def true_gain(self) -> float:
        """In points; what there is to gain is nothing."""
        return 100 * mean(result["true_score"] - result["before"] for result in self.results)

    def to_json(self) -> Result:
        return {"title": self.title, "results": self.results, "notes": self.notes}


def run_aa(
    names: Sequence[str], seeds: int, sides: Sequence[str], fresh: bool = False, keep: bool = True
) -> list[AARow]:
    """A row for each optimizer and way to select. DSPy's runs are recorded, as in the comparison."""
    plans = [plan for plan in AA if not names or any(plan.startswith(each) for each in names)]
    known = {} if fresh else recorded("aa")
    rows: list[AARow] = []
    with ExitStack() as stack:
        workers = {side: stack.enter_context(Optimizing(side)) for side in sides}
        for plan in plans:
            for side, selection in SELECTIONS:
                row = AARow(f"{PLANS[plan].title}: {f'dspx, {selection}' if selection else 'DSPy'}")
                print(f"  {row.title} …", file=sys.stderr, flush=True)
                row.results = known.get(plan, [])[:seeds] if side == "dspy" else []
                if side in workers:
                    _go_on(row, plan, workers[side], selection, seeds)
                if side == "dspy" and side in workers and keep:
                    record({plan: row.results}, "aa")
                rows.append(row)
    return rows


def _go_on(row: AARow, plan: str, worker: Optimizing, selection: str | None, seeds: int) -> None:
    """The runs of a row that are not there yet."""
    limits = {"selection": selection} if selection else {}
    for seed in range(len(row.results), seeds):
        try:
            result = worker.do(plan, seed, task=TASK, limits=limits)
        except Failed as failure:
            row.notes.append(f"failed: {str(failure).strip().splitlines()[-1]}")
            return
        if "absent" in result:
            row.notes.append(result["absent"])
            return
        row.results.append(result)
