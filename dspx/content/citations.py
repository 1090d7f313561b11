"""Where an answer's words come from: quotes with their places in the documents."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from pydantic import model_validator

from dspx.content.base import Type


class Citation(Type):
    """One quote, and its characters' place in document number `document_index`."""

    type: str = "char_location"
    cited_text: str
    document_index: int
    document_title: str | None = None
    start_char_index: int
    end_char_index: int
    supported_text: str | None = None

    def format(self) -> Any:
        kept = ("type", "cited_text", "document_index", "start_char_index", "end_char_index")
        block = {name: getattr(self, name) for name in kept}
        for name in ("document_title", "supported_text"):
            if getattr(self, name) is not None:
                block[name] = getattr(self, name)
        return block


class Citations(Type):
    """The citations of an answer. Models of Anthropic give them natively when a `Document` is among the inputs."""

    citations: list[Citation]

    Citation: ClassVar[type[Citation]] = Citation

    @classmethod
    def from_dict_list(cls, citations_dicts: list[dict[str, Any]]) -> Citations:
        return cls(citations=[Citation(**entry) for entry in citations_dicts])

    def format(self) -> list[dict[str, Any]]:
        return [citation.format() for citation in self.citations]

    @classmethod
    def description(cls) -> str:
        return (
            "Citations with quoted text and source references. "
            "Include the exact text being cited and information about its source."
        )

    @model_validator(mode="before")
    @classmethod
    def validate_input(cls, value: Any) -> Any:
        """A list of citations, one of them, or the dict of the fields."""
        if isinstance(value, cls):
            return value
        if isinstance(value, list):
            return {"citations": value}
        if isinstance(value, dict) and "cited_text" in value:
            return {"citations": [value]}
        if isinstance(value, dict) and "citations" in value:
            return value
        raise ValueError(f"Received invalid value for Citations: {value!r}")

    # ------------------------------------------------------------ Anthropic's own citations

    @classmethod
    def adapt_to_native_lm_feature(
        cls, signature: Any, field_name: str, lm: Any, lm_kwargs: dict[str, Any]
    ) -> Any:
        return signature.delete(field_name) if lm.model.startswith("anthropic/") else signature

    @classmethod
    def parse_lm_response(cls, response: str | dict[str, Any]) -> Citations | None:
        if isinstance(response, dict) and response.get("citations") is not None:
            return cls.from_dict_list([_placed(entry) for entry in response["citations"]])
        return None

    @classmethod
    def is_streamable(cls) -> bool:
        return True

    @classmethod
    def parse_stream_chunk(cls, chunk: Any) -> Citations | None:
        """The citation in a `Delta`'s payload, or in a chunk of OpenAI's form."""
        citation = _citation_in(chunk)
        return cls.from_dict_list([_placed(citation)]) if citation else None

    # ------------------------------------------------------------ like a list

    def __iter__(self) -> Iterator[Citation]:  # pyright: ignore[reportIncompatibleMethodOverride]
        return iter(self.citations)

    def __len__(self) -> int:
        return len(self.citations)

    def __getitem__(self, index: int) -> Citation:
        return self.citations[index]


def _citation_in(chunk: Any) -> dict[str, Any] | None:
    payload = getattr(chunk, "payload", None)
    choices = getattr(chunk, "choices", None)
    if choices:
        payload = getattr(choices[0].delta, "provider_specific_fields", None)
    citation = payload.get("citation") if isinstance(payload, dict) else None
    return citation if isinstance(citation, dict) else None


def _placed(entry: dict[str, Any]) -> dict[str, Any]:
    """Citations of PDFs count pages and those of search results blocks: without characters they start at 0."""
    text = entry.get("cited_text") or ""
    return {"document_index": 0, "start_char_index": 0, "end_char_index": len(text), **entry}
