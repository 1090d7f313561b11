"""Marked blocks in text: found again, wherever they were put."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from dspx.content.markers import END, START, blocks_in, content_of, marked, split_messages

BLOCK = {"type": "image_url", "image_url": {"url": "https://example.com/«ü».png"}}


def test_text_without_markers_is_the_same_object():
    text = "plain"
    assert content_of(text) is text


def test_text_around_a_marker_becomes_text_blocks():
    text = f"before {marked([BLOCK])} after"
    assert content_of(text) == [
        {"type": "text", "text": "before "},
        BLOCK,
        {"type": "text", "text": " after"},
    ]


def test_no_empty_text_blocks():
    assert content_of(marked([BLOCK]) + marked([BLOCK, BLOCK])) == [BLOCK, BLOCK, BLOCK]


def test_a_marker_inside_json_is_found():
    assert content_of(json.dumps({"x": marked([BLOCK])}, ensure_ascii=False)) == [
        {"type": "text", "text": '{"x": "'},
        BLOCK,
        {"type": "text", "text": '"}'},
    ]


def test_a_marker_inside_ascii_json_is_found():
    assert blocks_in(json.dumps([marked([BLOCK])])) == [BLOCK]


def test_an_unclosed_marker_is_text():
    assert content_of(f"a{START}b") == f"a{START}b"
    assert content_of(f"{marked([BLOCK])}a{START}b") == [BLOCK, {"type": "text", "text": f"a{START}b"}]


def test_an_end_before_a_start_is_text():
    assert content_of(f"a{END}b{marked([BLOCK])}") == [{"type": "text", "text": f"a{END}b"}, BLOCK]


def test_what_is_no_list_of_blocks_stays_text():
    for payload in ("not json", "[1]", '"s"', "[]", '{"no": "type"}'):
        assert content_of(f"{START}{payload}{END}") == [{"type": "text", "text": payload}]


def test_a_single_block_needs_no_list():
    assert content_of(f"{START}{json.dumps(BLOCK)}{END}") == [BLOCK]


def test_only_users_messages_are_split():
    text = marked([BLOCK])
    messages = [{"role": role, "content": text} for role in ("system", "user", "assistant", "tool")]
    split = split_messages(messages)
    assert [message["content"] for message in split] == [text, [BLOCK], text, text]
    assert split[0] is messages[0]
    assert messages[1]["content"] == text


def test_contents_that_are_no_text_are_left_alone():
    messages = [
        {"role": "user", "content": [BLOCK]},
        {"role": "assistant", "content": None, "tool_calls": []},
    ]
    assert split_messages(messages) == messages


@given(st.lists(st.one_of(st.text(), st.just(None)), max_size=6))
def test_text_is_kept_whole_around_any_markers(parts: list[str | None]):
    text = "".join(marked([BLOCK]) if part is None else part for part in parts)
    content = content_of(text)
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    assert "".join(marked([BLOCK]) if b == BLOCK else b["text"] for b in blocks) == text
