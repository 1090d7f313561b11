"""What a docstring says of each argument, in Google's, NumPy's or Sphinx's form, and the text without it."""

from __future__ import annotations

import inspect
import re

_GOOGLE = re.compile(
    r"(?P<indent>[ \t]*)(?:Args|Arguments|Parameters|Params|Keyword Args|Other Parameters):[ \t]*$"
)
_GOOGLE_ITEM = re.compile(r"\*{0,2}(?P<name>\w+)(?:[ \t]*\([^)]*\))?[ \t]*:[ \t]*(?P<text>.*)")
_NUMPY = re.compile(r"[ \t]*(?:Other )?Parameters[ \t]*$")
_NUMPY_ITEM = re.compile(r"\*{0,2}(?P<names>\w+(?:[ \t]*,[ \t]*\*{0,2}\w+)*)[ \t]*(?::.*)?$")
_SPHINX = re.compile(
    r"[ \t]*:(?:param|parameter|arg|argument|key|keyword)[ \t]+(?:[^:]*[ \t])?\*{0,2}(?P<name>\w+):[ \t]*(?P<text>.*)"
)
_SPHINX_TYPE = re.compile(r"[ \t]*:type[ \t]+\w+:")


def read(doc: str | None) -> tuple[str | None, dict[str, str]]:
    """The docstring without what it says of arguments, and that, by argument."""
    if not doc or not doc.strip():
        return doc, {}
    lines = inspect.cleandoc(doc).splitlines()
    found: dict[str, str] = {}
    kept: list[str] = []
    position = 0
    while position < len(lines):
        taken = _section(lines, position, found)
        if taken:
            position += taken
        else:
            kept.append(lines[position])
            position += 1
    if not found:
        return doc, {}  # as it was written: prompts are the same as DSPy's
    text = re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip()
    return text, found


def _section(lines: list[str], start: int, found: dict[str, str]) -> int:
    """How many lines from `start` on speak of arguments; what they say goes into `found`."""
    line = lines[start]
    if match := _SPHINX.match(line):
        body = _below(lines, start + 1, _indent(line) + 1)
        found[match["name"]] = _joined([match["text"], *body])
        return 1 + len(body)
    if _SPHINX_TYPE.match(line):
        return 1 + len(_below(lines, start + 1, _indent(line) + 1))
    if _NUMPY.match(line) and start + 1 < len(lines) and re.fullmatch(r"[ \t]*-{3,}[ \t]*", lines[start + 1]):
        return _numpy(lines, start, found)
    if match := _GOOGLE.match(line):
        body = _below(lines, start + 1, len(match["indent"]) + 1)
        items = _items(body, _GOOGLE_ITEM)
        if items:
            found.update({item["name"]: _joined([item["text"], *rest]) for item, rest in items})
            return 1 + len(body)
    return 0


def _numpy(lines: list[str], start: int, found: dict[str, str]) -> int:
    body: list[str] = []
    for position in range(start + 2, len(lines)):
        following = lines[position + 1] if position + 1 < len(lines) else ""
        if lines[position].strip() and re.fullmatch(r"[ \t]*-{3,}[ \t]*", following):
            break  # the next section's title
        body.append(lines[position])
    for item, rest in _items(body, _NUMPY_ITEM):
        for name in re.findall(r"\w+", item["names"]):
            found[name] = _joined(rest)
    return 2 + len(body)


def _items(body: list[str], pattern: re.Pattern[str]) -> list[tuple[re.Match[str], list[str]]]:
    """The lines that name an argument, each with the deeper lines below it."""
    depth = min((_indent(line) for line in body if line.strip()), default=0)
    items: list[tuple[re.Match[str], list[str]]] = []
    for line in body:
        match = pattern.match(line[depth:]) if _indent(line) == depth and line.strip() else None
        if match:
            items.append((match, []))
        elif items:
            items[-1][1].append(line)
    return items


def _below(lines: list[str], start: int, depth: int) -> list[str]:
    """The lines from `start` on that are at least so deep; blank ones between them too."""
    end = start
    for position in range(start, len(lines)):
        if not lines[position].strip():
            continue
        if _indent(lines[position]) < depth:
            break
        end = position + 1
    return lines[start:end]


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _joined(lines: list[str]) -> str:
    return " ".join(part for line in lines if (part := line.strip()))
