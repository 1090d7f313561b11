"""Read the XML that models write: unclosed tags, bare `&` and `<`, markup inside text. Never fails, fetches nothing."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from html.entities import html5

_TAG = r"<(?P<close>/?)(?P<tag>[^\W\d][\w.\-]*)(?P<attributes>(?:\s[^<>]*?)?)(?P<empty>/?)>"
_SECTIONS = (("<![CDATA[", "]]>", r"<!\[CDATA\[.*?\]\]>"), ("<!--", "-->", r"<!--.*?-->"))
_ATTRIBUTE = re.compile(r"""([\w.\-:]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_ENTITY = re.compile(r"&(#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|\w{1,32});")
_CDATA = re.compile(r"<!\[CDATA\[(.*?)\]\]>|([^<]+|<)", re.DOTALL)


@dataclass(slots=True)
class Node:
    """An element: its tag, its attributes, its children, and everything between its tags as written."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[Node] = field(default_factory=list)
    inner: str = ""
    is_empty_tag: bool = False

    @property
    def text(self) -> str:
        """The inner text with CDATA and entities resolved; markup stays as it is written."""
        return unescaped(self.inner)


def find_fields(text: str, names: list[str], nested: Collection[str] = ()) -> dict[str, list[Node]]:
    """The elements of these names that stand side by side in the text, whatever is around or between them.

    An element ends at the first closing tag of its own, or for `nested` ones at the one that belongs to it;
    where that is missing, at the next of the names, or at the end.
    """
    known = {name.lower(): name for name in names} | {name: name for name in names}
    tokens = [token for token in _tags(text) if _known_name(token, known)]
    ends = _ends(tokens, nested, len(text))
    found: dict[str, list[Node]] = {}
    position = 0
    for token in tokens:
        if token["close"] or token.start() < position:
            continue
        end, position = ends[token.start()]
        name = _known_name(token, known)
        node = Node(name, _attributes(token), [], text[token.end() : end], bool(token["empty"]))
        found.setdefault(name, []).append(node)
    return found


def children_of(text: str) -> list[Node]:
    """The elements in a text, as trees. Unclosed ones end with their parent; stray closing tags are ignored."""
    roots: list[Node] = []
    open_nodes: list[tuple[Node, int]] = []
    for token in _tags(text):
        if token["close"]:
            _close(open_nodes, token, text)
            continue
        node = Node(token["tag"], _attributes(token), is_empty_tag=bool(token["empty"]))
        (open_nodes[-1][0].children if open_nodes else roots).append(node)
        if not token["empty"]:
            open_nodes.append((node, token.end()))
    for node, start in open_nodes:
        node.inner = text[start:]
    return roots


def unescaped(text: str) -> str:
    """Text with CDATA sections and complete entities resolved; a lone `&` stays one."""
    if text.rfind("]]>") > text.rfind("<![CDATA[") >= 0:
        parts = _CDATA.findall(text)
        return "".join(literal if plain == "" else _without_entities(plain) for literal, plain in parts)
    return _without_entities(text)


def escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")


def _without_entities(text: str) -> str:
    return _ENTITY.sub(_character, text) if "&" in text else text


def _character(match: re.Match[str]) -> str:
    name = match[1]
    if not name.startswith("#"):
        return html5.get(f"{name};", match[0])
    number = int(name[2:], 16) if name[1] in "xX" else int(name[1:])
    return chr(number) if 0 < number <= 0x10FFFF and not 0xD800 <= number <= 0xDFFF else match[0]


def _tags(text: str) -> Iterator[re.Match[str]]:
    """Every tag that is not inside a CDATA section or a comment."""
    sections = [pattern for start, end, pattern in _SECTIONS if text.rfind(end) > text.rfind(start) >= 0]
    pattern = _pattern("|".join([*sections, _TAG]))
    return (token for token in pattern.finditer(text) if token["tag"] is not None)


@lru_cache(maxsize=4)
def _pattern(source: str) -> re.Pattern[str]:
    """A section that is never closed is left out of the pattern: looking for its end again and again takes long."""
    return re.compile(source, re.DOTALL)


def _known_name(token: re.Match[str], known: dict[str, str]) -> str:
    return known.get(token["tag"]) or known.get(token["tag"].lower(), "")


def _ends(tokens: list[re.Match[str]], nested: Collection[str], length: int) -> dict[int, tuple[int, int]]:
    """By the start of each opening tag: where its content ends, and where to read on."""
    ends: dict[int, tuple[int, int]] = {}
    waiting: dict[str, list[re.Match[str]]] = {}
    closings: dict[str, list[int]] = {}
    for token in tokens:
        opened = waiting.setdefault(token["tag"], [])
        if token["empty"]:
            ends[token.start()] = (token.end(), token.end())
        elif not token["close"]:
            opened.append(token)
        elif opened:
            closings.setdefault(token["tag"], []).append(token.start())
            ends[opened[-1 if token["tag"] in nested else 0].start()] = (token.start(), token.end())
            opened[:] = opened[:-1] if token["tag"] in nested else []
    openings = [token.start() for token in tokens if not token["close"]]
    for tag, unmatched in waiting.items():
        for token in unmatched:
            ends[token.start()] = _end_of_unmatched(token, closings.get(tag, []), openings, length)
    return ends


def _end_of_unmatched(
    token: re.Match[str], closings: list[int], openings: list[int], length: int
) -> tuple[int, int]:
    """The first closing tag where the tag is also mentioned inside, else the next field, else the end."""
    close = bisect_right(closings, token.start())
    if close < len(closings):
        return closings[close], closings[close] + len(token["tag"]) + 3
    following = bisect_right(openings, token.start())
    end = openings[following] if following < len(openings) else length
    return end, end


def _attributes(token: re.Match[str]) -> dict[str, str]:
    if not token["attributes"]:
        return {}
    return {name: unescaped(one or other) for name, one, other in _ATTRIBUTE.findall(token["attributes"])}


def _close(open_nodes: list[tuple[Node, int]], token: re.Match[str], text: str) -> None:
    """End the innermost open element of this tag, and those left open inside it."""
    if not any(node.tag == token["tag"] for node, _ in open_nodes):
        return
    while open_nodes:
        node, start = open_nodes.pop()
        node.inner = text[start : token.start()]
        if node.tag == token["tag"]:
            return
