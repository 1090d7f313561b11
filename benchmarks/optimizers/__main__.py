"""`python -m benchmarks.optimizers`: dspx's optimizers against DSPy's, on a task whose truth is known."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from benchmarks.optimizers.aa import run_aa
from benchmarks.optimizers.plans import PLANS
from benchmarks.optimizers.run import chosen, run
from benchmarks.optimizers.table import fill, render, render_aa


def main() -> int:
    options = _options()
    names = [name for name in (options.only or "").split(",") if name]
    sides = ("dspy", "dspx") if options.side == "both" else (options.side,)
    if options.list:
        print("\n".join(f"{plan.name:18} {plan.title}" for plan in PLANS.values()))
        return 0
    if options.aa:
        aa = run_aa(names, options.seeds or 40, sides, options.fresh, not options.no_record)
        print(render_aa(aa))
        _write(options, {"aa": [row.to_json() for row in aa]}, lambda page: fill(page, aa=aa))
        return int(any("failed" in note for row in aa for note in row.notes))
    rows = run(
        chosen(names), options.seeds or 10, sides, options.fresh, not options.no_record, options.first_seed
    )
    print(render(rows))
    _write(options, {"rows": [row.to_json() for row in rows]}, lambda page: fill(page, rows))
    return int(any("failed" in note for row in rows for note in row.notes))


def _write(options: argparse.Namespace, result: object, filled: object) -> None:
    if options.json:
        options.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    for page in options.fill:
        page.write_text(filled(page.read_text(encoding="utf-8")), encoding="utf-8")  # type: ignore[operator]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.optimizers", description=__doc__)
    parser.add_argument("--seeds", type=int, help="how many tasks (default 10, of the A/A test 40)")
    parser.add_argument(
        "--first-seed", type=int, default=0, metavar="N", help="begin with another task than 0"
    )
    parser.add_argument("--only", metavar="NAMES", help="plans by the beginning of their names: mipro,simba")
    parser.add_argument("--side", choices=("dspx", "dspy", "both"), default="both")
    parser.add_argument("--aa", action="store_true", help="gains reported where there is nothing to gain")
    parser.add_argument("--fresh", action="store_true", help="run DSPy again instead of reading the record")
    parser.add_argument(
        "--no-record", action="store_true", help="leave the record of DSPy's figures as it is"
    )
    parser.add_argument("--json", metavar="FILE", type=Path, help="write every result here too")
    parser.add_argument(
        "--fill", metavar="PAGE", type=Path, nargs="*", default=[], help="put the tables into these pages"
    )
    parser.add_argument("--list", action="store_true", help="name the plans and stop")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
