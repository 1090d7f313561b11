"""`python -m benchmarks.beacon`: what a Bayesian search finds on noisy tasks, against random search and optuna's TPE.

Each repeat draws a new task, the same for every method. A trial is the share of 10 examples that a configuration
gets right. Figures are the true accuracy of what a method recommends by its own rule: the best score seen, or for
BEACON the best posterior mean. The constants of the pairs task were chosen so that the best possible accuracy and
random search stand where they did when this yardstick was set (0.88; 0.746 after 30 trials and 0.767 after 50).
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from typing import Any

import numpy as np

from dspx.evaluate.stats import bootstrap
from dspx.optimizers.parts.bayesian_search import BayesianSearch
from dspx.optimizers.parts.dimensions import Categorical, Dimension, Numeric, Point

EXAMPLES = 10
MARKS = (30, 50)
FIRST_SEED = 10_000

Truth = Callable[[Point], float]


@dataclass(frozen=True)
class Task:
    """Dimensions, the true accuracy of a point, and the best there is."""

    dimensions: tuple[Dimension, ...]
    truth: Truth
    best: float


def pairs(seed: int) -> Task:
    """20 instructions × 15 demo sets that each do something, and something more together."""
    rng = np.random.default_rng([seed, 1])
    table = 0.62 + rng.normal(0, 0.08, (20, 1)) + rng.normal(0, 0.06, (1, 15)) + rng.normal(0, 0.05, (20, 15))
    table = np.clip(table, 0.05, 0.89)
    dimensions = (Categorical("instruction", 20), Categorical("demos", 15))
    return Task(dimensions, lambda point: float(table[int(point[0]), int(point[1])]), float(table.max()))


def mixed(seed: int) -> Task:
    """10 instructions × 6 demo sets × a temperature × how many passages; the best temperature is the instruction's."""
    rng = np.random.default_rng([seed, 2])
    table = 0.66 + rng.normal(0, 0.07, (10, 1)) + rng.normal(0, 0.05, (1, 6)) + rng.normal(0, 0.03, (10, 6))
    warm = np.clip(rng.uniform(0.1, 1.2) + rng.normal(0, 0.15, 10), 0, 1.5)
    many = rng.uniform(2, 12)

    def truth(point: Point) -> float:
        instruction, demos, temperature, passages = point
        lost = 0.25 * (temperature - warm[int(instruction)]) ** 2 + 0.15 * ((passages - many) / 8) ** 2
        return float(np.clip(table[int(instruction), int(demos)] - lost, 0.05, 0.89))

    dimensions = (
        Categorical("instruction", 10),
        Categorical("demos", 6),
        Numeric("temperature", 0.0, 1.5),
        Numeric("passages", 1, 12, integer=True),
    )
    best = max(
        truth((i, d, float(warm[i]), float(n))) for i in range(10) for d in range(6) for n in range(1, 13)
    )
    return Task(dimensions, truth, best)


TASKS: dict[str, Callable[[int], Task]] = {"pairs": pairs, "mixed": mixed}


# ---------------------------------------------------------------- methods: the true accuracies of what they pick


def best_possible(task: Task, seed: int) -> list[float]:
    return [task.best for _ in MARKS]


def random_search(task: Task, seed: int) -> list[float]:
    rng = np.random.default_rng([seed, 3])
    tried = [tuple(d.draw(rng.random()) for d in task.dimensions) for _ in range(max(MARKS))]
    scores = [_score(task, point, rng) for point in tried]
    return [task.truth(tried[int(np.argmax(scores[:mark]))]) for mark in MARKS]


def tpe(task: Task, seed: int, multivariate: bool) -> list[float]:
    import optuna

    rng = np.random.default_rng([seed, 4])
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sampler = optuna.samplers.TPESampler(seed=seed, multivariate=multivariate)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    names = [dimension.name for dimension in task.dimensions]
    picks: list[float] = []
    for trials in _between_marks():
        study.optimize(
            lambda trial: _score(task, tuple(_ask(trial, d) for d in task.dimensions), rng), trials
        )
        picks.append(task.truth(tuple(study.best_params[name] for name in names)))
    return picks


