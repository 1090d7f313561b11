"""What is compared: each optimizer, its settings, the budget that they come to, and what dspx is to reach.

Both sides run the same function with the same settings. DSPy knows no budget, so the settings are chosen to
land near the one that the title names; what DSPy really spent on a seed is the hard limit of dspx on that seed.
The task has 80 training, 80 validation and 240 test examples; the program is one ChainOfThought.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from benchmarks.optimizers.bench import Bench

Compile = Callable[[Bench], Any]


@dataclass(frozen=True)
class Plan:
    """An optimizer to compare. `rival`: the DSPy plan it is held against, where it has no namesake there."""

    name: str
    title: str
    compile: Compile
    target: Literal["no worse", "better"] = "no worse"
    rival: str | None = None
    free: bool = False
    """It costs no LM calls, so there is nothing to halve."""


def zero_shot(bench: Bench) -> Any:
    return bench.student


def labeled(bench: Bench) -> Any:
    return bench.optimizer("LabeledFewShot")(k=16).compile(bench.student, trainset=bench.train)


def bootstrap(bench: Bench) -> Any:
    """DSPy's defaults: 4 bootstrapped demos, 12 labelled."""
    optimizer = bench.optimizer("BootstrapFewShot")(metric=bench.metric)
    return optimizer.compile(bench.student, trainset=bench.train, **bench.limits)


def bootstrap_rs(bench: Bench) -> Any:
    """17 candidates × 80 validation examples, and the bootstraps: about 1,450 calls."""
    optimizer = bench.optimizer("BootstrapFewShotWithRandomSearch")(
        metric=bench.metric, num_candidate_programs=14, num_threads=1
    )
    return optimizer.compile(bench.student, trainset=bench.train, valset=bench.val, **bench.limits)


def bootstrap_optuna(bench: Bench) -> Any:
    """12 candidates × 80 validation examples: about 1,000 calls."""
    optimizer = bench.optimizer("BootstrapFewShotWithOptuna")(
        metric=bench.metric, num_candidate_programs=12, num_threads=1
    )
    data = {"trainset": bench.train, "valset": bench.val}
    return optimizer.compile(bench.student, max_demos=8, **data, **bench.limits)


def copro(bench: Bench) -> Any:
    """Breadth 5 × depth 3 × 32 examples, and 3 questions: about 480 calls. COPRO has no validation set."""
    optimizer = bench.optimizer("COPRO")(metric=bench.metric, breadth=5, depth=3)
    settings = {"num_threads": 1, "display_progress": False}
    return optimizer.compile(bench.student, trainset=bench.train[:32], eval_kwargs=settings, **bench.limits)


def mipro(bench: Bench) -> Any:
    """`auto="heavy"` on 80 validation examples: 27 trials of 35, full evaluations, proposals: about 1,500 calls."""
    return _mipro(bench, "heavy")


def mipro_light(bench: Bench) -> Any:
    """`auto="light"`: 10 trials of 35: about 750 calls."""
    return _mipro(bench, "light")


def _mipro(bench: Bench, auto: str) -> Any:
    optimizer = bench.optimizer("MIPROv2")(
        metric=bench.metric,
        auto=auto,
        num_threads=1,
        seed=bench.seed + 1,
        prompt_model=bench.lm,
        task_model=bench.lm,
    )
    return optimizer.compile(bench.student, trainset=bench.train, valset=bench.val, **bench.limits)


def simba(bench: Bench) -> Any:
    """3 steps of 12 examples × (4 + 5) programs, 4 winners × 40: about 490 calls. SIMBA has no validation set."""
    return _simba(bench, bench.train[:40], bsize=12, num_candidates=4, max_steps=3)


def simba_long(bench: Bench) -> Any:
    """4 steps of 16 examples × (6 + 7) programs, 5 winners × 80: about 1,200 calls."""
    return _simba(bench, bench.train, bsize=16, num_candidates=6, max_steps=4)


def _simba(bench: Bench, trainset: list[Any], **settings: int) -> Any:
    optimizer = bench.optimizer("SIMBA")(metric=bench.metric, num_threads=1, **settings)
    return optimizer.compile(bench.student, trainset=trainset, seed=bench.seed, **bench.limits)


def gepa(bench: Bench) -> Any:
    """1,450 metric calls, and the reflections: about 1,500 calls."""
    optimizer = bench.optimizer("GEPA")(
        metric=bench.feedback_metric,
        max_metric_calls=1_450,
        reflection_lm=bench.lm,
        num_threads=1,
        seed=bench.seed,
        track_stats=True,
    )
    return optimizer.compile(bench.student, trainset=bench.train, valset=bench.val, **bench.limits)


def infer_rules(bench: Bench) -> Any:
    """10 candidates × 80 validation examples: about 830 calls."""
    optimizer = bench.optimizer("InferRules")(
        metric=bench.metric, num_candidates=10, num_rules=10, num_threads=1
    )
    return optimizer.compile(bench.student, trainset=bench.train, valset=bench.val, **bench.limits)


def beacon(bench: Bench) -> Any:
    """dspx's own, on what DSPy's MIPROv2 spends."""
    optimizer = bench.optimizer("BEACON")(metric=bench.metric, prompt_model=bench.lm)
    return optimizer.compile(bench.student, trainset=bench.train, valset=bench.val, **bench.limits)


_ALL = (
    Plan("zero-shot", "no optimizer", zero_shot, free=True),
    Plan("labeled", "LabeledFewShot, 16 demos", labeled, free=True),
    Plan("bootstrap", "BootstrapFewShot", bootstrap),
    Plan("bootstrap-rs", "BootstrapFewShotWithRandomSearch, 17 candidates", bootstrap_rs),
    Plan("bootstrap-optuna", "BootstrapFewShotWithOptuna, 12 candidates", bootstrap_optuna),
    Plan("copro", "COPRO, 5 × 3 on 32 examples", copro),
    Plan("mipro-light", "MIPROv2, light", mipro_light, "better"),
    Plan("mipro", "MIPROv2, heavy", mipro, "better"),
    Plan("simba", "SIMBA, 3 steps on 40 examples", simba, "better"),
    Plan("simba-long", "SIMBA, 4 steps on 80 examples", simba_long, "better"),
    Plan("gepa", "GEPA, 1,450 metric calls", gepa, "better"),
    Plan("infer-rules", "InferRules, 10 candidates", infer_rules),
    Plan("beacon", "BEACON (against MIPROv2, heavy)", beacon, "better", rival="mipro"),
)
PLANS: dict[str, Plan] = {plan.name: plan for plan in _ALL}

AA = ("bootstrap-rs", "mipro-light", "gepa")
"""Whose gains are looked at where there is nothing to gain: those that say what they gained, on held-out examples."""
