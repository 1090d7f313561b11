"""Structured values as nested tags, there and back."""

from __future__ import annotations

import datetime
import enum
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typing_extensions import TypedDict

from dspx.adapters.nested_xml import element, is_nested, parsed, read, skeleton
from dspx.content.code import Code


class Color(enum.Enum):
    RED = "red"


class Movie(TypedDict):
    title: str
    year: int


@dataclass
class Point:
    x: int


class Address(pydantic.BaseModel):
    street: str
    zip_code: str | None = None


class Person(pydantic.BaseModel):
    name: str
    age: int | None = None
    homes: list[Address] = []
    tags: set[str] = set()
    scores: dict[str, float] = {}
    pair: tuple[int, str] = (0, "")
    color: Color | None = None
    point: Point | None = None
    born: datetime.date | None = None
    extra: Any = None
    code: Code | None = None


class Tree(pydantic.BaseModel):
    children: list[Tree] = []


@pytest.mark.parametrize(
    "annotation",
    [Person, Movie, list[int], dict[str, int], list[Point], Person | None, Annotated[list[int], 1]],
)
def test_models_typed_dicts_and_collections_are_nested(annotation: Any):
    assert is_nested(annotation)


@pytest.mark.parametrize(
    "annotation",
    [str, int, Color, Point, list, dict, tuple[int, str], set[int], Any, Code, list[Code], int | list[int]],
)
def test_other_types_are_not(annotation: Any):
    assert not is_nested(annotation)


def test_a_skeleton_names_every_tag():
    assert skeleton("x", list[list[int]]) == "<x><item><item>...</item></item></x>"
    assert skeleton("x", dict[str, Address]) == "<x>...</x>"
    assert skeleton("x", Tree) == "<x><children><item>...</item></children></x>"
    assert skeleton("x", Person | None) == (
        "<x><name>...</name><age>...</age><homes><item><street>...</street><zip_code>...</zip_code></item></homes>"
        "<tags><item>...</item></tags><scores>...</scores><pair><item>...</item></pair><color>...</color>"
        "<point><x>...</x></point><born>...</born><extra>...</extra><code>...</code></x>"
    )


def test_values_become_tags():
    assert element("x", {"a": 1, "b c": None, "d": [], "e": {}, "f": "", "g": [True, [2]], 'h"': "<&>"}) == (
        '<x><a>1</a><entry key="b c" /><d /><e></e><f></f><g><item>True</item><item><item>2</item></item></g>'
        '<entry key="h&quot;">&lt;&amp;></entry></x>'
    )


def coerce(text: str, annotation: Any) -> Any:
    """As adapters do: text as it is for strings, else by the type."""
    adapter = pydantic.TypeAdapter(annotation)
    try:
        return adapter.validate_json(text)
    except pydantic.ValidationError:
        return adapter.validate_python(text)


def back(text: str, annotation: Any) -> Any:
    value = read(parsed(text, "x"), annotation, coerce)
    return pydantic.TypeAdapter(annotation).validate_python(value)


def there_and_back(value: Any, annotation: Any) -> Any:
    dumped = pydantic.TypeAdapter(annotation).dump_python(value, mode="json")
    return back(element("x", dumped)[len("<x>") : -len("</x>")], annotation)


def test_a_value_comes_back():
    person = Person(
        name="Ada & <Co>",
        age=36,
        homes=[Address(street="a\n b", zip_code=""), Address(street="</street>", zip_code=None)],
        tags={"x", "1"},
        scores={"a b": 0.5, "c": 1.0, "item": 2.0},
        pair=(1, "2"),
        color=Color.RED,
        point=Point(3),
        born=datetime.date(2024, 2, 29),
        extra={"k": [1, None, "x"], "b": True},
        code=Code(code="x < 1"),
    )
    assert there_and_back(person, Person) == person
    assert there_and_back([person, person], list[Person]) == [person, person]


@settings(max_examples=50, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text("ab<&\"' 1x"),
        lambda v: st.dictionaries(st.text('ab <&"1'), v) | st.lists(v),
    )
)
def test_any_value_of_texts_can_be_written(value: Any):
    assert element("x", value).startswith("<x")


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(st.text(), st.lists(st.text("ab<&\"'1\\xé]>!-["))))
def test_texts_come_back_whole(value: dict[str, list[str]]):
    stripped = {
        key: [text.strip() if "\n" in text else text for text in texts] for key, texts in value.items()
    }
    assert there_and_back(value, dict[str, list[str]]) == stripped


@pytest.mark.parametrize(
    ("text", "annotation", "value"),
    [
        ("", list[int], []),
        ("[1, 2]", list[int], [1, 2]),
        ("<item>1</item><item>2</item>", list[int], [1, 2]),
        ("<number>1</number><number>2</number>", list[int], [1, 2]),
        ("<a>1</a>", dict[str, int], {"a": 1}),
        ('{"a": 1}', dict[str, int], {"a": 1}),
        ("", dict[str, int], {}),
        ("<TITLE>Alien</TITLE><year>1979</year>", Movie, {"title": "Alien", "year": 1979}),
        ('{"title": "Alien", "year": 1979}', Movie, {"title": "Alien", "year": 1979}),
        ("<x>1</x>", Point, Point(1)),
        ("<name>A</name><tags>a</tags><tags>b</tags>", Person, Person(name="A", tags={"a", "b"})),
        ("<name>A</name><age>null</age>", Person, Person(name="A")),
        ("<name>A</name><age/>", Person, Person(name="A")),
        ("<name>\n  A\n</name>", Person, Person(name="A")),
        ("<name>use <b>it</b></name>", Person, Person(name="use <b>it</b>")),
        ("<item>a</item>", list[Literal["a", "b"]], ["a"]),
        ("<item><street>a</street></item>", list[Address | None], [Address(street="a")]),
        ("<a>1</a><b>x</b><c><item>true</item></c><d/>", Any, {"a": 1, "b": "x", "c": [True], "d": None}),
    ],
)
def test_what_models_write_is_read(text: str, annotation: Any, value: Any):
    assert back(text, annotation) == value


def test_unknown_tags_are_kept_for_models_that_allow_them():
    class Open(pydantic.BaseModel):
        model_config = pydantic.ConfigDict(extra="allow")
        x: int

    assert back("<x>1</x><y>2</y>", Open).model_dump() == {"x": 1, "y": 2}


def test_an_alias_is_read_like_the_name():
    class Aliased(pydantic.BaseModel):
        first: str = pydantic.Field(alias="firstName")

    assert back("<first>a</first>", Aliased).first == back("<firstName>a</firstName>", Aliased).first == "a"
