"""Signatures written as a string: `"question, docs: list[str] -> answer: bool"`.

Names are looked up among Python's own types, `typing`, the given `custom_types`, dspx's content types, and
what is in sight where the signature is written. Nothing is ever imported because a string names it.
"""

from __future__ import annotations

import ast
import builtins
import re
import sys
import typing
from collections.abc import Callable, Mapping
from functools import lru_cache
from types import ModuleType
from typing import Any

from dspx.errors import SignatureError

Side = tuple[tuple[str, Any, bool], ...]
"""`(name, type, whether a type was written)` for each field."""

_BUILTIN_TYPES = (
    "int",
    "str",
    "float",
    "bool",
    "list",
    "tuple",
    "dict",
    "set",
    "frozenset",
    "complex",
    "bytes",
    "bytearray",
    "object",
)
_ROOTS = ("dspx", "dspy")


class _NotKnown(Exception):
    """A name that needs to be looked up where the signature was written."""


def parse_shorthand(text: str, custom_types: Mapping[str, Any] | None = None) -> tuple[Side, Side]:
    """The inputs and the outputs that `text` declares. `SignatureError` tells what cannot be read."""
    if custom_types:
        return _parse(text, _in_mapping(custom_types, _in_frames))
    try:
        return _parse_without_looking_around(text)
    except _NotKnown:
        return _parse(text, _in_frames)


@lru_cache(maxsize=2048)
def _parse_without_looking_around(text: str) -> tuple[Side, Side]:
    def unknown(name: str) -> Any:
        raise _NotKnown(name)

    return _parse(text, unknown)


Lookup = Callable[[str], Any]

_ARROW = re.compile(r"""->(?=(?:[^'"]|'[^']*'|"[^"]*")*$)""")  # not inside the quotes of a Literal


