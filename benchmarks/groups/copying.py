"""Programs: copying one, and loading its saved state."""

from __future__ import annotations

from pathlib import Path

from benchmarks.cases import Times, case
from benchmarks.material import pipeline
from benchmarks.side import Side
from benchmarks.timing import per_call


@case("copy.deepcopy", "deepcopy of 11 predictors × 16 demos", target=Times(3))
def deepcopy(side: Side) -> float:
    program = side.once("program", lambda: pipeline(side.api, 11, 16))
    return per_call(side, program.deepcopy)


@case("copy.load", "  load", full_title="load of 11 predictors × 16 demos", target=Times(8))
def load(side: Side) -> float:
    program = side.once("program", lambda: pipeline(side.api, 11, 16))
    path = Path(side.once("folder", side.cache_dir)) / "program.json"
    program.save(path)
    return per_call(side, lambda: program.load(path))
