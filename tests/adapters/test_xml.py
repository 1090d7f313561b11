"""The XML adapter against DSPy's prompts, and on XML as models write it."""

from __future__ import annotations

from typing import Any

import pytest

import dspx
from dspx.adapters.xml import XMLAdapter
from dspx.errors import AdapterParseError
from tests.golden import cases

ADAPTER = XMLAdapter()
CASES = {case.name: case for case in cases.cases(dspx) if "error" not in cases.expected("xml", case.name)}
PARSES = {case.name: case for case in cases.parse_cases(dspx) if case.adapter == "xml"}

READ_OTHERWISE: dict[str, Any] = {
    # JSON, bullets and literals in the place of items: DSPy makes the whole text the only item
    "value_list_str_5": {"value": ["a"]},
    "value_list_str_7": {"value": ["a", "b"]},
    "value_list_str_9": {"value": ["a", "b"]},
    "value_set_1": {"value": {"__set__": ["a"]}},
    # DSPy reads decimals as floats first
    "value_decimal_0": {"value": {"__str__": "Decimal: 1.50"}},
    # DSPy makes the text of a Python list out of a field that is there twice
    "repeated": {"reasoning": "r", "answer": "first"},
}
WITHOUT_VALUES = {
    *("value_int_3", "value_int_4", "value_int_9", "value_int_11", "value_float_9", "value_bool_10"),
    *("value_list_int_3", "value_dict_6", "value_literal_8", "value_literal_int_2", "value_enum_7"),
    *("value_model_2", "value_model_5", "value_model_9", "value_typeddict_1", "value_none_2"),
    *("missing_field", "no_tags", "empty", "typed_bad_score"),
}


@pytest.mark.parametrize("name", CASES)
def test_the_prompt_is_dspys(name: str):
    case = CASES[name]
    assert ADAPTER.format(case.signature, case.demos, case.inputs) == cases.expected("xml", name)["messages"]


@pytest.mark.parametrize("name", PARSES)
def test_what_dspy_reads_is_read_alike(name: str):
    case, expected = PARSES[name], cases.expected_parses("xml")[name]
    if name in WITHOUT_VALUES:
        with pytest.raises(AdapterParseError):
            ADAPTER.parse(case.signature, case.completion)
    elif name == "nested_null":
        assert ADAPTER.parse(case.signature, case.completion)["person"].address.zip_code is None
    else:
        values = cases.plain(ADAPTER.parse(case.signature, case.completion)) if "values" in expected else None
        assert values == READ_OTHERWISE.get(name, expected.get("values"))


@pytest.mark.parametrize(
    "completion",
    [
        "<reasoning>r</reasoning><answer>a",
        "<output><reasoning>r</reasoning><answer>a</answer></output>",
        "<Reasoning>r</Reasoning><ANSWER>a</ANSWER>",
        '<?xml version="1.0"?>\n<reasoning>r</reasoning><answer>a</answer>',
        "<think>should I <answer>b</answer>?</think><reasoning>r</reasoning><answer>a</answer>",
        '{"reasoning": "r", "answer": "a"}',
        "```json\n{'reasoning': 'r', 'answer': 'a',}\n```",
    ],
)
def test_what_is_no_xml_is_read_too(completion: str):
    signature = dspx.Signature("question -> reasoning, answer")
    assert ADAPTER.parse(signature, completion) == {"reasoning": "r", "answer": "a"}


def test_text_is_kept_as_it_is_meant():
    signature = dspx.Signature("question -> answer")
    for written, meant in {
        "1 < 2 & 3": "1 < 2 & 3",
        "1 &lt; 2 &amp; 3 &nbsp;|": "1 < 2 & 3 \xa0|",
        "if a<b and c>d": "if a<b and c>d",
        "use <b>bold</b>": "use <b>bold</b>",
        "<![CDATA[</answer> & <]]>": "</answer> & <",
    }.items():
        assert ADAPTER.parse(signature, f"<answer>\n{written}\n</answer>") == {"answer": meant}


def test_a_single_output_needs_no_tag():
    assert ADAPTER.parse(dspx.Signature("q -> score: float"), " 0.5 ") == {"score": 0.5}
    with pytest.raises(AdapterParseError):
        ADAPTER.parse(dspx.Signature("q -> score: float"), "high")


def test_an_error_names_what_is_missing_and_what_is_wrong():
    signature = dspx.Signature("q -> answer, score: float")
    with pytest.raises(AdapterParseError, match="has no `score`") as missing:
        ADAPTER.parse(signature, "<answer>a</answer>")
    assert missing.value.found == {"answer": "a"}
    with pytest.raises(AdapterParseError, match="`score` could not be read"):
        ADAPTER.parse(signature, "<answer>a</answer><score>high</score>")


@pytest.mark.parametrize(
    "name", [n for n in CASES if n.startswith("demo_output_") and n != "demo_output_union"]
)
def test_what_a_demo_shows_is_read_back(name: str):
    case = CASES[name]
    shown = ADAPTER.format_assistant_message_content(case.signature, case.demos[0])
    read = ADAPTER.parse(case.signature, shown)
    expected = case.demos[0]["value"]
    assert read["value"] == (expected.strip() if isinstance(expected, str) else expected)


def test_what_a_demo_shows_of_markup_is_read_back():
    signature = dspx.Signature(
        "q -> x: Any, code: Code, note: Optional[str]", custom_types={"Code": dspx.Code}
    )
    values = {"x": {"a": "<b> & </x>"}, "code": dspx.Code(code="a < b && c"), "note": "</note>"}
    assert ADAPTER.parse(signature, ADAPTER.format_assistant_message_content(signature, values)) == values


def test_a_broken_answer_is_asked_for_again():
    class Scripted(dspx.BaseLM):
        def forward(self, prompt: Any = None, messages: Any = None, **kwargs: Any) -> Any:
            asked.append(messages)
            return [answers.pop(0)]

    asked: list[Any] = []
    answers = ["<answer>a</answer>", "<answer>a</answer><score>1</score>"]
    adapter = XMLAdapter(use_json_adapter_fallback=False)
    values = adapter(
        Scripted("test/scripted"), {}, dspx.Signature("q -> answer, score: float"), [], {"q": "?"}
    )
    assert values == [{"answer": "a", "score": 1.0}]
    assert "has no `score`" in asked[1][-1]["content"]


def test_pieces_of_a_stream_are_the_values():
    signature = dspx.Signature("q -> reasoning, answer")
    completion = "<reasoning>\na &amp; b\n</reasoning>\n\n<answer>\nc <i>d</i>\n</answer>"
    values = ADAPTER.parse(signature, completion)
    for size in (1, 2, 3, 7, 100):
        stream = ADAPTER.field_stream(signature)
        assert stream is not None
        pieces = [
            p
            for start in range(0, len(completion), size)
            for p in stream.feed(completion[start : start + size])
        ]
        pieces += stream.close()
        assert {name: "".join(t for n, t in pieces if n == name) for name in values} == values
