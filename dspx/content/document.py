"""Documents that a model can cite: sent as a `document` block with citations switched on."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import model_validator

from dspx.content.base import Type


class Document(Type):
    """A text (or a PDF in base64) with a title and a context that are not cited from."""

    data: str
    title: str | None = None
    media_type: Literal["text/plain", "application/pdf"] = "text/plain"
    context: str | None = None

    def format(self) -> list[dict[str, Any]]:
        kind = "text" if self.media_type == "text/plain" else "base64"
        block: dict[str, Any] = {
            "type": "document",
            "source": {"type": kind, "media_type": self.media_type, "data": self.data},
            "citations": {"enabled": True},
        }
        if self.title:
            block["title"] = self.title
        if self.context:
            block["context"] = self.context
        return [block]

    @classmethod
    def description(cls) -> str:
        return (
            "A document containing text content that can be referenced and cited. "
            "Include the full text content and optionally a title for proper referencing."
        )

    @model_validator(mode="before")
    @classmethod
    def validate_input(cls, value: Any) -> Any:
        return {"data": value} if isinstance(value, str) else value

    def __str__(self) -> str:
        title = f"'{self.title}': " if self.title else ""
        return f"Document({title}{len(self.data)} chars)"
