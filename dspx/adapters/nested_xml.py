"""Structured values as nested tags: `<person><name>Ada</name><tags><item>x</item></tags></person>`, and back."""

from __future__ import annotations

import json
import re
import types
import typing
from collections.abc import Callable
from typing import Annotated, Any, Union

from pydantic import BaseModel

from dspx.adapters.loose_xml import Node, children_of, escaped, unescaped
from dspx.adapters.record_types import Part, is_typed_dict, parts_of
from dspx.content.base import Type

Coerce = Callable[[str, Any], Any]
"""A text and an annotation → the value, or ValueError."""

_NAME = re.compile(r"[^\W\d][\w.\-]*\Z")
_LISTS = (list, set, frozenset, tuple)
_NULLS = ("", "null", "none")


# ---------------------------------------------------------------- types


def is_nested(annotation: Any) -> bool:
    """Whether a field of this type is written as nested tags: models, typed dicts, lists and dicts of something."""
    bare = _bare(annotation)
    if Type.extract_custom_type_from_annotation(bare):
        return False
    if typing.get_origin(bare) in (list, dict):
        return True
    return isinstance(bare, type) and (is_typed_dict(bare) or issubclass(bare, BaseModel))


def is_list(annotation: Any) -> bool:
    """Whether values of this type are written as items."""
    bare = _bare(annotation)
    return _is_list(typing.get_origin(bare)) or bare in _LISTS


def skeleton(name: str, annotation: Any) -> str:
    """The tags of a type with `...` where values go."""
    return f"<{name}>{_inner_skeleton(annotation, ())}</{name}>"


def _inner_skeleton(annotation: Any, outer: tuple[Any, ...]) -> str:
    bare = _bare(annotation)
    origin, args = typing.get_origin(bare), typing.get_args(bare)
    if _is_list(origin) and args:
        return f"<item>{_inner_skeleton(args[0], outer)}</item>"
    parts = [] if bare in outer else _named_parts(bare)
    inner = [
        f"<{part.name}>{_inner_skeleton(part.annotation, (*outer, bare))}</{part.name}>" for part in parts
    ]
    return "".join(inner) or "..."


