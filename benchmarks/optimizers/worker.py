"""The process in which one library's optimizers run: reads a job, writes what came of it, a line of JSON each."""

from __future__ import annotations

import json
import logging
import os
import sys
import traceback
import warnings
from typing import Any

from benchmarks.optimizers.bench import Bench, NotYet
from benchmarks.optimizers.plans import PLANS
from benchmarks.worker import _private_stdout


def main() -> None:
    side = sys.argv[1]
    answers = _private_stdout()
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    os.environ["TQDM_DISABLE"] = "1"
    for line in sys.stdin:
        print(json.dumps(_done(side, json.loads(line))), file=answers)
        answers.flush()
    os._exit(0)  # nobody waits for a library's threads


def _done(side: str, job: dict[str, Any]) -> dict[str, Any]:
    """`job`: plan, seed, task (the settings of SimulatedTask), limits (for dspx's `compile`)."""
    from dspx.testing.simulated import SimulatedTask

    try:
        task = SimulatedTask(job["seed"], **job.get("task", {}))
        bench = Bench(side, task, job.get("limits", {}), job["seed"])
        return bench.measure(PLANS[job["plan"]].compile)
    except NotYet as missing:
        return {"absent": str(missing)}
    except BaseException:
        return {"error": traceback.format_exc()}


if __name__ == "__main__":
    main()
