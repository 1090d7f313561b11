"""Answers as one JSON object, held to a schema by the model itself where it can."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dspx.adapters import loose_json, native_tools
from dspx.adapters.base import missing_outputs
from dspx.adapters.chat import INTRODUCTION, ChatAdapter, sections_of, structure_of, type_notes
from dspx.adapters.coerce import why
from dspx.adapters.fieldstream import FieldStream, JSONFieldStream
from dspx.adapters.plan import Shape
from dspx.adapters.render import json_text, value_note
from dspx.core.fields import MISSING

logger = logging.getLogger("dspx.adapters")

JSON_OBJECT = {"type": "json_object"}
SCHEMA_NAME = "DSPyProgramOutputs"


class JSONAdapter(ChatAdapter, layout=True):
    """Inputs under markers, outputs as one JSON object.

    Models that take a JSON schema are given the outputs' schema; where a type cannot be said in one (open dicts,
    `Any`, tuples, sets), or the model knows only JSON mode, JSON mode; else nothing but the prompt.
    """

    def __init__(
        self,
        callbacks: list[Any] | None = None,
        use_native_function_calling: bool = True,
        parallel_tool_calls: bool | None = None,
        *,
        native_response_types: Sequence[Any] | None = None,
        ask_again: bool = True,
    ) -> None:
        super().__init__(
            callbacks,
            use_native_function_calling,
            native_response_types,
            use_json_adapter_fallback=False,
            parallel_tool_calls=parallel_tool_calls,
            ask_again=ask_again,
        )

    # ------------------------------------------------------------ what the model is held to

    def _prepared(
        self,
        lm: Any,
        lm_kwargs: Mapping[str, Any],
        signature: Any,
        shape: Shape,
        inputs: Mapping[str, Any],
    ) -> tuple[Any, dict[str, Any]]:
        asked, params = super()._prepared(lm, lm_kwargs, signature, shape, inputs)
        if params.get("response_format") is None and asked.output_fields:
            response_format = self.response_format(lm, asked)
            if response_format is not None:
                params["response_format"] = response_format
        return asked, params

    def response_format(self, lm: Any, signature: Any) -> dict[str, Any] | None:
        """What `lm` is held to, by what is known of it: a JSON schema, JSON, or nothing."""
        if "response_format" not in getattr(lm, "supported_params", ()):
            return None
        with_schema = getattr(lm, "supports_response_schema", False)
        if with_schema:
            shape = self.plan(signature).shape
            schema = shape.once("schema", lambda: _schema_of(signature) or False)
            if schema:
                return {
                    "type": "json_schema",
                    "json_schema": {"name": SCHEMA_NAME, "schema": schema, "strict": True},
                }
        facts = getattr(lm, "facts", None)
        if facts is not None and facts.supports_response_schema and not facts.supports_json_object:
            return None
        return JSON_OBJECT

    # ------------------------------------------------------------ prompts

    def format_field_structure(self, signature: Any) -> str:
        return self.plan(signature).shape.once("structure", lambda: _structure(signature))

    def user_message_output_requirements(self, signature: Any) -> str | None:
        if native_tools.is_answered_natively(signature):
            return None
        return self.plan(signature).shape.once(
            "requirements",
            lambda: (
                "Respond with a JSON object in the following order of fields: "
                f"{type_notes(signature.output_fields, '{}')}."
            ),
        )

    def format_assistant_message_content(
        self, signature: Any, outputs: Mapping[str, Any], missing_field_message: str | None = None
    ) -> str:
        values = {name: outputs.get(name, missing_field_message) for name in signature.output_fields}
        return json_text(values, indented=True)

    # ------------------------------------------------------------ a completion → values

    def parse(self, signature: Any, completion: str) -> dict[str, Any]:
        shape = self.plan(signature).shape
        try:
            exact = loose_json.strict(completion.strip())
        except ValueError:
            exact = None
        if isinstance(exact, dict):
            found, wrong = _coerced(shape, exact)
            if len(found) == len(shape.outputs):
                return {name: found[name] for name in shape.outputs}
            if wrong is None and len(values := shape.completed(found)) == len(shape.outputs):
                return values
        return self._tolerantly(signature, shape, completion, exact)

    def _tolerantly(self, signature: Any, shape: Shape, completion: str, exact: Any) -> dict[str, Any]:
        reason: str | None = None
        best: dict[str, Any] = {}
        for members in _objects(shape, completion, exact):
            found, wrong = _coerced(shape, members)
            values = shape.completed(found)
            if wrong is None and len(values) == len(shape.outputs):
                return values
            if len(found) > len(best) or reason is None:
                best, reason = found, wrong or missing_outputs(shape, found)
        reason = reason or "The answer is not a JSON object."
        raise self._failure(signature, completion, reason, best)

    def field_stream(self, signature: Any) -> FieldStream | None:
        """Reads a completion while it arrives; None for a subclass with a `parse` of its own."""
        return None if "parse" in self._hooked else JSONFieldStream(self.plan(signature).shape.outputs)


def values_in_json(shape: Shape, text: str) -> dict[str, Any] | None:
    """The outputs, where the text holds a JSON object with all of them."""
    if "{" not in text:
        return None
    for members in _members_of(shape, loose_json.candidates(text)):
        found, wrong = _coerced(shape, members)
        if wrong is None and all(name in found for name in shape.required):
            return shape.completed(found)
    return None


# ---------------------------------------------------------------- fixed texts


def _structure(signature: Any) -> str:
    outputs = {name: value_note(name, field) for name, field in signature.output_fields.items()}
    parts = (
        INTRODUCTION,
        "Inputs will have the following structure:",
        structure_of(signature.input_fields),
        "Outputs will be a JSON object with the following fields.",
        json_text(outputs, indented=True),
    )
    return "\n\n".join(parts)


# ---------------------------------------------------------------- reading


def _coerced(shape: Shape, members: Mapping[str, Any]) -> tuple[dict[str, Any], str | None]:
    """The outputs among an object's members, and what was wrong with the first wrong one."""
    found: dict[str, Any] = {}
    wrong: str | None = None
    for name, coerce in shape.coercers.items():
        if name in members:
            try:
                found[name] = coerce(members[name])
            except ValueError as error:
                wrong = wrong or f"The field `{name}` could not be read: {why(error)}."
    return found, wrong


