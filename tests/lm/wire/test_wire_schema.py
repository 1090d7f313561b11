"""Schemas: a pydantic class becomes what strict modes accept."""

from __future__ import annotations

from typing import Any, Literal, Optional

import pydantic
import pytest

from dspx.errors import UsageError
from dspx.lm.wire.schema import asked_schema, closed, is_closable, openai_format, without


class City(pydantic.BaseModel):
    name: str = pydantic.Field(min_length=1, description="Its name")
    size: int = pydantic.Field(default=3, ge=1)


class Answer(pydantic.BaseModel):
    kind: Literal["a", "b"]
    city: City = pydantic.Field(description="Where")
    others: list[City] = []
    note: Optional[str] = None  # noqa: UP045


def test_a_pydantic_class_becomes_a_strict_closed_schema():
    form = openai_format(Answer)
    assert form["type"] == "json_schema"
    shape = form["json_schema"]
    assert (shape["name"], shape["strict"]) == ("Answer", True)
    schema = shape["schema"]
    assert schema["required"] == ["kind", "city", "others", "note"]
    assert schema["additionalProperties"] is False
    assert schema["properties"]["city"] == {"$ref": "#/$defs/City"}
    city = schema["$defs"]["City"]
    assert city["required"] == ["name", "size"]
    assert city["additionalProperties"] is False
    assert "default" not in city["properties"]["size"]
    assert "minLength" not in city["properties"]["name"]
    assert city["properties"]["name"]["description"] == "Its name"


def test_the_schema_of_a_class_is_made_once():
    assert openai_format(Answer) is openai_format(Answer)


def test_a_class_with_open_mappings_is_not_strict():
    class Open(pydantic.BaseModel):
        scores: dict[str, int]

    shape = openai_format(Open)["json_schema"]
    assert shape["strict"] is False
    assert shape["schema"] == Open.model_json_schema()


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "additionalProperties": {"type": "string"}},
        {"type": "object", "properties": {"x": {}}},
        {"type": "object"},
        {"type": "array"},
        {"type": "array", "prefixItems": [{"type": "string"}]},
    ],
)
def test_what_strict_modes_cannot_say(schema: dict[str, Any]):
    assert not is_closable(schema)


def test_unions_are_written_the_one_way_that_is_taken():
    class Cat(pydantic.BaseModel):
        kind: Literal["cat"]

    class Dog(pydantic.BaseModel):
        kind: Literal["dog"]

    class Pet(pydantic.BaseModel):
        pet: Cat | Dog = pydantic.Field(discriminator="kind")

    pet = openai_format(Pet)["json_schema"]["schema"]["properties"]["pet"]
    assert [list(option) for option in pet["anyOf"]] == [["$ref"], ["$ref"]]
    assert "discriminator" not in pet
    assert "oneOf" not in pet


def test_a_property_may_be_called_like_a_keyword():
    schema = {"type": "object", "properties": {"default": {"type": "string"}, "minimum": {"type": "integer"}}}
    assert list(closed(schema)["properties"]) == ["default", "minimum"]
    assert list(without(schema, frozenset({"minimum"}))["properties"]) == ["default", "minimum"]


def test_a_dict_is_taken_as_it_is():
    form = {"type": "json_object"}
    assert openai_format(form) is form
    assert asked_schema(form) is None


@pytest.mark.parametrize("value", ["json", str, 3])
def test_anything_else_is_refused(value: Any):
    with pytest.raises(UsageError, match="pydantic"):
        openai_format(value)
