"""What a session in a sandbox looks like to a model: its variables, and what was run with what output."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pydantic

from dspx.sandbox.values import encode

if TYPE_CHECKING:
    from typing_extensions import Self


class REPLVariable(pydantic.BaseModel):
    """A variable, described: its type and size, and a look at its beginning and end."""

    model_config = pydantic.ConfigDict(frozen=True)

    name: str
    type_name: str
    desc: str = ""
    constraints: str = ""
    total_length: int
    preview: str

    @classmethod
    def from_value(cls, name: str, value: Any, field_info: Any = None, preview_chars: int = 1000) -> Self:
        text = value_text(value)
        return cls(
            name=name,
            type_name=type(value).__name__,
            desc=_description(field_info),
            constraints=getattr(field_info, "constraints", None) or "",
            total_length=len(text),
            preview=shortened(text, preview_chars, "..."),
        )

    def format(self) -> str:
        lines = [f"Variable: `{self.name}` (access it in your code)", f"Type: {self.type_name}"]
        if self.desc:
            lines.append(f"Description: {self.desc}")
        if self.constraints:
            lines.append(f"Constraints: {self.constraints}")
        lines += [f"Total length: {self.total_length:,} characters", "Preview:", "```", self.preview, "```"]
        return "\n".join(lines)

    @pydantic.model_serializer
    def serialize_model(self) -> str:
        return self.format()


class REPLEntry(pydantic.BaseModel):
    """One step: why, which code, and what came of it."""

    model_config = pydantic.ConfigDict(frozen=True)

    reasoning: str = ""
    code: str
    output: str

    def format(self, index: int, max_output_chars: int = 10_000) -> str:
        reasoning = f"Reasoning: {self.reasoning}\n" if self.reasoning else ""
        output = self.format_output(self.output, max_output_chars)
        return f"=== Step {index + 1} ===\n{reasoning}Code:\n```python\n{self.code}\n```\n{output}"

    @staticmethod
    def format_output(output: str, max_output_chars: int = 10_000) -> str:
        hidden = len(output) - max_output_chars // 2 * 2
        gap = f"\n\n... ({hidden:,} characters omitted) ...\n\n"
        return f"Output ({len(output):,} chars):\n{shortened(output, max_output_chars, gap)}"


class REPLHistory(pydantic.BaseModel):
    """The steps so far. `append` gives a longer history and leaves this one as it is."""

    model_config = pydantic.ConfigDict(frozen=True)

    entries: list[REPLEntry] = pydantic.Field(default_factory=list[REPLEntry])
    max_output_chars: int = 10_000

    def append(self, *, reasoning: str = "", code: str, output: str) -> REPLHistory:
        entry = REPLEntry(reasoning=reasoning, code=code, output=output)
        return REPLHistory(entries=[*self.entries, entry], max_output_chars=self.max_output_chars)

    def format(self) -> str:
        if not self.entries:
            return "Nothing has been run yet."
        return "\n".join(
            entry.format(place, self.max_output_chars) for place, entry in enumerate(self.entries)
        )

    @pydantic.model_serializer
    def serialize_model(self) -> str:
        return self.format()

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[REPLEntry]:  # type: ignore[override]
        return iter(self.entries)

    def __bool__(self) -> bool:
        return bool(self.entries)


def value_text(value: Any) -> str:
    """A value as a model reads it: text as it is, structures as indented JSON."""
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, (int, float)):
        return str(value)
    plain = json.loads(encode(value))
    return plain if isinstance(plain, str) else json.dumps(plain, indent=2, ensure_ascii=False)


def shortened(text: str, limit: int, gap: str) -> str:
    """The text, or its beginning and its end where it is longer than `limit`."""
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[:half]}{gap}{text[len(text) - half :]}"


def _description(field: Any) -> str:
    """What the signature says of the field."""
    return str(getattr(field, "description_text", None) or getattr(field, "description", None) or "")
