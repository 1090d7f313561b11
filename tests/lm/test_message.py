"""Neutral messages taken apart."""

from __future__ import annotations

import pytest

from dspx.errors import UsageError
from dspx.lm.message import (
    Media,
    arguments_of,
    audio_of,
    blocks_of,
    document_text,
    file_of,
    image_of,
    split_system,
    text_of,
    tool_calls_of,
)


def test_a_string_is_one_text_block_and_an_empty_one_none():
    assert blocks_of("hi") == [{"type": "text", "text": "hi"}]
    assert blocks_of("") == blocks_of(None) == []
    assert blocks_of(["hi", {"type": "text", "text": ""}]) == [{"type": "text", "text": "hi"}]


def test_text_leaves_out_what_is_not_text():
    assert (
        text_of([{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {"url": "x"}}, "b"])
        == "ab"
    )


def test_system_messages_are_gathered_wherever_they_stand():
    messages = [
        {"role": "system", "content": "a"},
        {"role": "user", "content": "q"},
        {"role": "developer", "content": "b"},
    ]
    system, rest = split_system(messages)
    assert [block["text"] for block in system] == ["a", "b"]
    assert rest == [{"role": "user", "content": "q"}]


def test_a_data_uri_gives_its_bytes_and_type():
    media = image_of({"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}})
    assert media == Media(mime="image/png", data="AAAA")
    assert media.data_uri == "data:image/png;base64,AAAA"


def test_a_data_uri_that_is_not_base64_becomes_base64():
    assert image_of({"type": "image_url", "image_url": "data:image/svg+xml,%3Csvg%2F%3E"}).data == "PHN2Zy8+"


def test_a_broken_data_uri_is_refused():
    with pytest.raises(UsageError, match="data URI"):
        image_of({"type": "image_url", "image_url": {"url": "data:image/png;base64"}})


def test_an_address_tells_its_type():
    assert image_of({"type": "image_url", "image_url": {"url": "https://a.b/c.png?w=1"}}).mime == "image/png"


def test_audio_has_its_format():
    assert (
        audio_of({"type": "input_audio", "input_audio": {"data": "AA", "format": "mp3"}}).mime == "audio/mp3"
    )


def test_a_file_is_bytes_or_an_id():
    assert file_of({"type": "file", "file": {"file_id": "f1"}}).file_id == "f1"
    pdf = file_of({"type": "file", "file": {"file_data": "JVBE", "filename": "a.pdf"}})
    assert (pdf.mime, pdf.data, pdf.filename) == ("application/pdf", "JVBE", "a.pdf")
    with pytest.raises(UsageError, match="file_id"):
        file_of({"type": "file", "file": {}})


def test_a_documents_words_have_its_title_first():
    source = {"type": "text", "media_type": "text/plain", "data": "words"}
    assert document_text({"type": "document", "source": source, "title": "T"}) == "T\nwords"
    assert document_text({"type": "document", "source": {"type": "base64", "data": "AA"}}) is None


def test_tool_calls_are_read_in_either_form():
    message = {
        "tool_calls": [
            {"id": "1", "function": {"name": "f", "arguments": '{"a":1}'}},
            {"id": "2", "name": "g", "args": {"b": 2}},
        ]
    }
    assert list(tool_calls_of(message)) == [("1", "f", '{"a":1}'), ("2", "g", '{"b":2}')]


def test_arguments_that_are_no_object_are_kept_under_a_name():
    assert arguments_of('{"a":1}') == {"a": 1}
    assert arguments_of("[1]") == {"arguments": [1]}
    assert arguments_of("oops") == {"arguments": "oops"}
