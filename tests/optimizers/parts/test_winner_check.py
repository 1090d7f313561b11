from __future__ import annotations

import numpy as np
import pytest

from dspx.evaluate import stats
from dspx.optimizers.parts.racing import race_boldly
from dspx.optimizers.parts.winner_check import check_on_fresh, check_where_chosen
from tests.optimizers.parts.test_racing import drawn, run_all, run_race


@pytest.mark.parametrize("n", [50, 100])
def test_among_equal_candidates_a_win_is_claimed_in_five_percent_at_most(n: int) -> None:
    claimed, raw, expected = 0, [], []
    for seed in range(200):
        scores = drawn([0.0] * 16, n, seed)
        winner = int(scores.mean(axis=1).argmax())
        found = check_where_chosen(scores.tolist(), winner, seed=seed)
        claimed += not found.within_noise
        raw.append(found.gain)
        expected.append(found.expected)
    assert claimed <= 10
    assert np.mean(raw) > 0.06  # what the best of 16 equals seems to gain
    assert abs(np.mean(expected)) < 0.015  # what it does gain


def test_the_same_holds_after_a_race_that_left_rows_incomplete() -> None:
    claimed = 0
    for seed in range(100):
        full = drawn([0.0] * 16, 100, seed)
        winner, alive, _ = run_race(full, keep=[0], error=0.5)
        scores = [row.tolist() if c in alive else [*row[:32], *[None] * 68] for c, row in enumerate(full)]
        claimed += not check_where_chosen(scores, winner, seed=seed).within_noise
    assert claimed <= 5


@pytest.mark.parametrize("n", [50, 100])
def test_after_a_bold_race_among_equals_no_gain_is_claimed_or_expected(n: int) -> None:
    claimed, raw, expected = 0, [], []
    for seed in range(200):
        alive, scores = run_all(drawn([0.0] * 16, n, seed), race_boldly, first=10, spare=[0])
        found = check_where_chosen(scores, alive[0], seed=seed)
        claimed += not found.within_noise
        raw.append(found.gain)
        expected.append(found.expected)
    assert claimed <= 10
    assert np.mean(raw) > 0.06
    assert abs(np.mean(expected)) < 0.03


def test_after_a_bold_race_a_real_gain_is_expected_and_claimed() -> None:
    found, truth = [], []
    for seed in range(60):
        gains = [0.0, *np.linspace(0.1, 0.25, 15)]
        alive, scores = run_all(drawn(gains, 100, seed, base=0.5), race_boldly, first=10, spare=[0])
        found.append(check_where_chosen(scores, alive[0], seed=seed))
        truth.append(gains[alive[0]])
    assert np.mean([check.expected for check in found]) == pytest.approx(np.mean(truth), abs=0.04)
    assert np.mean([not check.within_noise for check in found]) > 0.4


def test_what_is_expected_lies_in_the_interval() -> None:
    for seed in range(40):
        alive, scores = run_all(drawn([0.0, 0.3, *[0.1] * 6], 30, seed), race_boldly, first=10, spare=[0])
        found = check_where_chosen(scores, alive[0], seed=seed)
        assert found.ci95[0] <= found.expected <= found.ci95[1]


def test_a_real_gain_of_ten_points_is_found_given_enough_examples() -> None:
    found = [check_chosen(drawn([0.0] * 15 + [0.1], 400, seed)) for seed in range(40)]
    assert np.mean([not check.within_noise for check in found]) > 0.6
    assert np.mean([check.expected for check in found]) == pytest.approx(0.093, abs=0.015)


def check_chosen(scores):
    return check_where_chosen(scores.tolist(), int(scores.mean(axis=1).argmax()))


def test_the_true_gain_of_the_winner_lies_in_the_interval() -> None:
    held = 0
    for seed in range(150):
        rng = np.random.default_rng([5, seed])
        truth = rng.normal(0.6, 0.1, 12)
        scores = truth[:, None] + rng.normal(0, 0.4, (12, 80))
        winner = int(scores[1:].mean(axis=1).argmax()) + 1
        low, high = check_where_chosen(scores.tolist(), winner).ci95
        held += low <= truth[winner] - truth[0] <= high
    assert held >= 0.94 * 150


def test_one_candidate_alone_needs_no_correction() -> None:
    scores = drawn([0.0, 0.2], 100, 3)
    chosen = check_where_chosen(scores.tolist(), 1)
    plain = check_on_fresh(scores[0].tolist(), scores[1].tolist())
    assert chosen.gain == pytest.approx(plain.gain)
    assert chosen.p_not_better == pytest.approx(plain.p_not_better, abs=0.01)
    assert chosen.ci95[0] == pytest.approx(plain.ci95[0], abs=0.02)


def test_more_candidates_make_the_same_gain_less_sure() -> None:
    scores = drawn([0.0, 0.15, *[0.0] * 30], 100, 8)
    few, many = check_where_chosen(scores[:3].tolist(), 1), check_where_chosen(scores.tolist(), 1)
    assert few.gain == many.gain
    assert few.p_not_better < many.p_not_better
    assert few.ci95[0] > many.ci95[0]


def test_fresh_examples_give_a_plain_paired_comparison() -> None:
    scores = drawn([0.0, 0.1], 80, 1)
    differences = (scores[1] - scores[0]).tolist()
    found = check_on_fresh(scores[0].tolist(), scores[1].tolist())
    assert found.ci95 == stats.paired(differences).ci95
    assert found.gain == found.expected == pytest.approx(np.mean(differences))
    assert not found.chosen_by_these


def test_a_loss_on_fresh_examples_is_probably_no_gain() -> None:
    found = check_on_fresh([1.0] * 20, [0.0] * 10 + [1.0] * 10)
    assert found.p_not_better > 0.99
    assert found.within_noise


def test_the_same_scores_give_the_same_answer() -> None:
    scores = drawn([0.0] * 8, 60, 4).tolist()
    assert check_where_chosen(scores, 3, seed=1) == check_where_chosen(scores, 3, seed=1)


@pytest.mark.parametrize(
    ("scores", "winner"),
    [
        ([[1.0, 0.0], [1.0, 0.0]], 0),
        ([[1.0, 0.0], [1.0, 0.0]], 1),
        ([[1.0], [0.0]], 1),
        ([[None, 1.0], [1.0, None]], 1),
        ([[0.5] * 30, [0.5] * 30, [0.4] * 30], 1),
        ([[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]], 1),
    ],
)
def test_too_little_to_tell_claims_nothing(scores, winner: int) -> None:
    found = check_where_chosen(scores, winner)
    assert found.within_noise
    assert np.isfinite(found.expected)
    assert 0 < found.p_not_better <= 1


def test_nothing_measured_is_nothing_gained() -> None:
    found = check_on_fresh([], [])
    assert (found.gain, found.ci95, found.n) == (0.0, None, 0)
