from __future__ import annotations

from random import Random

from dspx.optimizers.parts.dimensions import Categorical, Numeric
from dspx.optimizers.parts.quasi_random import quasi_random_points


def test_every_category_is_visited_before_long() -> None:
    points = quasi_random_points([Categorical("a", 8), Categorical("b", 9)], 9, Random(1))
    assert len({a for a, _ in points}) == 8
    assert len({b for _, b in points}) == 9


def test_points_fill_the_square_more_evenly_than_random_ones() -> None:
    square = [Numeric("x", 0, 1), Numeric("y", 0, 1)]

    def emptiest(points) -> float:
        cells = [0] * 25
        for x, y in points:
            cells[min(4, int(5 * x)) * 5 + min(4, int(5 * y))] += 1
        return sum((cell - 4) ** 2 for cell in cells)

    rng = Random(0)
    even = sum(emptiest(quasi_random_points(square, 100, rng)) for _ in range(20))
    random = sum(emptiest([(rng.random(), rng.random()) for _ in range(100)]) for _ in range(20))
    assert even < random / 3


def test_twelve_dimensions_do_not_run_side_by_side() -> None:
    import numpy as np

    points = np.array(quasi_random_points([Numeric(str(i), 0, 1) for i in range(12)], 200, Random(3)))
    correlations = np.corrcoef(points.T) - np.eye(12)
    assert np.abs(correlations).max() < 0.5


def test_the_same_generator_gives_the_same_points_and_longer_runs_begin_alike() -> None:
    space = [Categorical("a", 5), Numeric("t", 0, 2)]
    assert quasi_random_points(space, 7, Random(4)) == quasi_random_points(space, 12, Random(4))[:7]
    assert quasi_random_points(space, 7, Random(4)) != quasi_random_points(space, 7, Random(5))
