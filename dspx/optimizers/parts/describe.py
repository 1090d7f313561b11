"""A program, its leaves and its data, as text that a model can read."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from textwrap import dedent
from typing import Any

_LONGEST_SOURCE = 12_000
_LONGEST_VALUE = 1_000


def program_source(program: Any) -> str:
    """The source of the program's own classes; of those without source, and of plain leaves, their structure."""
    classes = dict.fromkeys(type(module) for _, module in program.named_sub_modules())
    parts = [_source(cls) for cls in classes if cls.__module__.partition(".")[0] != "dspx"]
    text = "\n\n".join(part for part in parts if part) or structure(program)
    return text if len(text) <= _LONGEST_SOURCE else text[:_LONGEST_SOURCE] + "\n# (cut here)"


def structure(program: Any) -> str:
    """The leaves of a program, a line each: name, class, fields."""
    return "\n".join(
        f"{name} = {type(leaf).__name__}({leaf.signature.signature!r})"
        for name, leaf in program.named_predictors()
    )


def leaf_definition(name: str, leaf: Any, instructions: str | None = None) -> str:
    """One leaf: its fields with types and descriptions, and its instructions."""
    signature = leaf.signature
    lines = [f"Module {name}"]
    for title, fields in (("inputs", signature.input_fields), ("outputs", signature.output_fields)):
        lines.append(f"  {title}:")
        lines += [f"    {field}" for field in _fields(fields)]
    text = signature.instructions if instructions is None else instructions
    lines += ["  instructions:", *(f"    {line}" for line in text.splitlines())]
    return "\n".join(lines)


def program_definition(program: Any, instructions: Mapping[str, str] | None = None) -> str:
    """Every leaf, with its instructions."""
    given = instructions or {}
    return "\n\n".join(
        leaf_definition(name, leaf, given.get(name)) for name, leaf in program.named_predictors()
    )


def values_text(values: Mapping[str, Any], longest: int = _LONGEST_VALUE) -> str:
    """Values by name, a line each, long ones cut."""
    return "\n".join(f"{name}: {_cut(str(value), longest)}" for name, value in values.items())


def examples_text(examples: Iterable[Any], longest: int = _LONGEST_VALUE) -> str:
    """Examples, numbered."""
    return "\n\n".join(
        f"Example {number}\n{values_text(dict(example.items()), longest)}"
        for number, example in enumerate(examples, 1)
    )


def demos_text(demos: Sequence[Any], signature: Any, longest: int = _LONGEST_VALUE) -> str:
    """Solved examples of a leaf, in its own fields."""
    names = list(signature.fields)
    shown = [{name: demo[name] for name in names if name in demo} for demo in demos]
    return "\n\n".join(values_text(values, longest) for values in shown if values)


def _source(cls: type) -> str:
    try:
        return dedent(inspect.getsource(cls)).strip()
    except (OSError, TypeError):  # typed at a prompt
        return ""


def _fields(fields: Mapping[str, Any]) -> list[str]:
    return [
        f"{name} ({getattr(field.annotation, '__name__', field.annotation)})"
        + (f": {field.description_text}" if field.description_text else "")
        for name, field in fields.items()
    ]


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[:longest]} … ({len(text) - longest} characters more)"
