from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from dspx.errors import UsageError
from dspx.tools.schema import inlined, parameters_of, problem_with, schema_of


class Place(BaseModel):
    city: str
    country: str = "Portugal"


class Trip(BaseModel):
    stops: list[Place]


class Tree(BaseModel):
    children: list["Tree"] = []


@dataclass
class Point:
    x: int
    y: float = 0.5


def test_hints_become_schemas_and_defaults_are_told():
    def search(query: str, limit: int = 3, kind: Literal["a", "b"] = "a", other: str | None = None): ...

    read = parameters_of(search)
    assert read.args == {
        "query": {"type": "string"},
        "limit": {"type": "integer", "default": 3},
        "kind": {"enum": ["a", "b"], "type": "string", "default": "a"},
        "other": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
    }
    assert read.types["limit"] is int
    assert not read.takes_any


def test_models_are_written_out_where_they_stand():
    schema = schema_of(Trip)
    assert "$ref" not in str(schema)
    assert "$defs" not in schema
    assert schema["properties"]["stops"]["items"]["properties"]["city"]["type"] == "string"


def test_a_type_within_itself_ends_in_any_object():
    schema = schema_of(Tree)
    assert schema["properties"]["children"]["items"] == {"type": "object"}


def test_what_stands_beside_a_reference_is_kept():
    schema = {
        "properties": {"p": {"$ref": "#/$defs/P", "description": "d"}},
        "$defs": {"P": {"type": "object"}},
    }
    assert inlined(schema) == {"properties": {"p": {"type": "object", "description": "d"}}}


def test_dataclasses_and_annotated_types_have_schemas():
    assert schema_of(Point)["required"] == ["x"]
    assert schema_of(Annotated[int, Field(description="how many", ge=1)]) == {
        "description": "how many",
        "minimum": 1,
        "type": "integer",
    }


def test_a_type_without_a_schema_may_be_anything():
    class Opaque: ...

    assert schema_of(Opaque) == {}
    assert schema_of(Any) == {}


def test_stars_are_no_arguments():
    def search(query: str, *args: int, **options: Any): ...

    read = parameters_of(search)
    assert list(read.args) == ["query"]
    assert read.takes_any


def test_partials_methods_and_callable_objects_are_read():
    class Archive:
        def __call__(self, query: str): ...

        def find(self, number: int): ...

    def search(query: str, limit: int): ...

    assert list(parameters_of(Archive()).args) == ["query"]
    assert list(parameters_of(Archive().find).args) == ["number"]
    assert parameters_of(partial(search, limit=2)).args["limit"] == {"type": "integer", "default": 2}


def test_a_type_that_nobody_knows_is_named():
    def search(query: "Missing"): ...  # noqa: F821

    with pytest.raises(UsageError, match="Missing"):
        parameters_of(search)


@pytest.mark.parametrize(
    ("value", "schema", "says"),
    [
        (3, {"type": "string"}, "not of type 'string'"),
        (True, {"type": "integer"}, "not of type 'integer'"),
        ("x", {"type": ["integer", "null"]}, "'integer' or 'null'"),
        ("c", {"enum": ["a", "b"]}, "not one of"),
        (1, {"const": 2}, "is not 2"),
        (0, {"minimum": 1}, "less than 1"),
        (5, {"exclusiveMaximum": 5}, "not less than 5"),
        ("", {"minLength": 1}, "too short"),
        ([1, 2], {"maxItems": 1}, "too long"),
        ("abc", {"pattern": r"^\d+$"}, "does not match"),
        ([1, "x"], {"items": {"type": "integer"}}, "[1]: 'x'"),
        ({}, {"required": ["a"]}, "'a' is missing"),
        ({"a": 1}, {"properties": {"a": {"type": "string"}}}, "a: 1"),
        ({"b": 1}, {"properties": {}, "additionalProperties": False}, "nothing is allowed"),
        ("x", {"anyOf": [{"type": "integer"}, {"type": "null"}]}, "; or "),
        ("x", {"allOf": [{"minLength": 2}]}, "too short"),
    ],
)
def test_what_does_not_fit_a_schema_is_said(value, schema, says):
    assert says in problem_with(value, schema)


@pytest.mark.parametrize(
    ("value", "schema"),
    [
        (1.0, {"type": "integer"}),
        ("x", {"type": "unheard of"}),
        ("x", True),
        ("x", {"pattern": "("}),
        (None, {"anyOf": [{"type": "integer"}, {"type": "null"}]}),
        ({"a": 1, "b": 2}, {"properties": {"a": {"type": "integer"}}}),
    ],
)
def test_what_fits_has_no_problem(value, schema):
    assert problem_with(value, schema) is None
