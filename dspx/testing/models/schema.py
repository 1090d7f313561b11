"""Answers anything validly: dspx's prompts, JSON schemas, tools. The values mean nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from dspx.lm.request import Request
from dspx.lm.response import Output
from dspx.testing.jsonvalues import satisfies, value_for
from dspx.testing.models.base import schema_asked, tool_call
from dspx.testing.prompt.reading import Asking, extracted, read_prompt
from dspx.testing.prompt.wanted import Wanted
from dspx.testing.prompt.writing import write_answer


class Schematic:
    """For each output a valid value, the same for the same prompt: the first label, 0, a text naming the field."""

    plain = "This is a sample answer."

    def answer(self, request: Request, index: int = 0) -> Output:
        called = tool_call(request)
        if called is not None:
            return called
        return Output(self._text(request), finish_reason="stop")

    def fill(self, asking: Asking) -> dict[str, Any]:
        """Values for some or all of the outputs; the rest gets valid ones. Subclasses have more to say."""
        return {}

    def _text(self, request: Request) -> str:
        asking = read_prompt(request.messages)
        schema = schema_asked(request)
        if asking is None:
            return (
                self.plain
                if schema is None
                else orjson.dumps(value_for(schema or {"type": "object"})).decode()
            )
        known = self._known(asking)
        if schema and "properties" in schema:
            return orjson.dumps(_fitted({**_described(asking), **known}, schema)).decode()
        values = {
            name: known[name] if name in known else value_for(output.schema, name)
            for name, output in asking.outputs.items()
        }
        return write_answer("json" if schema is not None else asking.layout, values, asking.outputs)

    def _known(self, asking: Asking) -> dict[str, Any]:
        """What this model has to say, and what the text says that the outputs are to be extracted from."""
        known = self.fill(asking)
        if asking.extracts:
            text = next(iter(asking.inputs.values()), "")
            for name, found in extracted(text, tuple(asking.outputs)).items():
                value = _read(found, asking.outputs[name])
                if value is not None:
                    known[name] = value
        return known


def _described(asking: Asking) -> dict[str, Any]:
    """Values by what the prompt says of each output, where that says enough; bounds may stand there and nowhere else."""
    return {
        name: value_for(output.schema, name) for name, output in asking.outputs.items() if output.is_known
    }


def _fitted(known: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """A value for each property: the one that is known, where the schema allows it."""
    return {
        name: known[name]
        if name in known and satisfies(known[name], each, schema)
        else value_for(each, name, schema)
        for name, each in schema["properties"].items()
    }


def _read(text: str, output: Wanted) -> Any:
    """A value written in free text; None where it cannot be meant for this output."""
    if output.is_text or text in output.options:
        return text
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        value = {"True": True, "False": False}.get(text)
    return value if satisfies(value, output.schema) else None
