import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dspx.adapters.chat import ChatAdapter
from dspx.adapters.json import JSONAdapter
from dspx.adapters.xml import XMLAdapter
from dspx.core.signature import Signature
from dspx.errors import AdapterParseError

QA = Signature("question -> reasoning, answer")
TYPED = Signature("question -> answer, score: float, tags: list[str]")
CHAT, JSON, XML = ChatAdapter(), JSONAdapter(), XMLAdapter()


def streamed(adapter, signature, pieces):
    """Each field's text, from a completion fed in these pieces."""
    stream = adapter.field_stream(signature)
    events = [event for piece in pieces for event in stream.feed(piece)] + stream.close()
    assert all(delta for _, delta in events)
    texts: dict[str, str] = {}
    for field, delta in events:
        texts[field] = texts.get(field, "") + delta
    return texts


def in_pieces(text, sizes):
    """The text cut into pieces of these sizes, over and over."""
    pieces, position, turn = [], 0, 0
    while position < len(text):
        pieces.append(text[position : position + sizes[turn % len(sizes)]])
        position, turn = position + len(pieces[-1]), turn + 1
    return pieces


def same_in_any_pieces(adapter, signature, text):
    """What is streamed whole; the same however it is cut."""
    whole = streamed(adapter, signature, [text])
    for cut in range(len(text) + 1):
        assert streamed(adapter, signature, [text[:cut], text[cut:]]) == whole
    assert streamed(adapter, signature, list(text)) == whole
    return whole


SIZES = st.lists(st.integers(1, 7), min_size=1, max_size=5)
MARKERS = (
    "[[ ## reasoning ## ]]",
    "[[ ## answer ## ]]",
    "[[ ## completed ## ]]",
    "[[ ## other ## ]]",
    "[[ ## question ## ]]",
)
NOISE = st.sampled_from(
    [
        "a",
        "b c",
        "\n",
        "\n\n",
        " ",
        "  ",
        "[",
        "[[",
        "[[ ",
        "[[ ##",
        "[[ ## ans",
        "]]",
        "#",
        "\t",
        "\r\n",
        "\r",
        "é",
        "🦉",
        *MARKERS,
    ]
)


# ---------------------------------------------------------------- markers


@given(st.lists(NOISE | st.text(max_size=5)), SIZES)
@example(["[[ ## answer ## ]]", "a", " ", "[[ ## completed ## ]]"], [1])
def test_chat_streams_the_same_in_any_pieces(parts, sizes):
    text = "".join(parts)
    assert streamed(CHAT, QA, in_pieces(text, sizes)) == streamed(CHAT, QA, [text])


@given(st.lists(NOISE), st.lists(NOISE), SIZES, st.booleans())
def test_in_chat_the_pieces_of_a_field_are_its_value(reasoning, answer, sizes, ended):
    text = f"[[ ## reasoning ## ]]\n{''.join(reasoning)}\n\n[[ ## answer ## ]]\n{''.join(answer)}"
    text += "\n\n[[ ## completed ## ]]\n" if ended else ""
    values = CHAT.parse(QA, text)
    assert streamed(CHAT, QA, in_pieces(text, sizes)) == {
        name: value for name, value in values.items() if value
    }


def test_chat_cut_anywhere_streams_what_it_reads():
    text = "Sure!\n[[ ## reasoning ## ]] one\n\n two \n [[ ## answer ## ]]\n[a] [[ b\n\n[[ ## completed ## ]]\nbye"
    whole = same_in_any_pieces(CHAT, QA, text)
    assert whole == CHAT.parse(QA, text) == {"reasoning": "one\n\n two", "answer": "[a] [[ b"}
    optional = Signature("question -> reasoning: Optional[str], answer: Optional[str]")
    for end in range(len(text)):
        try:
            values = CHAT.parse(optional, text[:end])
        except AdapterParseError:
            values = {}
        if "[[ ## reasoning ## ]]" in text[:end]:
            assert streamed(CHAT, QA, list(text[:end])) == {
                name: value for name, value in values.items() if value
            }


def test_only_what_may_be_a_marker_is_held_back():
    stream = CHAT.field_stream(QA)
    assert stream.feed("[[ ## answer ## ]]\n") == []
    assert stream.field == "answer"
    assert stream.feed("The answer ") == [("answer", "The answer")]
    assert stream.feed("is [") == [("answer", " is")]
    assert stream.feed("42]") == [("answer", " [42]")]
    assert stream.feed("\n[[ ## comp") == []
    assert stream.feed("leted ## ]]") == []
    assert stream.close() == []


def test_values_of_other_types_stream_as_they_are_written():
    text = (
        "[[ ## answer ## ]]\na\n[[ ## score ## ]]\n0.5\n[[ ## tags ## ]]\n[\"x\", 'y']\n[[ ## completed ## ]]"
    )
    assert same_in_any_pieces(CHAT, TYPED, text) == {"answer": "a", "score": "0.5", "tags": "[\"x\", 'y']"}


