"""Types in a short form."""

from __future__ import annotations

import datetime
import decimal
import enum
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import pydantic
import pytest
from typing_extensions import NotRequired, TypedDict

from dspx.adapters.short_types import short_type
from dspx.content.code import Code
from dspx.content.reasoning import Reasoning


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Address(pydantic.BaseModel):
    street: str = pydantic.Field(description="Street\nand number")
    zip_code: str | None = pydantic.Field(default=None, alias="zipCode")


class Person(pydantic.BaseModel):
    """Somebody
    named."""

    name: str
    homes: list[Address]
    main: Address


class Tree(pydantic.BaseModel):
    label: str
    children: list[Tree]


class Movie(TypedDict):
    title: str
    year: NotRequired[int]


@dataclass
class Point:
    x: int
    y: float = 0.5


@pytest.mark.parametrize(
    ("annotation", "text"),
    [
        (str, "string"),
        (bool, "boolean"),
        (None, "null"),
        (Any, "any"),
        (list, "any[]"),
        (list[int], "int[]"),
        (set[str], "string[]"),
        (list[list[float]], "float[][]"),
        (tuple[int, str], "[int, string]"),
        (tuple[int, ...], "int[]"),
        (dict[str, int], "dict[string, int]"),
        (int | None, "int or null"),
        (list[int | None], "(int or null)[]"),
        (Literal["a", 1, True, None], '"a" or 1 or true or null'),
        (list[Literal["a", "b"]], '("a" or "b")[]'),
        (Color, '"red" or "blue"'),
        (Annotated[int, pydantic.Field(gt=0)], "int"),
        (datetime.date, "string (date)"),
        (datetime.datetime | None, "string (date-time) or null"),
        (decimal.Decimal, "float or string"),
        (Code, "string"),
        (list[Reasoning], "string[]"),
        (Movie, "{\n  title: string,\n  year: int,\n}"),
        (Point, "{\n  x: int,\n  y: float,\n}"),
        (Address, "{\n  # Street\n  # and number\n  street: string,\n  zipCode: string or null,\n}"),
    ],
)
def test_a_type_has_a_short_form(annotation: Any, text: str):
    assert short_type(annotation) == text


def test_nested_models_are_indented_with_their_comments():
    assert short_type(Person).splitlines() == [
        "{  # Somebody named.",
        "  name: string,",
        "  homes: [",
        "    {",
        "      # Street",
        "      # and number",
        "      street: string,",
        "      zipCode: string or null,",
        "    }",
        "  ],",
        "  main: {",
        "    # Street",
        "    # and number",
        "    street: string,",
        "    zipCode: string or null,",
        "  },",
        "}",
    ]


def test_a_recursive_model_is_named():
    assert short_type(Tree) == "Tree {\n  label: string,\n  children: Tree[],\n}"
