"""A function's arguments as JSON schemas, and values checked against one."""

from __future__ import annotations

import inspect
import re
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from dspx.adapters.render import jsonable
from dspx.errors import UsageError


@dataclass(frozen=True, slots=True)
class Parameters:
    """What a function takes: schema and type of each argument, and whether it takes any others."""

    args: dict[str, Any] = field(default_factory=dict[str, Any])
    types: dict[str, Any] = field(default_factory=dict[str, Any])
    takes_any: bool = False
    positional: tuple[str, ...] = ()


def parameters_of(func: Callable[..., Any]) -> Parameters:
    """Read a function's signature. `UsageError` where a type in it cannot be found."""
    try:
        signature = inspect.signature(func)
    except (TypeError, ValueError):  # built-in functions may have none
        return Parameters(takes_any=True)
    hints = _hints(func)
    args: dict[str, Any] = {}
    types: dict[str, Any] = {}
    positional: list[str] = []
    takes_any = False
    for name, parameter in signature.parameters.items():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            takes_any = takes_any or parameter.kind is parameter.VAR_KEYWORD
            continue
        if parameter.kind is parameter.POSITIONAL_ONLY:
            positional.append(name)
        types[name] = hints.get(name, Any)
        args[name] = schema_of(types[name])
        if parameter.default is not parameter.empty:
            args[name] = {**args[name], "default": jsonable(parameter.default)}
    return Parameters(args, types, takes_any, tuple(positional))


def schema_of(annotation: Any) -> dict[str, Any]:
    """The JSON schema of a type with its references inlined; {} where it has none."""
    import pydantic

    try:
        adapter = pydantic.TypeAdapter(annotation)
        return inlined(adapter.json_schema())
    except (pydantic.PydanticUserError, pydantic.errors.PydanticSchemaGenerationError):
        return {}


def inlined(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema with its `$ref`s replaced by what they point to; a type within itself is any object there."""
    definitions = {**schema.get("$defs", {}), **schema.get("definitions", {})}

    def resolve(part: Any, outer: tuple[str, ...]) -> Any:
        if isinstance(part, list):
            return [resolve(item, outer) for item in part]
        if not isinstance(part, Mapping):
            return part
        target = part.get("$ref")
        rest = {key: value for key, value in part.items() if key not in ("$ref", "$defs", "definitions")}
        found: dict[str, Any] = {key: resolve(value, outer) for key, value in rest.items()}
        name = target.rpartition("/")[2] if isinstance(target, str) else ""
        if name not in definitions:
            return found
        inner = {"type": "object"} if name in outer else resolve(definitions[name], (*outer, name))
        return {**inner, **found}

    return resolve(schema, ())


def _hints(func: Callable[..., Any]) -> dict[str, Any]:
    while isinstance(func, partial):
        func = func.func
    target: Any = func if inspect.isroutine(func) or isinstance(func, type) else type(func).__call__
    if isinstance(target, type):
        target = target.__init__
    try:
        return typing.get_type_hints(inspect.unwrap(target), include_extras=True)
    except NameError as error:
        raise UsageError(
            f"A type of {getattr(func, '__qualname__', func)} is not known where it is written: {error}. "
            "Import it there, or give the tool `arg_types`."
        ) from error
    except TypeError:  # a built-in without annotations
        return {}


# ---------------------------------------------------------------- checking


def problem_with(value: Any, schema: Any, where: str = "") -> str | None:
    """What in `value` does not fit a JSON schema, in words; None where it fits. Unknown keywords say nothing."""
    if schema is False:
        return f"{where}nothing is allowed here"
    if not isinstance(schema, Mapping):
        return None
    for check in _CHECKS:
        problem = check(value, schema, where)
        if problem is not None:
            return problem
    return None


_TYPES: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: (
        (isinstance(value, int) and not isinstance(value, bool))
        or (isinstance(value, float) and value.is_integer())
    ),
    "number": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "array": lambda value: isinstance(value, (list, tuple)),
    "object": lambda value: isinstance(value, Mapping),
}


def _type(value: Any, schema: Mapping[str, Any], where: str) -> str | None:
    kinds = schema.get("type")
    names = [kinds] if isinstance(kinds, str) else kinds
    if names and not any(_TYPES.get(name, lambda _: True)(value) for name in names):
        return f"{where}{value!r:.80} is not of type {' or '.join(repr(name) for name in names)}"
    return None


def _choice(value: Any, schema: Mapping[str, Any], where: str) -> str | None:
    if "enum" in schema and value not in schema["enum"]:
        return f"{where}{value!r:.80} is not one of {list(schema['enum'])}"
    if "const" in schema and value != schema["const"]:
        return f"{where}{value!r:.80} is not {schema['const']!r}"
    return None


def _bounds(value: Any, schema: Mapping[str, Any], where: str) -> str | None:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        for key, wrong, words in (
            ("minimum", lambda a, b: a < b, "less than"),
            ("maximum", lambda a, b: a > b, "greater than"),
            ("exclusiveMinimum", lambda a, b: a <= b, "not greater than"),
            ("exclusiveMaximum", lambda a, b: a >= b, "not less than"),
        ):
            if key in schema and wrong(value, schema[key]):
                return f"{where}{value!r} is {words} {schema[key]}"
    if isinstance(value, (str, list, tuple)):
        small, large = ("minLength", "maxLength") if isinstance(value, str) else ("minItems", "maxItems")
        if len(value) < schema.get(small, 0):
            return f"{where}{value!r:.80} is too short: at least {schema[small]}"
        if large in schema and len(value) > schema[large]:
            return f"{where}{value!r:.80} is too long: at most {schema[large]}"
    if isinstance(value, str) and "pattern" in schema and not _matches(schema["pattern"], value):
        return f"{where}{value!r:.80} does not match {schema['pattern']!r}"
    return None


def _matches(pattern: str, value: str) -> bool:
    try:
        return re.search(pattern, value) is not None
    except re.error:  # a pattern of another language's
        return True


def _members(value: Any, schema: Mapping[str, Any], where: str) -> str | None:
    if isinstance(value, (list, tuple)):
        items = schema.get("items")
        problems = (problem_with(item, items, f"{where}[{index}]: ") for index, item in enumerate(value))
        return next((problem for problem in problems if problem), None)
    if not isinstance(value, Mapping):
        return None
    missing = [name for name in schema.get("required", ()) if name not in value]
    if missing:
        return f"{where}{missing[0]!r} is missing"
    known = schema.get("properties", {})
    others = schema.get("additionalProperties")
    for name, member in value.items():
        problem = problem_with(member, known.get(name, others), f"{where}{name}: ")
        if problem:
            return problem
    return None


def _combined(value: Any, schema: Mapping[str, Any], where: str) -> str | None:
    for part in schema.get("allOf", ()):
        if problem := problem_with(value, part, where):
            return problem
    for key in ("anyOf", "oneOf"):
        choices = schema.get(key)
        if choices:
            problems = [problem_with(value, choice, where) for choice in choices]
            if None not in problems:
                return "; or ".join(dict.fromkeys(str(problem) for problem in problems))
    return None


_CHECKS = (_type, _choice, _bounds, _members, _combined)
