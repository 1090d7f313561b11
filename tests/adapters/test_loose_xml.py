"""XML as models write it."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dspx.adapters.loose_xml import children_of, escaped, find_fields, unescaped


def inner(text: str, *names: str) -> dict[str, list[str]]:
    return {name: [node.inner for node in nodes] for name, nodes in find_fields(text, list(names)).items()}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<a>x</a><b>y</b>", {"a": ["x"], "b": ["y"]}),
        ("Sure:\n<a>x</a> and <b>y</b> bye", {"a": ["x"], "b": ["y"]}),
        ("<out><a>x</a><c>z</c><b>y</b></out>", {"a": ["x"], "b": ["y"]}),
        ("<A>x</A>", {"a": ["x"]}),
        ("<a>x</a><a>y</a>", {"a": ["x", "y"]}),
        ("<a>1 < 2 & 3</a>", {"a": ["1 < 2 & 3"]}),
        ("<a>use <i>it</i></a>", {"a": ["use <i>it</i>"]}),
        ("<a>the <a> tag</a><b>y</b>", {"a": ["the <a> tag"], "b": ["y"]}),
        ("<a><a>x</a></a>", {"a": ["<a>x"]}),
        ("<a>about <b>bold</b></a><b>y</b>", {"a": ["about <b>bold</b>"], "b": ["y"]}),
        ("<a>x<b>y", {"a": ["x"], "b": ["y"]}),
        ("<a/><b />", {"a": [""], "b": [""]}),
        ('<a lang="en">x</a>', {"a": ["x"]}),
        ("<a><![CDATA[</a>]]></a>", {"a": ["<![CDATA[</a>]]>"]}),
        ("<!-- <a>no</a> --><a>x</a>", {"a": ["x"]}),
        ("</a>x", {}),
        ("", {}),
    ],
)
def test_fields_are_found_in_anything(text: str, expected: dict[str, list[str]]):
    assert inner(text, "a", "b") == expected


def test_a_nested_element_may_contain_its_own_tag():
    def of(text: str) -> list[str]:
        return [node.inner for node in find_fields(text, ["a", "b"], nested={"a"})["a"]]

    assert of("<a><a>x</a></a><b>y</b>") == ["<a>x</a>"]
    assert of("<a><a>x</a><b>y</b>") == ["<a>x"]


def test_text_is_unescaped_where_an_entity_is_complete():
    assert unescaped("a &lt; b &amp;&amp; &#65;&#x42; &nbsp;|&copy;") == "a < b && AB \xa0|©"
    assert (
        unescaped("AT&T x=1&region=2 &unknown; &#0; &#xD800;") == "AT&T x=1&region=2 &unknown; &#0; &#xD800;"
    )
    assert unescaped("<![CDATA[1 < 2 &amp; 3]]> &amp;") == "1 < 2 &amp; 3 &"


def test_an_entity_is_never_expanded_from_a_declaration():
    text = '<!DOCTYPE x [<!ENTITY e "boom">]><a>&e;</a>'
    assert find_fields(text, ["a"])["a"][0].text == "&e;"


def test_children_are_trees():
    (person,) = children_of('<p id="1&amp;2"><n>Ada <x></n><t/></stray></p>')
    assert (person.tag, person.attributes) == ("p", {"id": "1&2"})
    assert [(child.tag, child.inner, child.is_empty_tag) for child in person.children] == [
        ("n", "Ada <x>", False),
        ("t", "", True),
    ]


def test_unclosed_children_end_with_the_text():
    (outer,) = children_of("<a><b>x")
    assert (outer.inner, outer.children[0].inner) == ("<b>x", "x")


@given(st.text())
def test_escaped_text_is_found_again(text: str):
    (node,) = find_fields(f"<a>{escaped(text)}</a>", ["a"])["a"]
    assert node.text == text


@given(st.text(alphabet="<>/ab &;![]CDAT-\"='"))
def test_nothing_fails(text: str):
    find_fields(text, ["a", "b"])
    children_of(text)


@pytest.mark.parametrize("unit", ["<a>", "<a><a></a>", "<a></b>", "<a/>", "<!--", "<a "])
def test_time_grows_with_the_length_only(unit: str):
    started = time.perf_counter()
    find_fields(unit * 20_000, ["a", "b"])
    assert time.perf_counter() - started < 2
