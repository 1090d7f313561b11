"""Documents to cite from."""

from __future__ import annotations

import pydantic
import pytest

from dspx.content.document import Document


def test_the_block_asks_for_citations():
    assert Document(data="x", title="t", context="c").format() == [
        {
            "type": "document",
            "source": {"type": "text", "media_type": "text/plain", "data": "x"},
            "citations": {"enabled": True},
            "title": "t",
            "context": "c",
        }
    ]


def test_a_pdf_is_base64():
    (block,) = Document(data="QUJD", media_type="application/pdf").format()
    assert block["source"] == {"type": "base64", "media_type": "application/pdf", "data": "QUJD"}


def test_a_string_is_a_document():
    assert pydantic.TypeAdapter(Document).validate_python("x") == Document(data="x")


def test_other_media_types_are_refused():
    with pytest.raises(pydantic.ValidationError):
        Document(data="x", media_type="image/png")


def test_its_text_is_short():
    assert str(Document(data="xyz")) == "Document(3 chars)"
    assert str(Document(data="xyz", title="T")) == "Document('T': 3 chars)"
