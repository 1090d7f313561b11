from __future__ import annotations

from typing import Any

import pytest

from dspx.testing.prompt.wanted import schema_of_type, wanted


@pytest.mark.parametrize(
    ("type_", "schema"),
    [
        ("str", {"type": "string"}),
        ("list[int]", {"type": "array", "items": {"type": "integer"}}),
        ("dict[str, list[float]]", {"type": "object", "additionalProperties": schema_of_type("list[float]")}),
        ("Literal['a, b', \"it's\", 3]", {"enum": ["a, b", "it's", 3]}),
        ("Union[int, NoneType]", {"anyOf": [{"type": "integer"}, {"type": "null"}]}),
        ("Optional[str]", {"anyOf": [{"type": "string"}, {"type": "null"}]}),
        ("int | str", {"anyOf": [{"type": "integer"}, {"type": "string"}]}),
        ("tuple[int, Ellipsis]", {"type": "array", "items": {"type": "integer"}}),
        ("set[bool]", {"type": "array", "items": {"type": "boolean"}, "uniqueItems": True}),
    ],
)
def test_a_type_as_python_writes_it_has_a_schema(type_: str, schema: dict[str, Any]) -> None:
    assert schema_of_type(type_) == schema


def test_a_tuple_has_a_schema_for_each_place() -> None:
    schema = schema_of_type("tuple[int, str]")
    assert schema["prefixItems"] == [{"type": "integer"}, {"type": "string"}]
    assert schema["minItems"] == schema["maxItems"] == 2


def test_a_class_that_is_only_named_is_not_known() -> None:
    assert not wanted("x", "list[Person]", "").is_known
    assert not wanted("x", "Person", "").is_known
    assert wanted("x", "list[str]", "").is_known


def test_a_literal_keeps_the_types_of_its_options() -> None:
    field = wanted(
        "x",
        "Literal[1, 'two', True, None]",
        "must exactly match (no extra characters) one of: 1; two; True; None",
    )
    assert field.options == [1, "two", True, None]


def test_an_enum_has_its_options_from_the_note() -> None:
    assert wanted("x", "Colour", "must be one of: red; deep blue").options == ["red", "deep blue"]


def test_the_schema_in_a_note_is_read() -> None:
    assert (
        wanted("x", "M", 'must adhere to the JSON schema: {"type": "array", "items": {}}').schema["type"]
        == "array"
    )


def test_a_broken_schema_leaves_the_type_to_tell() -> None:
    assert wanted("x", "int", "must adhere to the JSON schema: {").schema == {"type": "integer"}


def test_constraints_become_bounds() -> None:
    field = wanted("x", "int", "must be a single int value", "greater than: 0, less than or equal to: 10")
    assert field.schema == {"type": "integer", "exclusiveMinimum": 0, "maximum": 10}
    assert field.is_number


def test_lengths_are_of_lists_or_of_texts() -> None:
    assert wanted("x", "list[str]", "", "minimum length: 2").schema["minItems"] == 2
    assert wanted("x", "str", "", "maximum length: 9").schema["maxLength"] == 9


def test_constraints_in_other_words_are_left_out() -> None:
    assert wanted("x", "int", "", "strict: True, greater than: many").schema == {"type": "integer"}