def test_a_field_that_comes_twice_streams_once():
    text = "[[ ## reasoning ## ]]\nr\n[[ ## answer ## ]]\nfirst\n[[ ## answer ## ]]\nsecond"
    assert same_in_any_pieces(CHAT, QA, text)["answer"] == "first"


# ---------------------------------------------------------------- JSON

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
)


@given(TEXT, TEXT, SIZES, st.booleans(), st.sampled_from([None, 2]))
def test_in_json_the_pieces_of_a_field_are_its_value(reasoning, answer, sizes, ascii_only, indent):
    text = json.dumps(
        {"reasoning": reasoning, "x": [reasoning], "answer": answer}, ensure_ascii=ascii_only, indent=indent
    )
    values = JSON.parse(QA, text)
    assert streamed(JSON, QA, in_pieces(text, sizes)) == {
        name: value for name, value in values.items() if value
    }


@given(VALUES, VALUES, SIZES)
def test_json_values_stream_as_they_are_written(score, tags, sizes):
    text = json.dumps({"score": score, "tags": tags, "answer": score})
    fields = streamed(JSON, TYPED, in_pieces(text, sizes))
    assert fields.get("answer", "") == (score if isinstance(score, str) else str(score))
    for name, value in (("score", score), ("tags", tags)):
        if not isinstance(value, str):
            assert json.loads(fields[name]) == value


@given(
    st.lists(
        st.sampled_from(
            [
                "{",
                "}",
                "[",
                "]",
                '"',
                ",",
                ":",
                "\\",
                "\\u",
                "\\ud83d",
                "d83d",
                '"answer"',
                "a",
                " ",
                "\n",
                "1",
            ]
        )
    ),
    SIZES,
)
def test_broken_json_streams_the_same_in_any_pieces(parts, sizes):
    text = '{"answer": ' + "".join(parts)
    assert streamed(JSON, QA, in_pieces(text, sizes)) == streamed(JSON, QA, [text])


def test_json_in_a_fence_with_escapes():
    text = 'Here:\n```json\n{"reasoning": "tab\\t \\u00e9 \\ud83e\\udd89 \\"q\\" \\\\", "answer" : "a\\nb"}\n```\n{"answer": "no"}'
    assert same_in_any_pieces(JSON, QA, text) == {"reasoning": 'tab\t é 🦉 "q" \\', "answer": "a\nb"}


@pytest.mark.parametrize("end", range(60))
def test_json_cut_anywhere_streams_a_beginning_of_the_value(end):
    text = '{"reasoning": "because  of \\"it\\"", "answer": "a \\u00e9 b"}'
    for name, value in streamed(JSON, QA, list(text[:end])).items():
        assert {"reasoning": 'because  of "it"', "answer": "a é b"}[name].startswith(value)


def test_a_number_for_a_text_streams_as_its_value():
    assert streamed(JSON, QA, list('{"reasoning": {"x": null}, "answer": 2.50}')) == {
        "reasoning": "{'x': None}",
        "answer": "2.5",
    }


def test_member_names_in_another_case_are_known():
    assert streamed(JSON, QA, ['{"Answer": "a"}']) == {"answer": "a"}


# ---------------------------------------------------------------- XML

XML_NOISE = st.sampled_from(
    ["a", " ", "\n", "1 < 2", "&", "&lt;", "&amp;", "<b>x</b>", "<![CDATA[1 < 2 & 3]]>", ">", "é", "&#65;"]
)


@given(st.lists(XML_NOISE), st.lists(XML_NOISE), SIZES)
def test_in_xml_the_pieces_of_a_field_are_its_value(reasoning, answer, sizes):
    text = f"Sure:\n<reasoning>\n{''.join(reasoning)}\n</reasoning>\n<answer>{''.join(answer)}</answer>\nbye"
    values = XML.parse(QA, text)
    assert streamed(XML, QA, in_pieces(text, sizes)) == {
        name: value for name, value in values.items() if value
    }


@pytest.mark.parametrize(
    "text",
    [
        "<reasoning>r</reasoning><answer>a",
        "<reasoning>r <answer>a</answer>",
        "<reasoning>say <answer>x</answer> now</reasoning><answer>a</answer>",
        "<reasoning/><answer>a &copy; b</answer>",
        "<Reasoning>r</Reasoning><ANSWER x='1'>a</ANSWER>",
    ],
)
def test_loose_xml_streams_what_it_reads(text):
    values = XML.parse(QA, text)
    assert same_in_any_pieces(XML, QA, text) == {name: value for name, value in values.items() if value}


# ---------------------------------------------------------------- who can


def test_a_subclass_that_parses_itself_is_not_streamed():
    class Own(ChatAdapter):
        def parse(self, signature, completion):
            return {"answer": completion}

    class OwnJSON(JSONAdapter):
        def parse(self, signature, completion):
            return {"answer": completion}

    assert Own().field_stream(QA) is None
    assert OwnJSON().field_stream(QA) is None
