"""Values → an answer in the layout that the prompt asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape

import orjson

from dspx.testing.prompt.reading import Layout
from dspx.testing.prompt.wanted import Wanted


def write_answer(layout: Layout, values: Mapping[str, Any], outputs: Mapping[str, Wanted]) -> str:
    """The assistant's turn. `Verbatim` values go in as they are."""
    if layout == "json":
        return orjson.dumps(dict(values)).decode()
    if layout == "xml":
        return "\n\n".join(_element(name, value, outputs.get(name)) for name, value in values.items())
    if layout == "lines":
        return "\n\n".join(f"{name}: {as_text(value)}" for name, value in values.items())
    sections = [f"[[ ## {name} ## ]]\n{as_text(value)}" for name, value in values.items()]
    return "\n\n".join([*sections, "[[ ## completed ## ]]\n"])


class Verbatim(str):
    """Text that was read from the prompt in this very layout, and needs no writing."""


def as_text(value: Any) -> str:
    """A value as it stands under its marker."""
    if isinstance(value, str):
        return value
    return (
        str(value) if value is None or isinstance(value, (bool, int, float)) else orjson.dumps(value).decode()
    )


def _element(name: str, value: Any, wanted: Wanted | None) -> str:
    if isinstance(value, Verbatim) or wanted is None or wanted.template is None:
        inner = str(value) if isinstance(value, Verbatim) else escape(as_text(value))
        return f"<{name}>\n{inner}\n</{name}>"
    if wanted.is_known:
        return f"<{name}>{_nested(value)}</{name}>"
    # The template shows the tags but no types: "1" is a number, a text and a true boolean.
    return wanted.template.replace("...", "1")


def _nested(value: Any) -> str:
    if isinstance(value, dict):
        return "".join(f"<{key}>{_nested(item)}</{key}>" for key, item in value.items())
    if isinstance(value, list):
        return "".join(f"<item>{_nested(item)}</item>" for item in value)
    return escape(as_text(value))
