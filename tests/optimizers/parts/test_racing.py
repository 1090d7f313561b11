from __future__ import annotations

import numpy as np
import pytest

from dspx.evaluate import stats
from dspx.optimizers.parts.racing import batch_ends, leader, next_batch, race, race_boldly, standard_error


def drawn(gains, n: int, seed: int, base: float = 0.65):
    """Right or wrong, per candidate and example; examples differ in how hard they are."""
    rng = np.random.default_rng(seed)
    easy = 1 / (1 + np.exp(-np.log(base / (1 - base)) - rng.normal(0, 1, n)))
    return (rng.random((len(gains), n)) < np.clip(easy + np.array(gains)[:, None], 0, 1)).astype(float)


def run_race(full, drop=race, first=8, **options):
    """The winner, those alive at the end, and which share of all rollouts was run."""
    alive, scores = run_all(full, drop, first, **options)
    return alive[0], alive, np.mean([score is not None for row in scores for score in row])


def run_all(full, drop=race, first=8, **options):
    """Those alive at the end, and the scores that were run."""
    scores = [[None] * full.shape[1] for _ in full]
    alive = tuple(range(len(full)))
    while wanted := next_batch(scores, alive, first=first):
        for candidate, example in wanted:
            scores[candidate][example] = float(full[candidate, example])
        alive = drop(scores, alive, first=first, **options).alive
    return alive, scores


def test_batches_double_and_leave_no_crumbs() -> None:
    assert batch_ends(100) == [8, 16, 32, 64, 100]
    assert batch_ends(70) == [8, 16, 32, 70]
    assert batch_ends(9) == [9]
    assert batch_ends(3) == [3]
    assert batch_ends(0) == []
    assert batch_ends(50, first=20) == [20, 50]


def test_the_next_batch_is_what_is_missing() -> None:
    scores = [[1.0, 0.0] + [None] * 8, [1.0] + [None] * 9, [None] * 10]
    assert next_batch(scores, [0, 1], first=3) == [(1, 1), (0, 2), (1, 2)]
    assert next_batch([[1.0, 1.0], [0.0, 0.0]]) == []
    assert next_batch(scores, [0]) == []


def test_the_leader_leads_on_common_examples() -> None:
    scores = [[1.0, 1.0, 0.0, 0.0], [1.0, 1.0, None, None], [0.0, 1.0, None, None]]
    assert leader(scores) == 0
    assert leader(scores, [2, 1]) == 1
    assert leader([[None], [None]]) == 0


def test_a_candidate_that_always_fails_is_dropped_and_an_equal_one_is_not() -> None:
    good = [1.0] * 20 + [None] * 20
    standing = race([good, [0.0] * 20 + [None] * 20, good])
    assert standing.alive == (0, 2)
    assert standing.leader == 0
    assert standing.dropped == (1,)


def test_a_few_equal_differences_are_not_certainty() -> None:
    assert race([[1.0] * 4 + [None] * 36, [0.0] * 4 + [None] * 36]).dropped == ()


def test_those_to_keep_are_kept() -> None:
    scores = [[0.0] * 20 + [None] * 20, [1.0] * 20 + [None] * 20]
    assert race(scores).dropped == (0,)
    assert race(scores, keep=[0]).alive == (1, 0)


def test_a_margin_drops_what_is_no_better_by_more_than_that() -> None:
    rng = np.random.default_rng(0)
    scores = rng.normal(0.5, 0.02, (2, 40)).tolist()
    scores = [row + [None] * 40 for row in scores]
    assert race(scores).dropped == ()
    assert len(race(scores, margin=0.05).dropped) == 1


def test_the_standard_error_is_close_to_the_plain_one_and_never_zero() -> None:
    leads = np.random.default_rng(0).normal(0, 1, 1_000)
    assert standard_error(leads) == pytest.approx(leads.std(ddof=1) / 1_000**0.5, rel=0.02)
    assert standard_error(np.ones(5)) > 0.2


@pytest.mark.parametrize("n", [50, 100])
def test_the_best_on_all_examples_is_rarely_dropped_among_equals(n: int) -> None:
    lost = 0
    for seed in range(200):
        full = drawn([0.0] * 16, n, seed)
        winner, _, _ = run_race(full)
        lost += full[winner].mean() < full.mean(axis=1).max()
    assert lost <= 10


def test_the_error_is_kept_where_two_are_nearly_equal() -> None:
    lost = 0
    for seed in range(300):
        full = drawn([0.0, 0.03], 120, seed)
        winner, _, _ = run_race(full)
        lost += full[winner].mean() < full.mean(axis=1).max()
    assert lost <= 15


def test_a_candidate_ten_points_ahead_wins_as_often_as_if_all_had_run_in_full() -> None:
    raced = full_wins = 0
    for seed in range(100):
        full = drawn([0.0] * 15 + [0.1], 200, seed)
        raced += run_race(full)[0] == 15
        full_wins += int(full.mean(axis=1).argmax()) == 15
    assert full_wins > 75
    assert raced >= full_wins - 2


def test_where_candidates_differ_about_half_the_rollouts_are_saved() -> None:
    spread = list(np.linspace(-0.3, 0.1, 16))
    shares = [run_race(drawn(spread, 200, seed))[2] for seed in range(40)]
    assert 0.35 < np.mean(shares) < 0.6


def test_a_bold_race_finds_about_as_good_a_candidate_among_close_ones_with_half_the_rollouts() -> None:
    bold, full_run, shares = [], [], []
    for seed in range(200):
        gains = np.random.default_rng([7, seed]).normal(0, 0.04, 16)
        full = drawn(list(gains), 80, seed)
        winner, _, share = run_race(full, race_boldly, first=10)
        bold.append(gains[winner])
        full_run.append(gains[int(full.mean(axis=1).argmax())])
        shares.append(share)
    assert np.mean(shares) < 0.5
    assert np.mean(bold) > np.mean(full_run) - 0.004
    assert np.mean(full_run) > 0.015


def test_a_bold_race_rarely_loses_one_that_stands_out() -> None:
    bold = full_wins = 0
    for seed in range(200):
        full = drawn([0.0] * 5 + [0.1], 80, seed)
        bold += run_race(full, race_boldly, first=10)[0] == 5
        full_wins += int(full.mean(axis=1).argmax()) == 5
    assert bold > 0.9 * full_wins > 100


def test_a_bold_race_spares_whom_it_is_told_to_until_that_one_is_surely_behind() -> None:
    good = [1.0] * 12 + [0.0] * 8 + [None] * 60
    worse = [1.0] * 8 + [0.0] * 12 + [None] * 60
    hopeless = [0.0] * 20 + [None] * 60
    scores = [worse, good, worse, hopeless]
    assert race(scores).dropped == (3,)
    assert race_boldly(scores).dropped == (0, 2, 3)
    assert race_boldly(scores, spare=[0]).dropped == (2, 3)
    assert race_boldly(scores, spare=[3]).dropped == (0, 2, 3)


def test_the_bound_agrees_with_a_permutation_test_about_who_is_behind() -> None:
    agreed = 0
    for seed in range(60):
        full = drawn([0.0, 0.25], 60, seed)
        seen = [[*row[:40].tolist(), *[None] * 20_000] for row in full]  # so many that no correction is left
        dropped = race(seen, error=0.05 * (len(batch_ends(20_040)) - 1)).dropped == (0,)
        leads = (full[1] - full[0])[:40].tolist()
        agreed += dropped == (sum(leads) > 0 and stats.sign_flip_p_value(leads) < 0.1)
    assert agreed >= 53
