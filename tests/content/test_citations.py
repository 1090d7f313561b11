"""Citations of documents."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pydantic
import pytest

from dspx.content.citations import Citations
from dspx.core.signature import Signature
from dspx.core.streams import Delta

ENTRY: dict[str, Any] = {
    "cited_text": "The sky",
    "document_index": 0,
    "start_char_index": 0,
    "end_char_index": 7,
}


def test_they_are_a_list():
    citations = Citations.from_dict_list([ENTRY, {**ENTRY, "document_title": "Sky", "unknown": 1}])
    assert len(citations) == 2
    assert [citation.cited_text for citation in citations] == ["The sky", "The sky"]
    assert citations[1].document_title == "Sky"
    assert isinstance(citations[0], Citations.Citation)


def test_they_format_without_what_is_not_given():
    titled = {**ENTRY, "document_title": "Sky"}
    assert Citations.from_dict_list([ENTRY, titled]).format() == [
        {"type": "char_location", **ENTRY},
        {"type": "char_location", **titled},
    ]


def test_they_are_read_from_a_list_an_entry_and_a_dict():
    adapter = pydantic.TypeAdapter(Citations)
    expected = Citations.from_dict_list([ENTRY])
    assert adapter.validate_python([ENTRY]) == adapter.validate_python(ENTRY) == expected
    assert adapter.validate_python({"citations": [ENTRY]}) == adapter.validate_python(expected) == expected
    with pytest.raises(pydantic.ValidationError):
        adapter.validate_python("x")


def test_only_anthropics_models_give_them_natively():
    signature = Signature("q -> c, a").with_updated_fields("c", Citations)
    native, params = Citations.native_feature(signature, "c", SimpleNamespace(model="anthropic/x"), {})
    assert (native.signature, params) == ("q -> a", {})
    asked, _ = Citations.native_feature(signature, "c", SimpleNamespace(model="openai/y"), {})
    assert asked is signature


def test_they_are_filled_from_the_response():
    assert Citations.parse_lm_response({"text": "x", "citations": [ENTRY]}) == Citations.from_dict_list(
        [ENTRY]
    )
    assert Citations.parse_lm_response({"text": "x"}) is None
    assert Citations.parse_lm_response("x") is None


def test_a_citation_by_page_is_kept():
    page = {"type": "page_location", "cited_text": "abc", "document_index": 1, "start_page_number": 2}
    (citation,) = Citations.parse_lm_response({"text": "x", "citations": [page]}) or ()
    assert (citation.type, citation.start_char_index, citation.end_char_index) == ("page_location", 0, 3)


def test_they_stream():
    assert Citations.is_streamable()
    fields = SimpleNamespace(provider_specific_fields={"citation": ENTRY})
    chunk = SimpleNamespace(choices=[SimpleNamespace(delta=fields)])
    assert Citations.parse_stream_chunk(chunk) == Citations.from_dict_list([ENTRY])
    assert Citations.parse_stream_chunk(Delta(payload={"citation": ENTRY})) == Citations.from_dict_list(
        [ENTRY]
    )
    assert Citations.parse_stream_chunk(Delta("x")) is None
    assert Citations.parse_stream_chunk("x") is None