def beacon(task: Task, seed: int, acquisition: Any, repeat: bool = True) -> list[float]:
    rng = np.random.default_rng([seed, 5])
    search = BayesianSearch(task.dimensions, seed=seed, acquisition=acquisition, repeat=repeat)
    picks: list[float] = []
    for trials in _between_marks():
        for _ in range(trials):
            point = search.suggest()
            assert point is not None
            score = _score(task, point, rng)
            error = math.sqrt(score * (1 - score) / (EXAMPLES - 1))
            search.observe(point, score, error, examples=EXAMPLES)
        picks.append(task.truth(search.recommend().point))
    return picks


METHODS: dict[str, Callable[[Task, int], list[float]]] = {
    "best possible": best_possible,
    "random": random_search,
    "optuna TPE, default": partial(tpe, multivariate=False),
    "optuna TPE, multivariate": partial(tpe, multivariate=True),
    "BEACON, EI": partial(beacon, acquisition="ei"),
    "BEACON, UCB": partial(beacon, acquisition="ucb"),
    "BEACON, PI": partial(beacon, acquisition="pi"),
    "BEACON, EI, no point twice": partial(beacon, acquisition="ei", repeat=False),
}


def _score(task: Task, point: Point, rng: np.random.Generator) -> float:
    return float(rng.binomial(EXAMPLES, task.truth(point))) / EXAMPLES


def _ask(trial: Any, dimension: Dimension) -> float:
    if isinstance(dimension, Categorical):
        return trial.suggest_categorical(dimension.name, list(range(dimension.options)))
    if dimension.integer:
        return trial.suggest_int(dimension.name, int(dimension.low), int(dimension.high))
    return trial.suggest_float(dimension.name, dimension.low, dimension.high)


def _between_marks() -> list[int]:
    return [after - before for before, after in zip((0, *MARKS), MARKS, strict=False)]


# ---------------------------------------------------------------- the table


def measure(
    task: str, repeats: int, jobs: int = 1, methods: tuple[str, ...] = tuple(METHODS)
) -> dict[str, Any]:
    """Per method, an array of true accuracies: a row per repeat, a column per mark."""
    work = [(task, method, FIRST_SEED + repeat) for method in methods for repeat in range(repeats)]
    if jobs == 1:
        picks = [_one(item) for item in work]
    else:
        with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
            picks = list(pool.map(_one, work, chunksize=4))
    table = np.array(picks).reshape(len(methods), repeats, len(MARKS))
    return dict(zip(methods, table, strict=True))


def _one(item: tuple[str, str, int]) -> list[float]:
    task, method, seed = item
    return METHODS[method](TASKS[task](seed), seed)


def report(found: dict[str, Any]) -> str:
    """A row per method: the mean true accuracy ± its standard error, and what it gains on each of optuna's TPEs."""
    head = ["", *(f"{mark} trials" for mark in MARKS)]
    rivals = [name for name in found if "TPE" in name]
    head += [f"− {rival.removeprefix('optuna ')}, {mark}" for rival in rivals for mark in MARKS]
    rows = [head]
    for method, picks in found.items():
        cells = [_mean(picks[:, column]) for column in range(len(MARKS))]
        if method.startswith("BEACON"):
            cells += [_gain(picks[:, c] - found[rival][:, c]) for rival in rivals for c in range(len(MARKS))]
        rows.append([method, *cells, *[""] * (len(head) - 1 - len(cells))])
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _mean(values: Any) -> str:
    error = values.std(ddof=1) / math.sqrt(len(values)) if len(values) > 1 else math.nan
    return f"{values.mean():.3f} ± {error:.3f}"


def _gain(differences: Any) -> str:
    low, high = bootstrap(differences.tolist())
    return f"{differences.mean():+.3f} [{low:+.3f}, {high:+.3f}]"


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.beacon", description=__doc__)
    parser.add_argument("--repeats", type=int, default=120, help="tasks drawn, each for every method")
    parser.add_argument("--task", choices=list(TASKS), action="append", help="one task only; repeatable")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    options = parser.parse_args()
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(
            name, "1"
        )  # for the processes to come: these matrices are too small to share out
    for task in options.task or TASKS:
        title = (TASKS[task].__doc__ or "").strip()
        print(f"{task}: {title} {options.repeats} repeats; mean true accuracy ± standard error.\n")
        print(report(measure(task, options.repeats, options.jobs)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