def _objects(shape: Shape, completion: str, exact: Any) -> Iterator[Mapping[str, Any]]:
    """What may be the answer's object, the likeliest first."""
    yield from _members_of(shape, [exact] if exact is not None else loose_json.candidates(completion))
    text = loose_json.without_thoughts(completion)
    if "[[" in text:  # an answer in the form of the inputs
        yield dict(reversed(sections_of(text)))
    if exact is not None and len(shape.outputs) == 1 and not isinstance(exact, (dict, str)):
        yield {next(iter(shape.outputs)): exact}


def _members_of(shape: Shape, candidates: Any) -> Iterator[Mapping[str, Any]]:
    """Objects with the outputs as members: as they are, in another case, in a list of one, or one level down."""
    for candidate in candidates:
        if isinstance(candidate, list) and candidate:
            candidate = candidate[-1]
        if not isinstance(candidate, dict):
            continue
        if not candidate.keys().isdisjoint(shape.outputs):
            yield candidate
        yield _renamed(shape, candidate)
        if len(candidate) == 1 and isinstance(inner := next(iter(candidate.values())), dict):
            yield _renamed(shape, inner)


def _renamed(shape: Shape, members: Mapping[Any, Any]) -> dict[str, Any]:
    """The members under the outputs' own spelling of their names."""
    names = {_folded(name): name for name in shape.outputs}
    return {names.get(_folded(str(key)), str(key)): value for key, value in members.items()}


def _folded(name: str) -> str:
    return re.sub(r"[_\s\-]", "", name).casefold()


# ---------------------------------------------------------------- the schema


def _schema_of(signature: Any) -> dict[str, Any] | None:
    """The JSON schema of the outputs with every object closed; None where strict schemas cannot say it."""
    import pydantic

    members: dict[str, Any] = {
        name: (field.annotation, ... if field.default is MISSING else field.default)
        for name, field in signature.output_fields.items()
    }
    try:
        model = pydantic.create_model(SCHEMA_NAME, __config__=pydantic.ConfigDict(extra="forbid"), **members)
        schema = model.model_json_schema()
    except (ValueError, TypeError, pydantic.errors.PydanticUserError) as error:
        logger.warning("The outputs %s have no JSON schema, using JSON mode: %s", list(members), error)
        return None
    return schema if _close(schema) else None


_SAYS_WHAT = frozenset({"type", "$ref", "anyOf", "oneOf", "allOf", "enum", "const"})
_UNSAYABLE = ("prefixItems", "uniqueItems", "patternProperties", "allOf")


def _close(part: dict[str, Any]) -> bool:
    """Make a schema strict, in place: every member required, no others allowed. False where that would change
    what is meant, or where strict mode has no word for it."""
    part.pop("default", None)  # every member is required
    part.pop("discriminator", None)
    if "oneOf" in part:
        part["anyOf"] = part.pop("oneOf")
    if "$ref" in part and len(part) > 1:  # strict mode wants a reference alone
        part["anyOf"] = [{"$ref": part.pop("$ref")}]
    if not part.keys() & _SAYS_WHAT or any(part.get(key) for key in _UNSAYABLE):
        return False
    if part.get("type") == "object":
        members = part.get("properties")
        if members is None or part.get("additionalProperties") not in (None, False):
            return False
        part["required"] = list(members)
        part["additionalProperties"] = False
    if part.get("type") == "array" and "items" not in part:
        return False
    inner = [*part.get("$defs", {}).values(), *part.get("properties", {}).values(), *part.get("anyOf", ())]
    return all(_close(each) for each in [*inner, *([part["items"]] if "items" in part else [])])
