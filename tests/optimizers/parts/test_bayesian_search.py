from __future__ import annotations

import math
from random import Random

import numpy as np
import pytest

from dspx.errors import UsageError
from dspx.optimizers.parts.bayesian_search import BayesianSearch, Observation, noise_variances
from dspx.optimizers.parts.dimensions import Categorical, Numeric

MIXED = (
    Categorical("style", 4),
    Categorical("demos", 5),
    Numeric("t", 0, 1.5),
    Numeric("k", 1, 8, integer=True),
)


def height(point) -> float:
    style, demos, t, k = point
    return 0.1 * style + 0.05 * demos - 0.3 * (t - 0.6) ** 2 - 0.01 * (k - 5) ** 2


def observed(count: int, **options) -> BayesianSearch:
    search = BayesianSearch(MIXED, seed=3, **options)
    for _ in range(count):
        point = search.suggest()
        search.observe(point, height(point), 0.05)
    return search


def test_the_same_seed_and_scores_lead_to_the_same_questions() -> None:
    once, again = observed(25), observed(25)
    assert once.observations == again.observations
    assert once.recommend() == again.recommend()
    other = BayesianSearch(MIXED, seed=4)
    assert other.suggest() != BayesianSearch(MIXED, seed=3).suggest()


def test_a_search_built_from_recorded_scores_goes_on_as_the_first_would() -> None:
    first = observed(20)
    replayed = BayesianSearch(MIXED, seed=3)
    for seen in first.observations:
        replayed.observe(seen.point, seen.score, seen.standard_error)
    assert replayed.suggest() == first.suggest()
    assert replayed.suggest([(0, 0, 0.5, 3)]) == first.suggest([(0, 0, 0.5, 3)])


def test_asking_twice_changes_nothing() -> None:
    search = observed(18)
    assert search.suggest() == search.suggest()
    assert search.suggest_batch(3) == search.suggest_batch(3)


def test_it_climbs_a_mixed_hill() -> None:
    found = observed(40).recommend()
    assert height(found.point) > 0.3 + 0.2 - 0.05
    assert found.observed


def test_a_batch_looks_in_different_places() -> None:
    search = observed(20)
    batch = search.suggest_batch(6)
    assert len(set(batch)) == 6
    assert search.suggest() == batch[0]
    assert len(set(BayesianSearch(MIXED).suggest_batch(10))) == 10


def test_batches_find_about_as_much_as_single_trials() -> None:
    search = BayesianSearch(MIXED, seed=3)
    for _ in range(10):
        for point in search.suggest_batch(4):
            search.observe(point, height(point), 0.05)
    assert height(search.recommend().point) > 0.3 + 0.2 - 0.06


def test_no_point_is_suggested_twice_until_none_is_left() -> None:
    search = BayesianSearch([Categorical("a", 3), Categorical("b", 2)])
    seen = []
    while (point := search.suggest()) is not None:
        seen.append(point)
        search.observe(point, 0.5, 0.1)
    assert sorted(seen) == [(a, b) for a in range(3) for b in range(2)]
    assert search.suggest_batch(2) == []


def test_with_repeats_a_good_point_is_tried_again_to_be_sure() -> None:
    rng = Random(0)
    search = BayesianSearch([Categorical("a", 4)], repeat=True)
    for _ in range(30):
        point = search.suggest()
        search.observe(point, 0.5 + 0.1 * point[0] + rng.gauss(0, 0.1), 0.1)
    counts = [sum(seen.point == (a,) for seen in search.observations) for a in range(4)]
    assert counts[3] == max(counts) > 8


def test_constraints_hold_from_the_first_point_on() -> None:
    search = observed(30, allowed=lambda point: point[2] <= 0.5 or point[0] == 1)
    assert all(seen.point[2] <= 0.5 or seen.point[0] == 1 for seen in search.observations)
    whole = search.recommend(observed=False).point
    assert whole[2] <= 0.5 or whole[0] == 1


def test_one_lucky_score_among_poor_neighbours_is_not_recommended() -> None:
    search = BayesianSearch([Categorical("a", 4), Categorical("b", 4)])
    for a in range(4):
        for b in range(4):
            lucky = (a, b) == (3, 3)
            score = 1.0 if lucky else 0.9 - 0.15 * a - 0.1 * b
            search.observe((a, b), score, 0.0 if lucky else 0.15, examples=10)
    found = search.recommend()
    assert found.point == (0, 0)
    assert found.mean < 0.95
    assert found.interval[0] < found.mean < found.interval[1]


