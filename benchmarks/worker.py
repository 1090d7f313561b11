"""The process in which one library is measured: reads a case's name, writes a sample, a line of JSON each."""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import traceback
import warnings
from typing import Any, TextIO

from benchmarks.cases import load_all
from benchmarks.side import SIZES, Side


def main() -> None:
    options = _options()
    answers = _private_stdout()
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    cases = load_all()
    side = Side(options.side, options.size, options.server)
    for line in sys.stdin:
        case = cases[json.loads(line)]
        print(json.dumps(_sample(case.floor if side.name == "floor" else case.measure, side)), file=answers)
        answers.flush()
    os._exit(0)  # nobody waits for a library's threads


def _sample(measure: Any, side: Side) -> dict[str, Any]:
    try:
        return {"value": measure(side)}
    except BaseException:
        return {"error": traceback.format_exc()}


def _private_stdout() -> TextIO:
    """Our own way out; whatever a library prints goes to stderr."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return answers


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("side", choices=("dspx", "dspy", "floor"))
    parser.add_argument("--size", choices=SIZES, default="full")
    parser.add_argument("--server")
    return parser.parse_args()


if __name__ == "__main__":
    main()
