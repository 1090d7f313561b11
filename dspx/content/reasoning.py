"""A model's reasoning: reads like a string, and comes from the model's own thinking where it has one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import model_validator

from dspx.content.base import Type
from dspx.core.streams import Delta

DEFAULT_EFFORT = "low"


class Reasoning(Type):
    """The steps to an answer. `str(reasoning)` or `reasoning.content` is the text; the methods of `str` work."""

    content: str

    def format(self) -> str:
        return self.content

    @model_validator(mode="before")
    @classmethod
    def validate_input(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {"content": value}
        if isinstance(value, dict):
            if isinstance(value.get("content"), str):
                return value
            raise ValueError("The `content` field is required for Reasoning, and it is a string.")
        if isinstance(value, cls):
            return value
        raise ValueError(f"Received invalid value for Reasoning: {value!r}")

    # ------------------------------------------------------------ the model's own thinking

    @classmethod
    def adapt_to_native_lm_feature(
        cls, signature: Any, field_name: str, lm: Any, lm_kwargs: dict[str, Any]
    ) -> Any:
        """Where the model reasons by itself, ask for that instead of for the field."""
        if not getattr(lm, "supports_reasoning", False):
            return signature
        effort = _effort(lm, lm_kwargs)
        if effort is None or _hides_its_reasoning(lm):
            return signature
        lm_kwargs["reasoning_effort"] = effort
        return signature.delete(field_name)

    @classmethod
    def parse_lm_response(cls, response: str | dict[str, Any]) -> Reasoning | None:
        if isinstance(response, dict) and response.get("reasoning_content") is not None:
            return cls(content=response["reasoning_content"])
        return None

    @classmethod
    def is_streamable(cls) -> bool:
        return True

    @classmethod
    def parse_stream_chunk(cls, chunk: Any) -> str | None:
        """The reasoning in a `Delta`, or in a chunk of OpenAI's form."""
        if isinstance(chunk, Delta):
            return chunk.text if chunk.kind == "reasoning" else None
        choices = getattr(chunk, "choices", None)
        return getattr(choices[0].delta, "reasoning_content", None) if choices else None

    # ------------------------------------------------------------ like a string

    def __str__(self) -> str:
        return self.content

    def __repr__(self) -> str:
        return repr(self.content)

    def __format__(self, spec: str) -> str:
        return format(self.content, spec)

    def __len__(self) -> int:
        return len(self.content)

    def __getitem__(self, key: Any) -> str:
        return self.content[key]

    def __contains__(self, item: Any) -> bool:
        return str(item) in self.content

    def __iter__(self) -> Iterator[str]:  # pyright: ignore[reportIncompatibleMethodOverride]
        return iter(self.content)

    def __add__(self, other: Any) -> Any:
        if isinstance(other, Reasoning):
            return Reasoning(content=self.content + other.content)
        return self.content + other if isinstance(other, str) else NotImplemented

    def __radd__(self, other: Any) -> Any:
        return other + self.content if isinstance(other, str) else NotImplemented

    def __eq__(self, other: Any) -> bool:
        if isinstance(other, (str, Reasoning)):
            return self.content == str(other)
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self.content)

    def __getattr__(self, name: str) -> Any:
        if hasattr(str, name) and not name.startswith("__"):
            return getattr(self.content, name)
        raise AttributeError(
            f"Reasoning has no attribute {name!r}: it reads like a string, and str(reasoning) is the string."
        )


def _effort(lm: Any, lm_kwargs: dict[str, Any]) -> Any:
    """The call's effort, else the LM's, else the default; None where somebody switched reasoning off."""
    for options in (lm_kwargs, getattr(lm, "kwargs", {})):
        if "reasoning_effort" in options:
            return options["reasoning_effort"]
    return DEFAULT_EFFORT


def _hides_its_reasoning(lm: Any) -> bool:
    """GPT-5 over Chat Completions reasons without showing it: the field would come back empty."""
    return "gpt-5" in lm.model and getattr(lm, "model_type", "chat") == "chat"
