from __future__ import annotations

import orjson
import pytest

from dspx.testing.prompt.reading import Layout
from dspx.testing.prompt.wanted import Wanted, wanted
from dspx.testing.prompt.writing import Verbatim, write_answer

OUTPUTS = {"answer": Wanted("answer"), "ok": Wanted("ok", "bool", {"type": "boolean"})}


@pytest.mark.parametrize(
    ("layout", "text"),
    [
        ("chat", "[[ ## answer ## ]]\na & b\n\n[[ ## ok ## ]]\nTrue\n\n[[ ## completed ## ]]\n"),
        ("xml", "<answer>\na &amp; b\n</answer>\n\n<ok>\nTrue\n</ok>"),
        ("lines", "answer: a & b\n\nok: True"),
    ],
)
def test_each_layout_is_written_as_its_adapter_writes_it(layout: Layout, text: str) -> None:
    assert write_answer(layout, {"answer": "a & b", "ok": True}, OUTPUTS) == text


def test_json_is_json() -> None:
    assert orjson.loads(write_answer("json", {"answer": Verbatim("a"), "ok": False}, OUTPUTS)) == {
        "answer": "a",
        "ok": False,
    }


def test_what_was_copied_from_the_prompt_is_not_escaped_again() -> None:
    assert write_answer("xml", {"answer": Verbatim("a &amp; b")}, OUTPUTS) == "<answer>\na &amp; b\n</answer>"


def test_nested_xml_has_the_values_of_known_types() -> None:
    field = wanted("xs", "list[str]", "", template="<xs><item>...</item></xs>")
    assert write_answer("xml", {"xs": ["a", "b"]}, {"xs": field}) == "<xs><item>a</item><item>b</item></xs>"


def test_nested_xml_of_unknown_types_is_filled_with_ones() -> None:
    field = wanted("p", "Person", "", template="<p><name>...</name><age>...</age></p>")
    assert write_answer("xml", {"p": "x"}, {"p": field}) == "<p><name>1</name><age>1</age></p>"
