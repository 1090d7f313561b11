"""Run plans over seeds: DSPy first (or as it was recorded), then dspx with what DSPy spent, and with parts of it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from benchmarks.environment import optimizing_python
from benchmarks.optimizers.plans import PLANS, Plan
from benchmarks.processes import Failed, Process

RECORD = Path(__file__).with_name("dspy-3.4.1.json")
"""What DSPy came to, as `--fresh` measured it last."""

PARTS = (0.125, 0.25, 0.5, 1.0)
"""The parts of DSPy's budget that dspx is given."""

Result = dict[str, Any]


@dataclass
class Row:
    """A plan's results by side, in the order of the seeds; dspx's by the part of DSPy's budget."""

    plan: Plan
    dspy: list[Result] = field(default_factory=list[Result])
    dspx: dict[float, list[Result]] = field(default_factory=dict[float, list[Result]])
    notes: list[str] = field(default_factory=list[str])
    first: int = 0

    @property
    def ours(self) -> list[Result]:
        """dspx's results with all of DSPy's budget."""
        return self.dspx.get(1.0, [])

    @property
    def calls_to_match(self) -> float | None:
        """How many calls dspx needs for DSPy's final score: between the parts tried, on a line. None: more than DSPy."""
        if not self.dspy or not self.dspx:
            return None
        wanted = score_of(self.dspy)[0]
        calls, scores = [0.0], [mean(result["before"] for result in self.dspy)]
        for part in sorted(self.dspx):
            calls.append(mean(result["lm_calls"] for result in self.dspx[part]))
            scores.append(score_of(self.dspx[part])[0])
            if scores[-1] >= wanted:
                step = (wanted - scores[-2]) / (scores[-1] - scores[-2]) if scores[-1] > scores[-2] else 1.0
                return calls[-2] + min(max(step, 0.0), 1.0) * (calls[-1] - calls[-2])
        return None

    @property
    def met(self) -> bool | None:
        """Whether dspx is no worse (or better), by the paired differences of the seeds and their standard error."""
        if not self.dspy or not self.ours:
            return None
        pairs = zip(self.ours, self.dspy, strict=False)
        gaps = [ours["true_score"] - theirs["true_score"] for ours, theirs in pairs]
        error = stdev(gaps) / len(gaps) ** 0.5 if len(gaps) > 1 else 0.0
        return mean(gaps) > 2 * error if self.plan.target == "better" else mean(gaps) >= -2 * error

    def to_json(self) -> Result:
        return {
            "plan": self.plan.name,
            "dspy": self.dspy,
            "dspx": {str(part): results for part, results in self.dspx.items()},
            "calls_to_match": self.calls_to_match,
            "target": self.plan.target,
            "met": self.met,
            "notes": self.notes,
        }


def score_of(results: Sequence[Result]) -> tuple[float, float]:
    """The mean true score, and its standard error."""
    scores = [result["true_score"] for result in results]
    return mean(scores), stdev(scores) / len(scores) ** 0.5 if len(scores) > 1 else 0.0


def cpu_per_rollout(results: Sequence[Result]) -> float | None:
    """CPU seconds for a run of the program on an example, the simulated LM's own left out."""
    rollouts = sum(result["rollouts"] for result in results)
    return sum(result["cpu"] - result["lm_cpu"] for result in results) / rollouts if rollouts else None


# ---------------------------------------------------------------- running


class Optimizing(Process):
    """One library in a process of its own."""

    def __init__(self, side: str) -> None:
        self.side = side
        python = optimizing_python() if side == "dspy" else sys.executable
        super().__init__([python, "-m", "benchmarks.optimizers.worker", side], quiet=True)

    def do(self, plan: str, seed: int, **job: Any) -> Result:
        """What came of one job; `Failed` where it raised."""
        assert self.child.stdin is not None
        assert self.child.stdout is not None
        self.child.stdin.write(json.dumps({"plan": plan, "seed": seed, **job}) + "\n")
        self.child.stdin.flush()
        line = self.child.stdout.readline()
        answer = (
            json.loads(line) if line else {"error": f"The {self.side} worker died in {plan}, seed {seed}."}
        )
        if "error" in answer:
            raise Failed(answer["error"])
        return answer


