"""Data URIs and kinds of bytes."""

from __future__ import annotations

from pathlib import Path

import pytest

from dspx.content.encoding import data_uri, image_type, read_file, split_data_uri, type_of_name


def test_a_data_uri_is_taken_apart():
    assert split_data_uri(data_uri(b"abc", "text/plain")) == ("text/plain", "YWJj")
    assert split_data_uri("data:audio/ogg;codecs=opus;base64,QUJD") == ("audio/ogg", "QUJD")


@pytest.mark.parametrize(
    "text", ["data:,x", "data:text/plain,hello", "https://example.com", "data:text/plain;base64"]
)
def test_what_is_no_base64_data_uri_is_none(text: str):
    assert split_data_uri(text) is None


@pytest.mark.parametrize(
    "data", [b"", b"\x89PN", b"RIFF\x00\x00\x00\x00WAVE", b"\x00\x00\x00\x00ftypmp42", b"plain"]
)
def test_unknown_bytes_have_no_image_type(data: bytes):
    assert image_type(data) is None


def test_names_promise_types():
    assert type_of_name("https://example.com/a.png") == "image/png"
    assert type_of_name("noext") is None


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(ValueError, match=r"File not found: .*none\.txt"):
        read_file(tmp_path / "none.txt")
