"""Files: data, ids and names."""

from __future__ import annotations

from pathlib import Path

import pydantic
import pytest

from dspx.content.file import File

PDF = "data:application/pdf;base64,JVBERi0xLjQK"


def test_a_file_is_data_an_id_or_a_name():
    assert File(PDF).file_data == PDF == File(file_data=PDF).file_data
    assert (
        File.from_file_id("f", "n.pdf")
        == File(file_id="f", filename="n.pdf")
        == File({"file_id": "f", "filename": "n.pdf"})
    )
    assert File(filename="x").filename == "x"
    assert File(File(file_id="f")) == File(file_id="f")


def test_the_block_has_what_is_given():
    assert File(file_id="f").format() == [{"type": "file", "file": {"file_id": "f"}}]
    assert File(file_data=PDF, filename="x").format() == [
        {"type": "file", "file": {"file_data": PDF, "filename": "x"}}
    ]


def test_bytes_become_a_data_uri():
    assert File(b"abc").file_data == "data:application/octet-stream;base64,YWJj"
    assert File(b"abc", filename="x").filename == "x"
    assert File.from_bytes(b"abc", "x.txt", "text/plain").file_data == "data:text/plain;base64,YWJj"


def test_a_path_gives_name_and_type(tmp_path: Path):
    (tmp_path / "x.pdf").write_bytes(b"abc")
    (tmp_path / "noext").write_bytes(b"abc")
    assert File.from_path(tmp_path / "x.pdf") == File(
        file_data="data:application/pdf;base64,YWJj", filename="x.pdf"
    )
    assert File.from_path(tmp_path / "noext").file_data == "data:application/octet-stream;base64,YWJj"
    named = File.from_path(str(tmp_path / "x.pdf"), filename="z", mime_type="a/b")
    assert named == File(file_data="data:a/b;base64,YWJj", filename="z")
    with pytest.raises(ValueError, match="File not found"):
        File.from_path(tmp_path / "none")


@pytest.mark.parametrize("source", ["/reports/x.pdf", "https://example.com/a.pdf", "file-123"])
def test_other_strings_are_refused(source: str):
    with pytest.raises(ValueError, match="from_path"):
        File(source)


def test_nothing_is_refused():
    with pytest.raises(pydantic.ValidationError, match="at least one"):
        File()
    with pytest.raises(pydantic.ValidationError, match="at least one"):
        File({"x": 1})
    with pytest.raises(ValueError, match="Unsupported file type"):
        File(3)


def test_reprs_hide_the_data():
    assert (
        repr(File(file_data=PDF, filename="x"))
        == "File(file_data=<DATA_URI(application/pdf, 12 chars)>, filename='x')"
    )
    assert repr(File(file_data="plain")) == "File(file_data=<DATA(5 chars)>)"
    assert repr(File(file_id="f")) == "File(file_id='f')"


def test_its_text_is_made_once():
    file = File(PDF)
    assert file.model_dump() is file.model_dump() == str(file)
