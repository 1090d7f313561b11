"""The base of content types: a value that says how it looks in a prompt.

class Chart(dspx.Type):
    spec: str

    def format(self):
        return [{"type": "text", "text": self.spec}]
"""

from __future__ import annotations

import typing
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, ConfigDict, model_serializer

from dspx.content.markers import marked

if TYPE_CHECKING:
    from collections.abc import Mapping


def without_our_docstring(schema: dict[str, Any], cls: Any) -> None:
    """Docstrings of this package are for readers of code, and no part of anybody's prompt."""
    if cls.__module__.startswith("dspx.content."):
        schema.pop("description", None)


class Type(BaseModel):
    """A field's type with its own looks in a prompt. Subclass it, and say in `format` what the model gets."""

    model_config = ConfigDict(json_schema_extra=without_our_docstring)

    _rendered_from: ClassVar[tuple[str, ...]] = ()
    """Fields that decide all of `format()`, where the rendered text is worth remembering."""

    def format(self) -> list[dict[str, Any]] | str:
        """The value as content blocks in OpenAI's form, or as text."""
        raise NotImplementedError(f"{type(self).__name__} must define format(): content blocks, or a text.")

    @classmethod
    def description(cls) -> str:
        """What the prompt says of this type, wherever a field has it."""
        return ""

    # ------------------------------------------------------------ native features of models

    @classmethod
    def native_feature(
        cls, signature: Any, field_name: str, lm: Any, params: Mapping[str, Any]
    ) -> tuple[Any, dict[str, Any]]:
        """The signature and the call's parameters when `lm` itself provides this field. Changes neither argument."""
        changed = dict(params)
        return cls.adapt_to_native_lm_feature(signature, field_name, lm, changed), changed

    @classmethod
    def adapt_to_native_lm_feature(
        cls, signature: Any, field_name: str, lm: Any, lm_kwargs: dict[str, Any]
    ) -> Any:
        """Override it to take `field_name` out of the prompt: the signature without it, and edited `lm_kwargs`."""
        return signature

    @classmethod
    def parse_lm_response(cls, response: str | dict[str, Any]) -> Any:
        """The field's value from a completion that carries more than text, or None."""
        return None

    @classmethod
    def is_streamable(cls) -> bool:
        return False

    @classmethod
    def parse_stream_chunk(cls, chunk: Any) -> Any:
        """The part of the field's value that a piece of a stream carries, or None."""
        return None

    # ------------------------------------------------------------ rendering

    @model_serializer()
    def serialize_model(self) -> Any:
        """What stands for the value inside text and JSON: its text, or its marked blocks."""
        if not self._rendered_from:
            return self._rendered()
        key = tuple(getattr(self, name) for name in self._rendered_from)
        remembered = vars(self).get("_remembered")
        if remembered is None or remembered[0] != key:
            # beside pydantic's fields, which equality and hashing look at
            remembered = vars(self)["_remembered"] = (key, self._rendered())
        return remembered[1]

    def _rendered(self) -> str:
        content = self.format()
        return content if isinstance(content, str) else marked(content)

    @classmethod
    def extract_custom_type_from_annotation(cls, annotation: Any) -> list[type[Type]]:
        """The content types that an annotation contains, at any depth."""
        if isinstance(annotation, type) and not typing.get_args(annotation):
            return [annotation] if issubclass(annotation, Type) else []
        found = [cls.extract_custom_type_from_annotation(inner) for inner in typing.get_args(annotation)]
        return list(dict.fromkeys(type_ for types in found for type_ in types))
