"""Find the parts of a program by name: `answer`, `hops[0].predict`, `routes['easy']`."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Generator, Iterator
from typing import Any

Found = list[tuple[str, Any]]


def named_parts(
    root: Any, is_leaf: Callable[[Any], bool], is_module: Callable[[Any], bool], skip_compiled: bool = True
) -> Found:
    """The leaves below `root` in the order in which they were assigned, each once.

    Attributes count, and what lists, tuples and dicts directly in them hold. A frozen (`_compiled`)
    sub-module is passed over.
    """
    found: Found = []
    seen: set[int] = set()

    def visit(name: str, value: Any) -> None:
        if is_leaf(value) and id(value) not in seen:
            seen.add(id(value))
            found.append((name, value))
        if (
            is_module(value)
            and not is_leaf(value)
            and not (skip_compiled and getattr(value, "_compiled", False))
        ):
            if id(value) in seen:
                return
            seen.add(id(value))
            for inner, part in _attributes(value):
                visit(f"{name}.{inner}", part)

    if is_leaf(root):
        found.append(("self", root))
        seen.add(id(root))
    for name, value in _attributes(root):
        visit(name, value)
    return found


def _attributes(owner: Any) -> Iterator[tuple[str, Any]]:
    for name, value in vars(owner).items():
        if isinstance(value, (list, tuple)):
            yield from ((f"{name}[{index}]", item) for index, item in enumerate(value))
        elif isinstance(value, dict):
            yield from ((f"{name}[{key!r}]", item) for key, item in value.items())
        else:
            yield name, value


def named_sub_modules(
    root: Any, is_wanted: Callable[[Any], bool], is_module: Callable[[Any], bool], skip_compiled: bool
) -> Generator[tuple[str, Any]]:
    """Every module of the program, breadth first, `self` the root; containers are searched at any depth."""
    queue: deque[tuple[str, Any]] = deque([("self", root)])
    seen = {id(root)}

    def later(name: str, value: Any) -> None:
        if id(value) not in seen:
            seen.add(id(value))
            queue.append((name, value))

    while queue:
        name, item = queue.popleft()
        if is_wanted(item):
            yield name, item
        if is_module(item):
            if skip_compiled and getattr(item, "_compiled", False):
                continue
            for inner, value in vars(item).items():
                later(f"{name}.{inner}", value)
        elif isinstance(item, (list, tuple)):
            for index, value in enumerate(item):
                later(f"{name}[{index}]", value)
        elif isinstance(item, dict):
            for key, value in item.items():
                later(f"{name}[{key}]", value)


_PATH = re.compile(r"\.?([A-Za-z_]\w*)|\[(-?\d+)\]|\['((?:[^'\\]|\\.)*)'\]|\[\"((?:[^\"\\]|\\.)*)\"\]")


def get_part(root: Any, path: str) -> Any:
    """What `path` points to. AttributeError, LookupError or TypeError where there is nothing."""
    part = root
    for step in steps_of(path):
        part = getattr(part, step[0]) if isinstance(step, tuple) else part[step]
    return part


def set_part(root: Any, path: str, value: Any) -> None:
    """Put `value` where `path` points: `set_part(program, "hops[0].predict", new)`."""
    steps = steps_of(path)
    owner = root
    for step in steps[:-1]:
        owner = getattr(owner, step[0]) if isinstance(step, tuple) else owner[step]
    last = steps[-1]
    if isinstance(last, tuple):
        setattr(owner, last[0], value)
    elif isinstance(owner, tuple):
        changed = (*owner[:last], value, *owner[int(last) + 1 :])
        set_part(root, path[: path.rindex("[")], changed)
    else:
        owner[last] = value


def steps_of(path: str) -> list[Any]:
    """An attribute is a 1-tuple, an index or a key is itself."""
    steps: list[Any] = []
    position = 0
    while position < len(path):
        match = _PATH.match(path, position)
        if match is None:
            raise ValueError(f"{path!r} is not a path such as answer, hops[0].predict or routes['easy'].")
        name, index, *keys = match.groups()
        steps.append((name,) if name else int(index) if index else next(k for k in keys if k is not None))
        position = match.end()
    return steps