def _bare(annotation: Any) -> Any:
    """The type without `Annotated` and without `None` beside it."""
    origin = typing.get_origin(annotation)
    if origin is Annotated:
        return _bare(typing.get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        members = [member for member in typing.get_args(annotation) if member is not type(None)]
        if len(members) == 1:
            return _bare(members[0])
    return annotation


def _allows_none(annotation: Any) -> bool:
    origin = typing.get_origin(annotation)
    if origin is Annotated:
        return _allows_none(typing.get_args(annotation)[0])
    return annotation in (None, type(None)) or (
        origin in (Union, types.UnionType) and type(None) in typing.get_args(annotation)
    )


def _named_parts(bare: Any) -> list[Part]:
    """Parts that have tags of their own; content types are written in their own way."""
    return [] if isinstance(bare, type) and issubclass(bare, Type) else parts_of(bare) or []


def _is_list(origin: Any) -> bool:
    return isinstance(origin, type) and origin.__name__ in ("list", "set", "frozenset", "tuple", "Sequence")


# ---------------------------------------------------------------- writing


def element(name: str, value: Any) -> str:
    """A JSON value as an element: dicts as tags, lists as items, None as an empty tag."""
    is_tag = bool(_NAME.match(name))
    tag, opening = (name, f"<{name}>") if is_tag else ("entry", f'<entry key="{_in_quotes(name)}">')
    if value is None or value == []:
        return f"{opening[:-1]} />"
    return f"{opening}{_inner(value)}</{tag}>"


def _in_quotes(text: str) -> str:
    return escaped(text).replace(">", "&gt;").replace('"', "&quot;")


def _inner(value: Any) -> str:
    if isinstance(value, dict):
        return "".join(element(str(key), item) for key, item in value.items())
    if isinstance(value, list):
        return "".join(element("item", item) for item in value)
    return escaped(str(value))


# ---------------------------------------------------------------- reading


def read(node: Node, annotation: Any, coerce: Coerce) -> Any:
    """The JSON-like value that an element says, guided by the type. Leaves that are no text go through `coerce`."""
    bare = _bare(annotation)
    if _allows_none(annotation) and _is_null(node, bare):
        return None
    if bare is str:
        return node.text if "\n" not in node.inner else node.text.strip()
    if not node.children:
        return _leaf(unescaped(node.inner), bare, coerce)
    origin, args = typing.get_origin(bare), typing.get_args(bare)
    if _is_list(origin) or bare in _LISTS:
        return [read(child, _item_type(origin, args, i), coerce) for i, child in enumerate(node.children)]
    if origin is dict or bare is dict:
        value_type = args[1] if len(args) == 2 else Any
        return {_key(child): read(child, value_type, coerce) for child in node.children}
    parts = _named_parts(bare)
    return _record(node, parts, coerce) if parts else _untyped(node)


def read_all(nodes: list[Node], annotation: Any, coerce: Coerce) -> Any:
    """The value of a tag that stands there once; a list may also be written as its tag repeated."""
    bare = _bare(annotation)
    origin = typing.get_origin(bare)
    if len(nodes) > 1 and (_is_list(origin) or bare in _LISTS):
        item = _item_type(origin, typing.get_args(bare), 0)
        return [read(node, item, coerce) for node in nodes]
    return read(nodes[0], annotation, coerce)


def parsed(inner: str, tag: str) -> Node:
    """An element of this tag around the text, with the elements in it."""
    return Node(tag, children=children_of(inner), inner=inner)


def _is_null(node: Node, bare: Any) -> bool:
    if node.is_empty_tag:
        return True
    text = node.inner.strip().lower()
    return not node.children and text in _NULLS and not (bare is str and text == "")


def _leaf(text: str, bare: Any, coerce: Coerce) -> Any:
    """Text without tags: nothing is an empty collection, JSON is taken as such, the rest is for the type to say."""
    text = text.strip()
    is_dict = (typing.get_origin(bare) or bare) is dict
    if not text and (is_dict or is_list(bare)):
        return {} if is_dict else []
    return coerce(text, bare)


def _record(node: Node, parts: list[Part], coerce: Coerce) -> dict[str, Any]:
    """The parts by name, alias, or name in the wrong case; unknown tags are kept for models that allow them."""
    by_tag = {part.name.lower(): part for part in parts}
    by_tag |= {part.alias: part for part in parts if part.alias} | {part.name: part for part in parts}
    grouped: dict[str, tuple[Part, list[Node]]] = {}
    for child in node.children:
        part = by_tag.get(child.tag) or by_tag.get(child.tag.lower()) or Part(child.tag, Any)
        grouped.setdefault(part.alias or part.name, (part, []))[1].append(child)
    return {key: read_all(nodes, part.annotation, coerce) for key, (part, nodes) in grouped.items()}


def _item_type(origin: Any, args: tuple[Any, ...], index: int) -> Any:
    if not args:
        return Any
    if origin is tuple and Ellipsis not in args:
        return args[min(index, len(args) - 1)]
    return args[0]


def _key(child: Node) -> str:
    return child.attributes.get("key", child.tag) if child.tag == "entry" else child.tag


def _untyped(node: Node) -> Any:
    """Without a type to go by: all items are a list, other tags a dict, leaves JSON or text."""
    if not node.children:
        return None if node.is_empty_tag else _loose_leaf(node.text)
    if all(child.tag == "item" for child in node.children):
        return [_untyped(child) for child in node.children]
    return {_key(child): _untyped(child) for child in node.children}


def _loose_leaf(text: str) -> Any:
    words = {"True": True, "False": False, "None": None}
    stripped = text.strip()
    if stripped in words:
        return words[stripped]
    try:
        return json.loads(stripped)
    except ValueError:
        return text