def _parse(text: str, lookup: Lookup) -> tuple[Side, Side]:
    sides = _ARROW.split(text)
    if len(sides) != 2:
        raise SignatureError(f"Invalid signature format: {text!r}, must contain exactly one '->'.")
    left, right = sides
    inputs, outputs = _side(left, text, lookup), _side(right, text, lookup)
    names = [name for name, _, _ in (*inputs, *outputs)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise SignatureError(
            f"Fields of a signature must have distinct names, but {', '.join(map(repr, twice))} is there twice in {text!r}."
        )
    return inputs, outputs


def _side(side: str, text: str, lookup: Lookup) -> Side:
    try:
        function = ast.parse(f"def f(\n{side}\n): pass").body[0]
    except SyntaxError as error:
        raise SignatureError(
            f"Cannot read {side.strip()!r} in the signature {text!r}: {error.msg}. "
            "Write fields as `name` or `name: type`, separated by commas."
        ) from error
    assert isinstance(function, ast.FunctionDef)
    _refuse_the_rest(function.args, text)
    return tuple(
        (arg.arg, _type(arg.annotation, text, lookup), arg.annotation is not None)
        for arg in function.args.args
    )


def _refuse_the_rest(args: ast.arguments, text: str) -> None:
    if args.defaults or args.kw_defaults or args.vararg or args.kwarg or args.kwonlyargs or args.posonlyargs:
        raise SignatureError(
            f"The signature {text!r} has defaults, `*` or `/` among its fields. "
            "A signature string holds names and types only; for defaults use the class syntax."
        )


def _type(node: ast.expr | None, text: str, lookup: Lookup) -> Any:
    if node is None:
        return str
    resolved = _resolve(node, text, lookup)
    if not _is_type(resolved):
        raise SignatureError(
            f"Field types must be types, but received: {ast.unparse(node)} of type {type(resolved).__name__} in {text!r}."
        )
    return resolved


def _resolve(node: ast.expr, text: str, lookup: Lookup) -> Any:
    if isinstance(node, ast.Constant):
        return _constant(node.value)
    if isinstance(node, ast.Name):
        return _name(node.id, lookup)
    if isinstance(node, ast.Attribute):
        return _attribute(node, text, lookup)
    if isinstance(node, ast.Subscript):
        return _subscript(node, text, lookup)
    if isinstance(node, ast.Tuple):
        return tuple(_resolve(item, text, lookup) for item in node.elts)
    if isinstance(node, ast.List):
        return [_resolve(item, text, lookup) for item in node.elts]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return typing.Union[_resolve(node.left, text, lookup), _resolve(node.right, text, lookup)]  # noqa: UP007
    if (
        isinstance(node, ast.UnaryOp)
        and isinstance(node.op, ast.USub)
        and isinstance(node.operand, ast.Constant)
    ):
        return -typing.cast("Any", node.operand.value)
    if isinstance(node, ast.Call):
        return _field_call(node, text)
    raise SignatureError(f"Cannot read the type {ast.unparse(node)!r} in the signature {text!r}.")


def _constant(value: Any) -> Any:
    return type(None) if value is None else value


def _name(name: str, lookup: Lookup) -> Any:
    if name in _BUILTIN_TYPES:
        return getattr(builtins, name)
    found = getattr(typing, name, None) if name in typing.__all__ else None
    if found is not None and name not in ("Text",):
        return found
    return lookup(name)


def _attribute(node: ast.Attribute, text: str, lookup: Lookup) -> Any:
    root = node.value
    if isinstance(root, ast.Name) and root.id == "typing":
        owner: Any = typing
    elif isinstance(root, ast.Name) and root.id in _ROOTS:
        owner = sys.modules["dspx"]
    else:
        owner = _resolve(root, text, lookup)
    try:
        return getattr(owner, node.attr)
    except AttributeError as error:
        raise SignatureError(f"Unknown name: {ast.unparse(node)} in the signature {text!r}.") from error


def _subscript(node: ast.Subscript, text: str, lookup: Lookup) -> Any:
    base = _resolve(node.value, text, lookup)
    if base is typing.Literal:
        return base[_literal_values(node, text)]
    argument = _resolve(node.slice, text, lookup)
    try:
        return base[argument]
    except TypeError as error:
        raise SignatureError(
            f"Cannot read the type {ast.unparse(node)!r} in the signature {text!r}: {error}."
        ) from error


def _literal_values(node: ast.Subscript, text: str) -> Any:
    try:
        return ast.literal_eval(node.slice)
    except (ValueError, TypeError) as error:
        raise SignatureError(
            f"{ast.unparse(node)} in the signature {text!r} may hold constants only, such as "
            "Literal['red', 'green']."
        ) from error


def _field_call(node: ast.Call, text: str) -> Any:
    """`Field(ge=0)` inside `Annotated[...]`: constants only."""
    if not (isinstance(node.func, ast.Name) and node.func.id == "Field"):
        raise SignatureError(f"Cannot call {ast.unparse(node.func)} in the signature {text!r}.")
    import pydantic

    try:
        options: dict[str, Any] = {str(key.arg): ast.literal_eval(key.value) for key in node.keywords}
    except ValueError as error:
        raise SignatureError(f"{ast.unparse(node)} in {text!r} may hold constants only.") from error
    return pydantic.Field(**options)


def _in_mapping(names: Mapping[str, Any], otherwise: Lookup) -> Lookup:
    def lookup(name: str) -> Any:
        return names[name] if name in names else otherwise(name)

    return lookup


def _in_frames(name: str) -> Any:
    """What `name` means where the signature is written: the nearest frame outside dspx that knows it as a type."""
    frame = sys._getframe(1)
    while frame is not None:
        if not frame.f_globals.get("__name__", "").startswith("dspx.core."):
            for scope in (frame.f_locals, frame.f_globals):
                found = scope.get(name)
                if found is not None and (_is_type(found) or isinstance(found, ModuleType)):
                    return found
        frame = frame.f_back
    raise SignatureError(
        f"Unknown name: {name}. It is neither a Python type nor in sight where the signature is written; "
        f'pass it: Signature("…", custom_types={{"{name}": {name}}}).'
    )


_GENERIC_KINDS = (type, typing.TypeVar)


def _is_type(value: Any) -> bool:
    if isinstance(value, _GENERIC_KINDS) or value is typing.Any:
        return True
    return typing.get_origin(value) is not None or hasattr(value, "__supertype__")
