"""Read the JSON that models write: fenced, in prose, with trailing commas, in Python's spelling, or cut off."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from typing import Any

_DECODER = json.JSONDecoder(strict=False)  # line breaks inside strings are meant as such
_FENCE = re.compile(r"```[^\n`]*\n(.*?)```", re.DOTALL)
_THOUGHTS = re.compile(r"\s*<think(?:ing)?>.*?</think(?:ing)?>", re.DOTALL)
_BRACKET = re.compile(r"[{}\[\]()]")
_OPENING = re.compile(r"[{\[]")
_BRACKETED_WORD = re.compile(r"\{[\w .\-]*\}|\[[\w .\-]*\]")
_LITERAL = re.compile(r"""[bBuU]?['"]|[(\[{]|None\Z|True\Z|False\Z|[-+\d.]+\s*,""")
_PROPER_ESCAPES = re.compile(r"""(?:[^\\]|\\[\\'"abfnrtvxuUN0-7\n])*\Z""")
_LONGEST_LITERAL = 100_000
_MOST_PLACES = 64
_DEEPEST = 100


def strict(text: str) -> Any:
    """The JSON value that the text is. `ValueError` where it is none."""
    try:
        return _DECODER.decode(text)
    except RecursionError as error:
        raise ValueError("JSON nested too deeply") from error


def candidates(text: str) -> Iterator[Any]:
    """What a text that is no JSON may have been meant as, the most certain first."""
    text = without_thoughts(text).strip()
    for block in _FENCE.findall(text):
        yield from _if_json(block)
    yield from _if_literal(text)
    found = embedded(text)
    found.reverse()  # the last word counts; an empty one only where there is no other
    yield from sorted(found, key=lambda value: not value)
    yield from _repaired(text)


def without_thoughts(text: str) -> str:
    """The text after a leading `<think>…</think>`."""
    thoughts = _THOUGHTS.match(text) if "<think" in text else None
    return text[thoughts.end() :] if thoughts else text


def embedded(text: str) -> list[Any]:
    """The objects and arrays that stand somewhere in a text, in their order, up to the first broken one.

    What stands inside a broken one is a part, not the whole: only a word in brackets is passed over.
    """
    found: list[Any] = []
    position = 0
    for _ in range(_MOST_PLACES):
        opening = _OPENING.search(text, position)
        if opening is None:
            break
        try:
            value, position = _DECODER.raw_decode(text, opening.start())
            found.append(value)
        except (ValueError, RecursionError):
            word = _BRACKETED_WORD.match(text, opening.start())
            if word is None:
                break
            position = word.end()
    return found


def _if_json(text: str) -> Iterator[Any]:
    try:
        yield strict(text.strip())
    except ValueError:
        return


def _if_literal(text: str) -> Iterator[Any]:
    """Python's own spelling: `('a', 1)`, `{'x': None}`, `{1, 2}`. Only literals are read, nothing is run."""
    if len(text) > _LONGEST_LITERAL or not _LITERAL.match(text) or not _PROPER_ESCAPES.match(text):
        return
    try:
        yield ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return


def _repaired(text: str) -> Iterator[Any]:
    if not any(bracket in text for bracket in "{[(") or _deepest(text) > _DEEPEST:
        return
    import json_repair

    try:
        value: Any = json_repair.loads(text)
    except (ValueError, RecursionError):
        return
    if value != "":
        yield value


def _deepest(text: str) -> int:
    """How deeply brackets nest, those in strings counted too. Repairing thousands of open ones would take minutes."""
    depth = deepest = 0
    for bracket in _BRACKET.findall(text):
        depth += 1 if bracket in "{[(" else -1
        deepest = max(deepest, depth)
    return deepest
