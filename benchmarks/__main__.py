"""`python -m benchmarks`: dspx against DSPy 3.4.1 and the floors. `--only http --quick --json out.json`."""

from __future__ import annotations

import argparse
import json
import platform
import sys
from pathlib import Path

from benchmarks.cases import Case, load_all
from benchmarks.run import SIDES, Row, run
from benchmarks.table import fill, render


def main() -> int:
    options = _options()
    cases = _chosen(options.only)
    if options.list:
        print("\n".join(f"{case.name:24} {case.title}" for case in cases))
        return 0
    sides = tuple(side for side in SIDES if side != "dspy" or not options.no_dspy)
    rows = run(cases, "quick" if options.quick else "full", sides)
    print(render(rows))
    for page in options.fill:
        page.write_text(fill(page.read_text(encoding="utf-8"), rows), encoding="utf-8")
    if options.json:
        options.json.write_text(json.dumps(_record(rows), indent=2) + "\n")
    return int(any(row.errors for row in rows))


def _chosen(names: list[str] | None) -> list[Case]:
    cases = list(load_all().values())
    if not names:
        return cases
    chosen = [case for case in cases if any(case.name.startswith(name) for name in names)]
    if not chosen:
        groups = sorted({case.group for case in cases})
        sys.exit(f"No case begins with {' or '.join(names)}; groups: {', '.join(groups)} (--list shows all).")
    return chosen


def _record(rows: list[Row]) -> dict[str, object]:
    machine = {
        "python": platform.python_version(),
        "system": platform.system(),
        "machine": platform.machine(),
    }
    return {"machine": machine, "rows": [row.to_json() for row in rows]}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument(
        "--only",
        metavar="NAME",
        action="append",
        help="a group or case, by the beginning of its name; repeatable",
    )
    parser.add_argument("--quick", action="store_true", help="fewer and shorter samples")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write every sample here too")
    parser.add_argument(
        "--fill",
        metavar="PAGE",
        type=Path,
        nargs="*",
        default=[],
        help="put the figures into these markdown pages",
    )
    parser.add_argument("--list", action="store_true", help="name the cases and stop")
    parser.add_argument("--no-dspy", action="store_true", help="measure dspx and the floors only")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
