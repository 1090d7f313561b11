import datetime
import decimal
import enum
import uuid
from dataclasses import dataclass

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dspx.core.canonical import canonical_json, stable_hash, to_plain

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(st.dictionaries(st.text(), json_values))
def test_the_order_of_keys_does_not_matter(value):
    assert stable_hash(value) == stable_hash(dict(reversed(list(value.items()))))


class Colour(enum.Enum):
    RED = "red"


class Model(pydantic.BaseModel):
    when: datetime.date


@dataclass
class Point:
    x: int


def test_rich_values_have_a_stable_form():
    values = {
        "model": Model(when=datetime.date(2024, 1, 2)),
        "class": Model,
        "enum": Colour.RED,
        "dataclass": Point(1),
        "set": {3, 1, 2},
        "bytes": b"ab",
        "decimal": decimal.Decimal("1.5"),
        "uuid": uuid.UUID(int=1),
        "complex": 1 + 2j,
    }
    assert canonical_json(values) == canonical_json(dict(values))
    assert to_plain(values)["set"] == [1, 2, 3]
    assert to_plain(values)["model"] == {"when": "2024-01-02"}


@pytest.mark.parametrize("value", [lambda: 1, print, object()])
def test_what_has_no_stable_form_is_refused(value):
    with pytest.raises(TypeError, match="no stable JSON form"):
        canonical_json({"x": value})
