from __future__ import annotations

import math
from random import Random

import numpy as np
import pytest

from dspx.optimizers.parts.acquisition import (
    expected_improvement,
    maximize,
    mutate,
    normal_cdf,
    probability_of_improvement,
    promise,
    upper_confidence_bound,
)
from dspx.optimizers.parts.dimensions import Categorical, Numeric


def integrated(mean: float, deviation: float, best: float, gain) -> float:
    """The expectation of `gain` over a normal score, by the midpoint rule."""
    steps = 200_000
    z = (np.arange(steps) + 0.5) / steps * 20 - 10
    density = np.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    return float((gain(mean + deviation * z - best) * density).sum() * 20 / steps)


@pytest.mark.parametrize(("mean", "deviation"), [(0.5, 0.1), (0.7, 0.02), (0.2, 0.3), (0.61, 0.001)])
def test_the_formulas_are_what_integrating_gives(mean: float, deviation: float) -> None:
    arrays = np.array([mean]), np.array([deviation]), 0.6
    improvement = integrated(mean, deviation, 0.6, lambda gain: np.maximum(gain, 0))
    chance = integrated(mean, deviation, 0.6, lambda gain: (gain > 0).astype(float))
    assert expected_improvement(*arrays)[0] == pytest.approx(improvement, abs=1e-9)
    assert probability_of_improvement(*arrays)[0] == pytest.approx(chance, abs=1e-4)
    assert upper_confidence_bound(*arrays[:2])[0] == pytest.approx(mean + 2 * deviation)


def test_a_hopeless_point_promises_nothing_rather_than_less() -> None:
    found = expected_improvement(np.array([-100.0]), np.array([0.1]), 0.0)
    assert found[0] == 0.0


def test_the_normal_distribution_is_right_far_out() -> None:
    assert normal_cdf(np.array([[0.0, 1.959964], [-10.0, 10.0]])) == pytest.approx(
        np.array([[0.5, 0.975], [7.619853e-24, 1.0]]), rel=1e-6
    )


def test_each_acquisition_prefers_the_point_it_should() -> None:
    mean, variance = np.array([0.62, 0.5, 0.0]), np.array([0.0001, 0.01, 0.25])
    assert promise("pi", mean, variance, 0.6).argmax() == 0
    assert promise("ucb", mean, variance, 0.6).argmax() == 2
    assert promise("ei", mean, variance, 0.6).argmax() == 2


def test_small_spaces_are_looked_through_whole() -> None:
    asked: list[int] = []

    def worth(points):
        asked.append(len(points))
        return np.array([-((a - 13) ** 2) - (b - 7) ** 2 for a, b in points], dtype=float)

    assert maximize(worth, [Categorical("a", 20), Categorical("b", 15)], Random(0)) == (13, 7)
    assert asked == [300]


def test_large_spaces_are_searched_to_near_the_top() -> None:
    space = [Categorical("a", 30), Categorical("b", 30), Numeric("x", 0, 1), Numeric("lr", 1e-4, 1, log=True)]

    def height(point) -> float:
        a, b, x, lr = point
        return (a == 4) + (b == 9) - (x - 0.37) ** 2 - (math.log10(lr) + 2) ** 2 / 16

    def worth(points):
        return np.array([height(point) for point in points])

    found = maximize(worth, space, Random(1), around=[(4, 2, 0.5, 0.1)])
    assert found is not None
    assert height(found) > 1.97


def test_only_allowed_points_are_found() -> None:
    space = [Categorical("a", 4)]
    worth = lambda points: np.array([float(a) for (a,) in points])  # noqa: E731
    assert maximize(worth, space, Random(0), allowed=lambda point: point[0] < 2) == (1,)
    assert maximize(worth, space, Random(0), allowed=lambda point: False) is None


def test_equal_points_are_chosen_among_at_random() -> None:
    space = [Categorical("a", 6)]
    chosen = {maximize(lambda points: np.zeros(len(points)), space, Random(seed)) for seed in range(60)}
    assert len(chosen) == 6


def test_a_mutant_stays_in_the_space_and_near_its_parent() -> None:
    space = [Categorical("a", 3), Numeric("k", 0, 8, integer=True), Numeric("t", 0, 1)]
    rng = Random(2)
    mutants = [mutate(space, (1, 4, 0.5), rng) for _ in range(300)]
    assert all(a in (0, 1, 2) and k in range(9) and 0 <= t <= 1 for a, k, t in mutants)
    unchanged = sum((a == 1) + (k == 4) + (t == 0.5) for a, k, t in mutants) / 900
    assert 0.4 < unchanged < 0.8
