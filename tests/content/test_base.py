"""Content types: what a subclass must say, and what it gets."""

from __future__ import annotations

from typing import Annotated, Any

import pydantic
import pytest

from dspx.content.base import Type
from dspx.content.image import Image
from dspx.content.markers import END, START


class Chart(Type):
    """Seen by whoever reads the schema."""

    spec: str

    def format(self) -> list[dict[str, Any]]:
        return [{"type": "text", "text": f"chart «{self.spec}»"}]


class Note(Type):
    text: str

    def format(self) -> str:
        return f"note: {self.text}"


def test_blocks_are_marked_in_dumps_and_in_json():
    expected = f'{START}[{{"type": "text", "text": "chart «x»"}}]{END}'
    assert Chart(spec="x").model_dump() == expected
    assert pydantic.TypeAdapter(list[Chart]).dump_python([Chart(spec="x")], mode="json") == [expected]


def test_a_text_format_is_the_text():
    assert Note(text="x").model_dump() == "note: x"
    assert Note(text="x").model_dump_json() == '"note: x"'


def test_a_type_without_format_says_so():
    class Empty(Type):
        x: int

    with pytest.raises(NotImplementedError, match="Empty must define format"):
        Empty(x=1).format()


def test_an_edited_value_is_rendered_anew():
    chart = Chart(spec="a")
    first = chart.model_dump()
    chart.spec = "b"
    assert chart.model_dump() != first


def test_types_are_found_at_any_depth_of_an_annotation():
    found = Type.extract_custom_type_from_annotation
    assert found(Chart) == [Chart]
    assert found(Chart | None) == [Chart]
    assert found(dict[str, list[Chart]]) == [Chart]
    assert found(tuple[Chart, ...] | Note | Chart) == [Chart, Note]
    assert found(Annotated[Image, "x"]) == [Image]
    assert found(list) == found(int) == found(Any) == []


def test_a_native_feature_leaves_the_callers_parameters_alone():
    class Native(Type):
        @classmethod
        def adapt_to_native_lm_feature(cls, signature, field_name, lm, lm_kwargs):
            lm_kwargs["x"] = 1
            return signature

    params = {"temperature": 0.5}
    assert Native.native_feature("signature", "field", None, params) == (
        "signature",
        {"temperature": 0.5, "x": 1},
    )
    assert params == {"temperature": 0.5}


def test_our_docstrings_stay_out_of_schemas_and_users_stay_in():
    assert "description" not in Image.model_json_schema()
    assert Chart.model_json_schema()["description"] == "Seen by whoever reads the schema."


def test_defaults_of_the_hooks_do_nothing():
    assert Chart.description() == ""
    assert not Chart.is_streamable()
    assert Chart.parse_stream_chunk("x") is None
    assert Chart.parse_lm_response("x") is None
