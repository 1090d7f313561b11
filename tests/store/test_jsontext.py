from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dspx.core.example import Example
from dspx.errors import UsageError
from dspx.store.jsontext import decode, encode, plain

ANY_TEXT = st.text(st.characters(exclude_categories=()))  # lone surrogates included
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY_TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(JSON)
def test_json_comes_back_exactly(value: Any) -> None:
    assert decode(encode(value)) == value


@given(st.dictionaries(ANY_TEXT, JSON, max_size=6))
def test_equal_content_is_equal_text(value: dict[str, Any]) -> None:
    assert encode(dict(reversed(value.items()))) == encode(value)


@given(JSON)
def test_the_text_fits_a_column_of_any_database(value: Any) -> None:
    text = encode(value)
    assert "\x00" not in text
    text.encode()


def test_an_integer_stays_one_however_large() -> None:
    assert decode(encode({"n": 2**100})) == {"n": 2**100}
    assert isinstance(plain([2**64, 1.5])[0], int)


def test_what_programs_hold_becomes_plain_data() -> None:
    assert plain({"e": Example(a=1), "s": {2, 1}, "t": (1,)}) == {"e": {"a": 1}, "s": [1, 2], "t": [1]}


def test_what_is_no_measurement_becomes_null() -> None:
    assert plain([float("nan"), float("inf")]) == [None, None]


def test_what_has_no_json_form_is_named() -> None:
    with pytest.raises(UsageError, match=r"Run\.best cannot be stored.*print"):
        encode({"f": print}, "Run.best")
    with pytest.raises(UsageError, match="JSON"):
        encode([2**100, object()])
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(UsageError, match="JSON"):
        encode(endless)
