from __future__ import annotations

import datetime
import decimal
import enum
import re
import uuid
from typing import Annotated, Any, Literal

import pydantic
import pytest

from dspx.testing.jsonvalues import satisfies, value_for


class Colour(enum.Enum):
    RED = "red"


class Tree(pydantic.BaseModel):
    label: str
    children: list[Tree] = []
    parent: Tree | None = None


class Strict(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid")

    code: Annotated[str, pydantic.StringConstraints(pattern=r"^[A-Z]{2}\d{3}$")]
    short: Annotated[str, pydantic.StringConstraints(max_length=4)]
    long: Annotated[str, pydantic.StringConstraints(min_length=40)]
    share: Annotated[float, pydantic.Field(gt=0, lt=1)]
    step: Annotated[int, pydantic.Field(ge=11, multiple_of=5)]
    below: Annotated[int, pydantic.Field(lt=-3)]
    some: Annotated[list[int], pydantic.Field(min_length=3)]
    home: pydantic.HttpUrl | None


TYPES: list[Any] = [
    str,
    int,
    float,
    bool,
    None,
    list[int],
    set[Literal["a", "b"]],
    Annotated[set[int], pydantic.Field(min_length=3)],
    Annotated[set[str], pydantic.Field(min_length=2)],
    dict[str, float],
    tuple[int, str],
    tuple[int, ...],
    Literal[3, "x"],
    Colour,
    list[Colour],
    int | None,
    decimal.Decimal,
    datetime.datetime,
    datetime.date,
    datetime.time,
    datetime.timedelta,
    uuid.UUID,
    Tree,
    Strict,
    list[Strict],
    dict[str, Tree],
]


@pytest.mark.parametrize("type_", TYPES, ids=str)
def test_pydantic_takes_the_value_for_its_own_schema(type_: Any) -> None:
    adapter: Any = pydantic.TypeAdapter(type_)
    value = value_for(adapter.json_schema())
    adapter.validate_python(value, strict=False)
    assert satisfies(value, adapter.json_schema())


def test_the_value_is_always_the_same() -> None:
    schema = pydantic.TypeAdapter(Strict).json_schema()
    assert value_for(schema) == value_for(schema)


def test_texts_name_their_field() -> None:
    assert value_for({"type": "object", "properties": {"city": {"type": "string"}}}) == {
        "city": "sample city"
    }


def test_all_of_is_one_schema() -> None:
    schema = {
        "allOf": [
            {"type": "object", "properties": {"a": {"type": "integer"}}},
            {"properties": {"b": {"const": 1}}},
        ]
    }
    assert value_for(schema) == {"a": 0, "b": 1}


def test_a_schema_that_says_nothing_gives_something() -> None:
    assert isinstance(value_for({}), str)
    assert isinstance(value_for(True), str)


def test_recursive_schemas_end() -> None:
    schema = {
        "$defs": {"node": {"type": "object", "properties": {"next": {"$ref": "#/$defs/node"}}}},
        "$ref": "#/$defs/node",
    }
    assert "next" in value_for(schema)


@pytest.mark.parametrize(
    ("value", "type_"),
    [
        ("1", int),
        (True, int),
        (1.5, int),
        ([1, "x"], list[int]),
        ({"label": 3}, Tree),
        ({}, Tree),
        ("blue", Colour),
    ],
)
def test_what_is_of_another_type_does_not_satisfy(value: Any, type_: Any) -> None:
    assert not satisfies(value, pydantic.TypeAdapter(type_).json_schema())


def test_a_text_with_a_pattern_matches_it() -> None:
    assert re.search("^x{4}$", value_for({"type": "string", "pattern": "^x{4}$"}))


def test_a_pattern_beyond_it_falls_back_to_a_plain_text() -> None:
    assert value_for({"type": "string", "pattern": r"(?=x)y"}, "z") == "sample z"
