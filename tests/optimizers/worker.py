"""A process that compiles under a run id: `python -m tests.optimizers.worker STORE RUN OPTIMIZER LOG [on_conflict]`.

Each question that the LM answers is a line of LOG. What was found is printed as JSON.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import dspx
from dspx.core.canonical import stable_hash
from dspx.testing.optimizer_conformance import PromptedLM, Routing, examples, right


def told(gold: Any, pred: Any, trace: Any = None, pred_name: Any = None, pred_trace: Any = None) -> Any:
    score = right(gold, pred)
    return dspx.Prediction(score=float(score), feedback="Right." if score else f"It was {gold.label}.")


class SlowLM(PromptedLM):
    """Takes a moment, and writes down what it was asked once it has answered."""

    def __init__(self, log: Path) -> None:
        super().__init__()
        self.log = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    async def generate(self, request: Any) -> Any:
        _think()
        answer = await super().generate(request)
        asked = stable_hash([request.messages, request.rollout_id, request.params])
        os.write(self.log, f"{asked}\n".encode())
        return answer


def _think() -> None:
    time.sleep(0.004)


FEW = {"max_bootstrapped_demos": 2, "max_labeled_demos": 3}


def optimizers(lm: Any) -> dict[str, tuple[Any, dict[str, Any]]]:
    """The optimizers by name, with what `compile` is given."""
    return {
        "BootstrapFewShot": (dspx.BootstrapFewShot(right, max_bootstrapped_demos=8, max_rounds=2), {}),
        "BootstrapRS": (dspx.BootstrapRS(right, num_candidate_programs=3, **FEW), {}),
        "BootstrapFewShotWithOptuna": (
            dspx.BootstrapFewShotWithOptuna(right, num_candidate_programs=4, **FEW),
            {"max_demos": 4},
        ),
        "COPRO": (dspx.COPRO(metric=right, breadth=3, depth=2), {}),
        "InferRules": (dspx.InferRules(metric=right, num_candidates=3, **FEW), {}),
        "MIPROv2": (
            dspx.MIPROv2(right, auto=None, num_candidates=3, **FEW),
            {"num_trials": 5, "minibatch_size": 6},
        ),
        "SIMBA": (dspx.SIMBA(metric=right, bsize=6, num_candidates=2, max_steps=3, max_demos=2), {}),
        "GEPA": (dspx.GEPA(told, max_metric_calls=120, reflection_lm=lm), {}),
        "BetterTogether": (
            dspx.BetterTogether(
                right,
                p=dspx.BootstrapRS(right, num_candidate_programs=1, **FEW),
                i=dspx.COPRO(metric=right, breadth=2, depth=1),
            ),
            {"strategy": "p -> i"},
        ),
    }


def main(store: str, run_id: str, name: str, log: str, on_conflict: str = "fail") -> None:
    lm = SlowLM(Path(log))
    optimizer, options = optimizers(lm)[name]
    with dspx.context(lm=lm, num_threads=2):
        compiled = optimizer.compile(
            Routing(),
            trainset=examples(16),
            valset=examples(12, start=50),
            store=store,
            run_id=run_id,
            on_conflict=on_conflict,
            **options,
        )
    found = {"candidate": compiled.candidate().hash, "rollouts": compiled.report.rollouts, "calls": lm.calls}
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
