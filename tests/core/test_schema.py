import dataclasses
import enum
import typing
from typing import Any, Literal, NamedTuple, Optional, TypedDict, Union

import pydantic
import pytest

import dspx
from dspx.core.schema import program_schema, schema_of, shapes, type_text


class Mood(enum.Enum):
    GLAD = "glad"
    SAD = "sad"


class City(pydantic.BaseModel):
    name: str
    twin: Optional["City"] = None


@dataclasses.dataclass
class Trip:
    to: City
    days: int


class Row(TypedDict):
    cells: list[str]


class Point(NamedTuple):
    x: int


@pytest.mark.parametrize(
    ("annotation", "text"),
    [
        (str, "str"),
        (Optional[int], "int | None"),  # noqa: UP045
        (int | None, "int | None"),
        (Union[int, str], "int | str"),  # noqa: UP007
        (list[str], "list[str]"),
        (typing.List[str], "list[str]"),  # noqa: UP006
        (typing.Dict[str, typing.List[int]], "dict[str, list[int]]"),  # noqa: UP006
        (tuple[int, ...], "tuple[int, ...]"),
        (Literal["a", 1], "Literal['a', 1]"),
        (Literal[Mood.GLAD], "Literal[Mood.GLAD]"),
        (Any, "Any"),
        (typing.Annotated[int, "unit"], "int"),
        (dict[str, list[City]], "dict[str, list[City]]"),
        (typing.Callable[[int], str], "Callable[[int], str]"),
        (None, "None"),
    ],
)
def test_a_type_is_written_the_same_however_it_was_spelled(annotation, text):
    assert type_text(annotation) == text


def test_shapes_are_the_parts_of_records_and_enumerations():
    assert shapes(list[Trip]) == {
        "Trip": {"to": "City", "days": "int"},
        "City": {"name": "str", "twin": "City | None"},
    }
    assert shapes(Mood) == {"Mood": ["'glad'", "'sad'"]}
    assert shapes(Row) == {"Row": {"cells": "list[str]"}}
    assert shapes(Point) == {"Point": {"x": "int"}}
    assert shapes(str) == shapes(dspx.Image) == shapes(list[dspx.Code]) == {}


def test_a_leafs_schema_names_inputs_and_outputs():
    state = dspx.Predict("question, docs: list[str] -> answer: bool").dump_state()
    schema = schema_of(state)
    assert schema is not None
    assert schema["inputs"] == {"question": "str", "docs": "list[str]"}
    assert schema["outputs"] == {"answer": "bool"}
    assert schema_of({"signature": {"fields": [{"prefix": "A:", "description": "a"}]}}) is None


def test_the_fingerprint_follows_the_fields_and_not_the_words():
    leaf = dspx.Predict("question -> answer")
    before = program_schema({"self": leaf.dump_state()})["fingerprint"]
    leaf.signature = leaf.signature.with_instructions("Answer briefly.").with_updated_fields(
        "answer", desc="one word"
    )
    assert program_schema({"self": leaf.dump_state()})["fingerprint"] == before
    for other in ("question -> answer: int", "question, more -> answer", "question -> reply"):
        assert program_schema({"self": dspx.Predict(other).dump_state()})["fingerprint"] != before