def run(
    plans: Iterable[Plan],
    seeds: int,
    sides: Sequence[str],
    fresh: bool = False,
    keep: bool = True,
    first: int = 0,
) -> list[Row]:
    """A row for each plan. What DSPy came to is recorded in `RECORD`, and taken from there unless `fresh`.

    keep: record what is measured, plan by plan. first: the first of the seeds."""
    part = f"plans from seed {first}" if first else "plans"
    with ExitStack() as stack:
        workers = {side: stack.enter_context(Optimizing(side)) for side in sides}
        known = {} if fresh else recorded(part)
        rows: list[Row] = []
        for plan in plans:
            print(f"  {plan.title} …", file=sys.stderr, flush=True)
            row = Row(plan, first=first)
            _dspy(row, seeds, workers.get("dspy"), known)
            if keep and "dspy" in workers and row.dspy and not plan.rival:
                record({plan.name: row.dspy}, part)
            if "dspx" in workers:
                _dspx(row, seeds, workers["dspx"])
            rows.append(row)
        return rows


def recorded(part: str = "plans") -> dict[str, list[Result]]:
    """DSPy's results by plan, as recorded: of the comparison ("plans"), of its other seeds, or of the A/A test ("aa")."""
    return _parts().get(part, {})


def record(results: dict[str, list[Result]], part: str = "plans") -> None:
    """Keep what DSPy came to, for runs that do not measure it again."""
    parts = _parts()
    parts[part] = parts.get(part, {}) | results
    shown = ",\n".join(f"{json.dumps(name)}: {{\n{_lines(plans)}\n}}" for name, plans in parts.items())
    RECORD.write_text(f'{{\n"dspy": "3.4.1",\n{shown}\n}}\n', encoding="utf-8")


def _parts() -> dict[str, dict[str, list[Result]]]:
    found = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else {}
    return {name: part for name, part in found.items() if name != "dspy"}


def _lines(plans: dict[str, list[Result]]) -> str:
    """A line for each result."""
    return ",\n".join(
        f"  {json.dumps(name)}: [\n    " + ",\n    ".join(map(json.dumps, done)) + "\n  ]"
        for name, done in plans.items()
    )


def _dspy(row: Row, seeds: int, worker: Optimizing | None, known: dict[str, list[Result]]) -> None:
    name = row.plan.rival or row.plan.name
    row.dspy = known.get(name, [])[:seeds]
    if worker is None or row.plan.rival:
        return
    for seed in range(len(row.dspy), seeds):
        try:
            row.dspy.append(worker.do(name, row.first + seed))
        except Failed as failure:
            row.notes.append(f"dspy failed on seed {seed}: {str(failure).strip().splitlines()[-1]}")
            return


def _dspx(row: Row, seeds: int, worker: Optimizing) -> None:
    if not row.dspy and not row.plan.free:
        row.notes.append("dspx waits for DSPy's figures: its budget is what DSPy spent")
        return
    for part in (1.0,) if row.plan.free else PARTS:
        results: list[Result] = []
        for seed in range(seeds if row.plan.free else min(seeds, len(row.dspy))):
            budget = {} if row.plan.free else {"lm_calls": max(1, round(part * row.dspy[seed]["lm_calls"]))}
            try:
                result = worker.do(
                    row.plan.name, row.first + seed, limits={"budget": budget} if budget else {}
                )
            except Failed as failure:
                row.notes.append(f"dspx failed on seed {seed}: {str(failure).strip().splitlines()[-1]}")
                return
            if "absent" in result:
                row.notes.append(result["absent"])
                return
            results.append(result)
        row.dspx[part] = results


def chosen(names: Sequence[str]) -> list[Plan]:
    """The plans whose name begins with one of these; all where none is given."""
    plans = [
        plan for plan in PLANS.values() if not names or any(plan.name.startswith(name) for name in names)
    ]
    if not plans:
        sys.exit(f"No plan begins with {' or '.join(names)}; there are {', '.join(PLANS)}.")
    return plans