def test_a_point_never_tried_may_be_recommended_where_asked_for() -> None:
    search = BayesianSearch([Categorical("a", 3), Categorical("b", 3)])
    for a, b in ((0, 0), (0, 1), (1, 0), (2, 0), (1, 1), (0, 2)):
        search.observe((a, b), 0.3 * (a == 2) + 0.2 * (b == 2) + 0.2, 0.01)
    found = search.recommend(observed=False)
    assert found.point == (2, 2)
    assert not found.observed


def test_the_interval_holds_the_true_score_about_as_often_as_it_says() -> None:
    held = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        truth = 0.6 + rng.normal(0, 0.08, (6, 1)) + rng.normal(0, 0.06, (1, 6))
        search = BayesianSearch([Categorical("a", 6), Categorical("b", 6)], seed=seed)
        for a, b in rng.integers(0, 6, (20, 2)).tolist():
            search.observe((a, b), truth[a, b] + rng.normal(0, 0.1), 0.1)
        found = search.recommend()
        held += found.interval[0] <= truth[found.point] <= found.interval[1]
    assert 88 <= held <= 99


def test_perfect_scores_of_few_examples_are_not_taken_for_certain() -> None:
    seen = [
        Observation((0,), 1.0, 0.0, 10),
        Observation((1,), 0.5, math.sqrt(0.25 / 10), 10),
        Observation((2,), 0.5, math.sqrt(0.25 / 1000), 1000),
        Observation((3,), 0.5),
    ]
    perfect, few, many, unknown = noise_variances(seen)
    assert 0.015 < perfect < few == pytest.approx(0.025, rel=0.05)
    assert many == pytest.approx(0.25 / 1000, rel=0.05)
    assert unknown > 0
    assert noise_variances([Observation((0,), 1.0)]).tolist() == [0.0]


def test_it_beats_random_search_on_a_noisy_task() -> None:
    gains = []
    for seed in range(30):
        rng = np.random.default_rng([7, seed])
        truth = (
            0.6 + rng.normal(0, 0.1, (12, 1)) + rng.normal(0, 0.1, (1, 12)) + rng.normal(0, 0.03, (12, 12))
        )
        search = BayesianSearch([Categorical("a", 12), Categorical("b", 12)], seed=seed)
        for _ in range(30):
            point = search.suggest()
            search.observe(point, truth[point] + rng.normal(0, 0.15), 0.15)
        tried = rng.choice(truth.ravel(), (200, 30))
        lucky = (tried + rng.normal(0, 0.15, tried.shape)).argmax(axis=1)
        gains.append(truth[search.recommend().point] - tried[range(200), lucky].mean())
    assert np.mean(gains) > 3 * np.std(gains) / math.sqrt(len(gains))


@pytest.mark.parametrize("acquisition", ["ei", "ucb", "pi"])
def test_every_acquisition_works_on_one_number(acquisition) -> None:
    search = BayesianSearch([Numeric("x", -3, 3)], acquisition=acquisition)
    for _ in range(20):
        point = search.suggest()
        search.observe(point, -((point[0] - 1) ** 2))
    assert search.recommend(observed=False).point[0] == pytest.approx(1, abs=0.3)


def test_a_large_space_with_many_observations_is_handled() -> None:
    space = [Categorical(str(i), 12) for i in range(6)] + [Numeric("t", 0, 1)]
    search = BayesianSearch(space, seed=1)
    rng = Random(0)
    for _ in range(300):
        point = tuple(d.draw(rng.random()) for d in space)
        search.observe(point, 0.1 * point[0] + rng.gauss(0, 0.1), 0.1)
    point = search.suggest()
    assert point is not None
    assert point[0] == 11


@pytest.mark.parametrize(
    ("act", "says"),
    [
        (lambda: BayesianSearch([]), "at least one dimension"),
        (lambda: BayesianSearch(MIXED, acquisition="magic"), "ei, ucb, pi"),  # type: ignore[arg-type]
        (lambda: BayesianSearch(MIXED).recommend(), "Nothing was observed"),
        (lambda: BayesianSearch(MIXED).observe((0, 0, 0.5, 3), float("nan")), "finite number"),
        (lambda: BayesianSearch(MIXED).observe((9, 0, 0.5, 3), 1.0), "'style' goes from 0 to 3"),
    ],
)
def test_misuse_is_named(act, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        act()
