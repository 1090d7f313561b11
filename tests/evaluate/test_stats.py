import math
import random

import pytest

from dspx.evaluate import stats


def test_wilson_gives_the_textbook_interval():
    low, high = stats.wilson(8, 10)
    assert (round(low, 4), round(high, 4)) == (0.4902, 0.9433)
    assert stats.wilson(0, 20)[0] == 0.0
    assert stats.wilson(20, 20)[1] == 1.0


def test_scores_of_zero_and_one_take_wilson_and_others_the_bootstrap():
    assert stats.mean_interval([[1.0]] * 8 + [[0.0]] * 2) == stats.wilson(8, 10)
    scores = [0.1, 0.5, 0.9, 0.4, 0.7]
    assert stats.mean_interval([[score] for score in scores]) == stats.bootstrap(scores)


def test_too_few_scores_tell_nothing():
    assert stats.mean_interval([]) is None
    assert stats.mean_interval([[0.3]]) is None
    assert stats.mean_interval([[1.0]]) is not None


def test_repeating_the_same_examples_makes_nothing_surer():
    once = stats.mean_interval([[1.0]] * 30 + [[0.0]] * 20)
    ten_times = stats.mean_interval([[1.0] * 10] * 30 + [[0.0] * 10] * 20)
    assert ten_times == once


def test_groups_of_unequal_size_weigh_by_their_size():
    low, high = stats.mean_interval([[1.0, 0.0], [1.0], [0.5, 0.5], [0.0]] * 10)
    assert low < 3 / 6 < high


@pytest.mark.parametrize("n", [2, 5, 50, 5_000, 30_000])
def test_the_same_scores_always_give_the_same_interval_around_their_mean(n):
    rng = random.Random(n)
    scores = [rng.random() for _ in range(n)]
    low, high = stats.bootstrap(scores)
    assert (low, high) == stats.bootstrap(scores)
    assert low < sum(scores) / n < high


def test_a_bootstrap_interval_holds_the_true_mean_about_as_often_as_it_says():
    rng = random.Random(3)
    for n in (8, 40):
        held = 0
        for seed in range(200):
            low, high = stats.bootstrap([rng.random() ** 2 for _ in range(n)], seed=seed)
            held += low <= 1 / 3 <= high
        assert 0.88 <= held / 200 <= 1.0


def test_students_t_is_that_of_the_tables():
    for freedom, value in [(1, 12.706), (2, 4.303), (3, 3.182), (10, 2.228), (100, 1.984)]:
        assert stats.student_t(0.975, freedom) == pytest.approx(value, abs=0.005)


def test_percentiles_interpolate():
    assert stats.percentile([1.0, 2.0, 3.0, 4.0], 0.5) == 2.5
    assert stats.percentile([7.0], 0.99) == 7.0


# ---------------------------------------------------------------- paired


def test_differences_of_one_size_take_the_exact_sign_test():
    assert stats.sign_flip_p_value([1.0] * 9 + [-1.0]) == pytest.approx(2 * 11 / 1024)
    assert stats.sign_flip_p_value([0.0] * 50) == 1.0


def test_few_differences_are_flipped_in_every_way():
    # of the 8 sign patterns of 1, 2, 3 two reach a sum of 6
    assert stats.sign_flip_p_value([1.0, 2.0, 3.0]) == pytest.approx(2 / 8)


def test_drawn_and_normal_p_values_agree_with_each_other():
    rng = random.Random(1)
    some = [rng.gauss(0.1, 1) for _ in range(400)]
    z = abs(sum(some)) / math.sqrt(sum(d * d for d in some))
    assert stats.sign_flip_p_value(some) == pytest.approx(math.erfc(z / math.sqrt(2)), abs=0.02)
    many = some * 3
    assert 0 < stats.sign_flip_p_value(many) < stats.sign_flip_p_value(some)


def test_equal_programs_look_different_one_time_in_twenty():
    rng = random.Random(5)
    false_alarms = sum(
        stats.paired([rng.choice((-1.0, 0.0, 0.0, 1.0)) for _ in range(60)]).significant for _ in range(300)
    )
    assert false_alarms / 300 <= 0.07


def test_a_clear_difference_is_told_and_needs_no_more_examples():
    found = stats.paired([1.0] * 20 + [0.0] * 30)
    assert found.difference == 0.4
    assert found.ci95[0] > 0
    assert found.significant
    assert found.needs == 0


def test_an_unclear_difference_says_how_many_more_examples_it_takes():
    found = stats.paired([1.0] * 6 + [-1.0] * 4 + [0.0] * 40)
    assert not found.significant
    assert found.ci95[0] < 0 < found.ci95[1]
    assert found.effect_size == pytest.approx(0.0887, abs=0.001)
    assert found.needs == pytest.approx((2.8016 / found.effect_size) ** 2 - 50, abs=2)


def test_no_difference_at_all_has_no_number_of_examples_but_still_an_interval():
    found = stats.paired([0.0] * 10)
    assert (found.difference, found.p_value, found.needs) == (0.0, 1.0, None)
    assert found.ci95[0] < 0 < found.ci95[1]


def test_differences_that_are_all_equal_are_infinitely_consistent():
    found = stats.paired([0.5, 0.5, 0.5])
    assert math.isinf(found.effect_size)
    assert found.needs == 3
