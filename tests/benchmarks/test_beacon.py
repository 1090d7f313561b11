from __future__ import annotations

import numpy as np
import pytest

from benchmarks.beacon import METHODS, TASKS, measure, report


@pytest.mark.parametrize("task", list(TASKS))
def test_no_point_is_better_than_the_best_possible(task: str) -> None:
    drawn = TASKS[task](3)
    rng = np.random.default_rng(0)
    points = [tuple(d.draw(rng.random()) for d in drawn.dimensions) for _ in range(2_000)]
    truths = [drawn.truth(point) for point in points]
    assert max(truths) <= drawn.best + 1e-9
    assert max(truths) > drawn.best - 0.1


def test_the_yardstick_stands_where_it_was_set() -> None:
    found = measure("pairs", 120, methods=("best possible", "random"))
    assert found["best possible"].mean() == pytest.approx(0.88, abs=0.005)
    assert found["random"].mean(axis=0) == pytest.approx([0.746, 0.767], abs=0.015)


def test_the_table_has_a_row_for_every_method_and_the_gain_over_tpe() -> None:
    pytest.importorskip("optuna")
    methods = ("random", "optuna TPE, multivariate", "BEACON, UCB")
    assert set(methods) <= set(METHODS)
    table = report(measure("pairs", 2, methods=methods)).splitlines()
    assert [line.split("  ")[0] for line in table[1:]] == list(methods)
    assert table[-1].count("[") == 2


def test_repeats_are_the_same_every_time() -> None:
    once = measure("pairs", 1, methods=("random", "BEACON, EI"))
    again = measure("pairs", 1, methods=("random", "BEACON, EI"))
    assert all((once[name] == again[name]).all() for name in once)
