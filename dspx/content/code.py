"""Program text: `Code`, and `Code["java"]` for another language. Read out of a fenced block where there is one."""

from __future__ import annotations

import re
import textwrap
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import create_model, model_validator

from dspx.content.base import Type

if TYPE_CHECKING:
    from typing_extensions import Self

_BLOCK = re.compile(r"^[ \t]*(`{3,})[^\n`]*\n(.*?)\n?[ \t]*\1[ \t]*\r?$", re.DOTALL | re.MULTILINE)
_INLINE_BLOCK = re.compile(r"`{3,}(?:[^\n`]*\n)?(.*?)`{3,}", re.DOTALL)
_UNCLOSED = re.compile(r"\s*`{3,}[^\n`]*\n(.*)\Z", re.DOTALL)


class Code(Type):
    """Code in a prompt or an answer. `Code["java"]` is the same for Java, and so on."""

    code: str

    language: ClassVar[str] = "python"

    def __class_getitem__(cls, language: Any) -> type[Self]:
        return _of_language(cls, str(language))

    def format(self) -> str:
        return self.code

    @classmethod
    def description(cls) -> str:
        return (
            "Code represented in a string, specified in the `code` field. If this is an output field, the code "
            "field should follow the markdown code block format, e.g. \n"
            f"```{cls.language.lower()}\n{{code}}\n```\n"
            f"Programming language: {cls.language}"
        )

    @model_validator(mode="before")
    @classmethod
    def validate_input(cls, value: Any) -> Any:
        """Text, a dict with `code`, or Code of another language; the first fenced block is the code."""
        if isinstance(value, cls):
            return value
        text = (
            value.code if isinstance(value, Code) else value.get("code") if isinstance(value, dict) else value
        )
        if isinstance(text, str):
            return {"code": _unfenced(text)}
        if isinstance(value, dict):
            raise ValueError("The `code` field is required for Code, and it is a string.")
        raise ValueError(f"Received invalid value for Code: {value!r}")


@lru_cache(maxsize=256)
def _of_language(base: type[Any], language: str) -> type[Any]:
    """One class per language, so that signatures which name it are alike."""
    made = create_model(f"{base.__name__}_{language}", __base__=base, __module__=base.__module__)
    made.language = language
    return made


def _unfenced(text: str) -> str:
    """The first fenced block of the text, its common indentation taken off; the text itself where there is none."""
    if "```" not in text:
        return text
    if block := _BLOCK.search(text):
        return _trimmed(block.group(2))
    if block := _INLINE_BLOCK.search(text):
        return _trimmed(block.group(1))
    if block := _UNCLOSED.match(text):  # the answer was cut off
        return _trimmed(block.group(1))
    return text


def _trimmed(code: str) -> str:
    return textwrap.dedent(code).strip()
