from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dspx.errors import UsageError
from dspx.optimizers.parts.dimensions import (
    Categorical,
    Numeric,
    all_points,
    cardinality,
    categories,
    check_point,
    encode,
)


@given(st.floats(0, 1))
def test_a_value_comes_back_from_its_place_in_the_range(share: float) -> None:
    for number in (Numeric("t", -2, 3), Numeric("lr", 1e-5, 1e-1, log=True)):
        value = number.from_unit(share)
        assert number.low <= value <= number.high
        assert number.to_unit(value) == pytest.approx(share, abs=1e-9)


@given(st.floats(0, 1))
def test_a_stepped_number_only_takes_values_on_its_steps(share: float) -> None:
    number = Numeric("t", 0.0, 1.0, step=0.25)
    assert number.from_unit(share) in {0.0, 0.25, 0.5, 0.75, 1.0}
    assert number.draw(min(share, 0.999)) in {0.0, 0.25, 0.5, 0.75, 1.0}


def test_values_stop_at_the_last_step_below_high() -> None:
    assert list(Numeric("t", 0, 1, step=0.3).values()) == pytest.approx([0, 0.3, 0.6, 0.9])
    assert list(Numeric("k", 2, 9, step=3, integer=True).values()) == [2, 5, 8]


def test_integers_are_ints_on_a_log_scale_too() -> None:
    number = Numeric("tokens", 1, 1000, log=True, integer=True)
    assert number.from_unit(0.5) == 32
    assert isinstance(number.from_unit(0.5), int)


def test_each_integer_is_drawn_equally_often() -> None:
    number = Numeric("k", 0, 4, integer=True)
    drawn = [number.draw((i + 0.5) / 1000) for i in range(1000)]
    assert {value: drawn.count(value) for value in range(5)} == dict.fromkeys(range(5), 200)


def test_a_range_of_one_value_has_size_one() -> None:
    fixed = Numeric("t", 0.7, 0.7)
    assert (fixed.size, fixed.to_unit(0.7), fixed.from_unit(0.4), list(fixed.values())) == (
        1,
        0.0,
        0.7,
        [0.7],
    )


def test_points_are_counted_and_listed() -> None:
    space = (Categorical("a", 3), Numeric("k", 1, 2, integer=True))
    assert cardinality(space) == 6
    assert all_points(space) == [(0, 1), (0, 2), (1, 1), (1, 2), (2, 1), (2, 2)]
    assert cardinality((*space, Numeric("t", 0, 1))) == float("inf")


def test_encoding_scales_numbers_and_keeps_categories() -> None:
    space = (Categorical("a", 3), Numeric("t", 0, 4))
    assert encode(space, [(2, 1.0), (0, 4.0)]).tolist() == [[2, 0.25], [0, 1]]
    assert encode(space, []).shape == (0, 2)
    assert categories(space) == (True, False)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Numeric("t", 2, 1), "low <= high"),
        (lambda: Numeric("t", 0, float("inf")), "finite"),
        (lambda: Numeric("t", 0, 1, log=True), "above 0"),
        (lambda: Numeric("t", 0, 1, step=0), "step above 0"),
        (lambda: Categorical("a", 0), "at least one option"),
        (lambda: check_point((Categorical("a", 3),), (3,)), "from 0 to 2"),
        (lambda: check_point((Numeric("t", 0, 1),), (float("nan"),)), "from 0 to 1"),
        (lambda: check_point((Numeric("t", 0, 1),), (0.5, 1)), "one value for each"),
    ],
)
def test_what_cannot_be_is_refused_and_named(make, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        make()
