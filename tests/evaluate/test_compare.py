import asyncio

import pytest

import dspx
from dspx.errors import UsageError
from dspx.evaluate.compare import acompare, compare
from dspx.evaluate.evaluate import Evaluate


def devset(n=100):
    return [dspx.Example(x=i).with_inputs("x") for i in range(n)]


class Right(dspx.Module):
    """Right on the examples that `when` says."""

    def __init__(self, when):
        self.when = when

    def forward(self, x):
        return dspx.Prediction(right=self.when(x))


def right(example, prediction):
    return prediction.right


WEAK, STRONG = Right(lambda x: x % 2 == 0), Right(lambda x: x % 2 == 0 or x % 5 == 0)


def test_the_difference_is_paired_b_minus_a_in_points():
    found = compare(WEAK, STRONG, devset(), right, num_threads=1)
    assert (found.a.score, found.b.score, found.difference) == (50.0, 60.0, 10.0)
    assert (found.wins, found.losses, found.ties, found.n) == (10, 0, 90, 100)
    assert found.significant
    assert found.needs == 0
    assert found.ci95[0] > 0
    assert found.verdict == "b is 10.00 points better than a, more than chance explains (p = 0.00195)"
    assert asyncio.run(acompare(WEAK, STRONG, devset(), right)).difference == 10.0


def test_pairing_sees_what_two_separate_intervals_would_not():
    found = compare(WEAK, STRONG, devset(), right)
    assert found.a.ci95[1] > found.b.ci95[0]
    assert found.significant


def test_a_difference_within_the_noise_says_what_it_would_take():
    found = compare(STRONG, Right(lambda x: x % 2 == 0 or x % 15 == 0 or x in (7, 11)), devset(), right)
    assert found.difference == -5.0
    assert not found.significant
    assert found.needs > 100
    assert "may be chance" in found.verdict
    assert f"about {found.needs} more examples" in str(found)


def test_equal_programs_do_not_differ():
    found = compare(WEAK, WEAK, devset(10), right)
    assert (found.difference, found.p_value, found.needs) == (0.0, 1.0, None)
    assert found.verdict == "no difference on 10 examples"


def test_results_that_are_there_are_not_run_again():
    first = Evaluate(devset=devset(), metric=right)(WEAK)
    assert compare(first, STRONG, devset(), right).a is first
    second = Evaluate(devset=devset(), metric=right)(STRONG)
    assert compare(first, second).difference == 10.0
    with pytest.raises(UsageError, match="devset and a metric"):
        compare(first, STRONG)


def test_only_examples_that_both_ran_are_compared_and_they_must_be_the_same():
    whole = Evaluate(devset=devset(), metric=right)(STRONG)
    part = Evaluate(devset=devset(20), metric=right)(WEAK)
    assert compare(part, whole).n == 20
    other = Evaluate(devset=list(reversed(devset())), metric=right)(WEAK)
    with pytest.raises(UsageError, match="Example 0 is not the same"):
        compare(other, whole)


def test_repeats_are_averaged_by_example():
    found = compare(WEAK, STRONG, devset(30), right, repeats=3)
    assert found.n == 30
    assert found.wins == 3


def test_errors_on_a_side_are_mentioned():
    class Broken(dspx.Module):
        def forward(self, x):
            return dspx.Prediction(right=1 // x)

    found = compare(WEAK, Broken(), devset(10), right)
    assert "b: 1 examples failed" in str(found)
    assert "a:" not in str(found)
