# ruff: noqa: UP007, UP045  (both spellings of a union are types that people write)
import datetime
import decimal
import enum
from typing import Any, Literal, Optional, Union

import pytest
from pydantic import BaseModel
from pydantic import Field as ModelField

from dspx.adapters.render import (
    content_types,
    field_descriptions,
    json_text,
    passages_text,
    schema_text,
    type_name,
    value_note,
    value_text,
)
from dspx.content.code import Code
from dspx.content.image import Image
from dspx.content.reasoning import Reasoning
from dspx.core.fields import InputField, OutputField
from dspx.core.signature import Signature


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Person(BaseModel):
    name: str = ModelField(alias="fullName")
    age: int = 3


def field(annotation, **kwargs):
    return Signature({"x": (str, InputField()), "y": (annotation, OutputField(**kwargs))}).fields["y"]


@pytest.mark.parametrize(
    ("annotation", "name"),
    [
        (str, "str"),
        (list[dict[str, int]], "list[dict[str, int]]"),
        (Optional[int], "Union[int, NoneType]"),
        (int | None, "Union[int, NoneType]"),
        (Union[int, str], "Union[int, str]"),
        (Literal["a", 1, None], "Literal['a', 1, None]"),
        (Literal["it's", 'say "x"'], """Literal["it's", 'say "x"']"""),
        (Literal['it\'s "x"'], "Literal['it\\'s \"x\"']"),
        (Color, "Color"),
        (Any, "Any"),
        (Reasoning, "str"),
        (tuple[int, ...], "tuple[int, Ellipsis]"),
    ],
)
def test_a_type_is_called_what_a_prompt_calls_it(annotation, name):
    assert type_name(annotation) == name


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("as it is", "as it is"),
        (True, "True"),
        (None, "None"),
        (0.1, "0.1"),
        (["a", "ü"], '["a", "ü"]'),
        ((1, None), "[1, null]"),
        ({"a": {"b": [True]}}, '{"a": {"b": [true]}}'),
        (Color.RED, "red"),
        ([Color.RED], '["red"]'),
        (datetime.date(2024, 2, 29), "2024-02-29"),
        ({datetime.date(2024, 2, 29): 1}, '{"2024-02-29": 1}'),
        (decimal.Decimal("1.50"), "1.50"),
        (Person(fullName="A"), '{"name": "A", "age": 3}'),
        (b"text", "text"),
        (b"\xff", "b'\\xff'"),
    ],
)
def test_a_value_is_written_plainly(value, text):
    assert value_text(value) == text


def test_what_has_no_json_form_is_written_as_it_prints():
    class Odd:
        def __str__(self):
            return "odd"

    circle: list[Any] = []
    circle.append(circle)
    assert value_text(Odd()) == "odd"
    assert json_text({"a": Odd()}) == '{"a": "odd"}'
    assert value_text(circle) == str(circle)


def test_a_serializer_that_fails_does_not_stop_the_prompt():
    class Broken(BaseModel):
        def __str__(self):
            return "broken"

        @property
        def __pydantic_serializer__(self):
            raise RuntimeError

    assert value_text({"a": Broken()}) in ('{"a": "broken"}', '{"a": {}}')


def test_a_list_given_to_a_text_field_is_numbered():
    assert passages_text([]) == "N/A"
    assert passages_text(["one"]) == "«one»"
    assert passages_text(["a\nb", "c"]) == "[1] «««\n    a\n    b\n»»»\n[2] «c»"
    assert passages_text([1, None]) == "[1] «1»\n[2] «None»"


@pytest.mark.parametrize(
    ("annotation", "note"),
    [
        (str, ""),
        (Reasoning, ""),
        (Code, ""),
        (bool, "must be True or False"),
        (int, "must be a single int value"),
        (Color, "must be one of: red; blue"),
        (Literal["a", "b"], "must exactly match (no extra characters) one of: a; b"),
        (list[int], 'must adhere to the JSON schema: {"type": "array", "items": {"type": "integer"}}'),
    ],
)
def test_an_output_says_what_it_must_look_like(annotation, note):
    said = f"{' ' * 8}# note: the value you produce {note}" if note else ""
    assert value_note("y", field(annotation)) == "{y}" + said


def test_an_input_has_no_note():
    assert value_note("x", Signature("x: int -> y").fields["x"]) == "{x}"


def test_a_schema_leads_with_the_type():
    assert schema_text(Person).startswith('{"type": "object", "properties": {"age": {"type": "integer", ')


def test_fields_are_listed_with_types_descriptions_and_constraints():
    signature = Signature(
        {"q": (str, InputField()), "n": (int, OutputField(desc="how many", ge=0)), "c": (Code, OutputField())}
    )
    assert field_descriptions(signature.input_fields) == "1. `q` (str):"
    assert field_descriptions(signature.output_fields) == (
        "1. `n` (int): how many\nConstraints: greater than or equal to: 0\n"
        f"2. `c` (Code): \n    Type description of Code: {Code.description()}"
    )


def test_content_types_are_found_at_any_depth():
    assert content_types(dict[str, list[Image]]) == [Image]
    assert content_types(list[int]) == []
