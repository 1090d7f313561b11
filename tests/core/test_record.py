"""Records: values with slots, compared and hashed by their fields."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dspx.core.record import record


@record
class Point:
    x: int
    y: int = 0


def test_a_record_is_equal_to_another_with_the_same_fields():
    assert Point(1) == Point(1, 0) != Point(1, 2)
    assert {Point(1), Point(1, 0)} == {Point(1)}


def test_an_edited_copy_leaves_the_record_as_it_is():
    point = Point(1)
    assert (replace(point, y=5), point) == (Point(1, 5), Point(1, 0))


def test_a_record_has_no_room_for_anything_else():
    with pytest.raises(AttributeError):
        Point(1).z = 3  # type: ignore[attr-defined]
