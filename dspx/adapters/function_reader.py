"""Answers read by a function of the user's, or taken whole as the only output."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dspx.adapters.base import Adapter, missing_outputs
from dspx.adapters.coerce import why
from dspx.adapters.fieldstream import FieldStream, Piece
from dspx.adapters.plan import Shape
from dspx.adapters.render import field_descriptions, value_text
from dspx.errors import UsageError


def whole(completion: str) -> str:
    """The completion as it is."""
    return completion


class FunctionReader(Adapter, layout=True):
    """`function(completion)` gives a dict of outputs, or the only output. What it raises makes the answer unreadable."""

    def __init__(self, function: Callable[[str], Any]) -> None:
        super().__init__()
        self.function = function

    def parse(self, signature: Any, completion: str) -> dict[str, Any]:
        shape = self.plan(signature).shape
        try:
            found: Any = self.function(completion)
        except Exception as error:
            reason = f"The answer could not be read: {type(error).__name__}: {error}."
            raise self._failure(signature, completion, reason) from error
        if not isinstance(found, Mapping) or (
            len(shape.outputs) == 1 and not set(found) & set(shape.outputs)
        ):
            found = {self._only_output(shape): found}
        values: dict[str, Any] = {}
        for name, value in found.items():
            if name in shape.coercers:
                values[name] = self._coerced(signature, completion, name, value, values)
        completed = shape.completed(values)
        if len(completed) < len(shape.outputs):
            raise self._failure(signature, completion, missing_outputs(shape, values), values)
        return completed

    def _coerced(self, signature: Any, completion: str, name: str, value: Any, found: dict[str, Any]) -> Any:
        try:
            return self.plan(signature).shape.coercers[name](value)
        except ValueError as error:
            reason = f"The field `{name}` could not be read: {why(error)}."
            raise self._failure(signature, completion, reason, found) from error

    def _only_output(self, shape: Shape) -> str:
        if len(shape.outputs) != 1:
            raise UsageError(
                f"The signature has {len(shape.outputs)} outputs ({', '.join(shape.outputs)}): a raw answer can fill "
                "only one. Give parse= a function that returns a dict, or one of 'chat', 'json', 'xml'."
            )
        return next(iter(shape.outputs))

    def format_field_description(self, signature: Any) -> str:
        return (
            f"Your input fields are:\n{field_descriptions(signature.input_fields)}\n"
            f"Your output fields are:\n{field_descriptions(signature.output_fields)}"
        )

    def format_field_structure(self, signature: Any) -> str:
        return ""

    def format_task_description(self, signature: Any) -> str:
        return signature.instructions

    def format_assistant_message_content(
        self, signature: Any, outputs: Mapping[str, Any], missing_field_message: str | None = None
    ) -> str:
        shown = {name: outputs.get(name, missing_field_message) for name in signature.output_fields}
        if len(shown) == 1:
            return value_text(next(iter(shown.values())))
        return "\n".join(f"{name}: {value_text(value)}" for name, value in shown.items())

    def field_stream(self, signature: Any) -> FieldStream | None:
        """All of a raw answer belongs to its only output; what a function makes of an answer is known at its end."""
        outputs = self.plan(signature).shape.outputs
        return WholeStream(next(iter(outputs))) if self.function is whole and len(outputs) == 1 else None


class WholeStream(FieldStream):
    """A completion that is one field."""

    def __init__(self, name: str) -> None:
        self.field = name

    def feed(self, text: str) -> list[Piece]:
        return [(self.field, text)] if text and self.field else []

    def close(self) -> list[Piece]:
        return []
