"""Types with named parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import pydantic
import pytest
import typing_extensions

from dspx.adapters.record_types import Part, doc_of, is_typed_dict, parts_of


class Model(pydantic.BaseModel):
    """What it
    is."""

    x: int = pydantic.Field(description="d", alias="X")


class Movie(typing_extensions.TypedDict, total=False):
    title: typing_extensions.Required[str]
    year: Annotated[int, "x"]


@dataclass
class Point:
    x: int


def test_models_typed_dicts_and_dataclasses_have_parts():
    assert parts_of(Model) == [Part("x", int, "X", "d")]
    assert parts_of(Movie) == [Part("title", str), Part("year", int)]
    assert parts_of(Point) == [Part("x", int)]


@pytest.mark.parametrize("annotation", [int, dict, list[int], Any, None, int | None])
def test_other_types_have_none(annotation: Any):
    assert parts_of(annotation) is None
    assert not is_typed_dict(annotation)


def test_only_written_docstrings_count():
    assert doc_of(Model) == "What it is."
    assert doc_of(Point) == ""
