"""A text that matches a regular expression, for schemas that ask for one."""

from __future__ import annotations

import re


def text_matching(pattern: str) -> str | None:
    """The shortest text that `re.search(pattern, text)` finds, roughly; None where the pattern is beyond this.

    Groups, alternatives, classes, repetitions and anchors are understood; look-around and back-references are not.
    """
    try:
        text = _Reader(pattern).alternatives()
        return text if re.search(pattern, text) else None
    except (ValueError, IndexError, re.error):
        return None


_CLASSES = {"d": "0", "w": "a", "s": " ", "D": "a", "W": "-", "S": "a", "b": "", "B": "", "A": "", "Z": ""}
_CONTROLS = {"n": "\n", "t": "\t", "r": "\r"}
_LIKELY = "a0A-_ .x1:/@"


class _Reader:
    """Reads a pattern from left to right and writes an example of each part."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.at = 0

    def alternatives(self) -> str:
        """The first of `a|b|c`; the others are read over."""
        first = self.sequence()
        while self.take("|"):
            self.sequence()
        return first

    def sequence(self) -> str:
        parts: list[str] = []
        while self.at < len(self.pattern) and self.pattern[self.at] not in "|)":
            parts.append(self.repeated(self.item()))
        return "".join(parts)

    def item(self) -> str:
        char = self.next()
        if char == "(":
            return self.group()
        if char == "[":
            return self.set()
        if char == "\\":
            return self.escaped()
        if char in "^$":
            return ""
        return "a" if char == "." else char

    def group(self) -> str:
        if self.take("?"):
            if self.take("P<") or self.take("<"):
                if self.pattern[self.at] in "=!":
                    raise ValueError("look-behind")
                self.at = self.pattern.index(">", self.at) + 1
            elif not self.take(":"):
                raise ValueError("look-ahead or flags")
        text = self.alternatives()
        if not self.take(")"):
            raise ValueError("a group without an end")
        return text

    def set(self) -> str:
        start = self.at - 1
        self.take("^")
        self.take("]")
        while self.next() != "]":
            if self.pattern[self.at - 1] == "\\":
                self.at += 1
        matcher = re.compile(self.pattern[start : self.at])
        candidates = (*_LIKELY, *map(chr, range(33, 1024)))
        return next(char for char in candidates if matcher.fullmatch(char))

    def escaped(self) -> str:
        char = self.next()
        if char.isdigit():
            raise ValueError("a back-reference")
        return _CLASSES.get(char, _CONTROLS.get(char, char))

    def repeated(self, text: str) -> str:
        least = 1
        if self.take("*") or self.take("?"):
            least = 0
        elif self.take("+"):
            least = 1
        elif found := re.compile(r"\{(\d*)(?:,\d*)?\}").match(self.pattern, self.at):
            self.at = found.end()
            least = int(found[1] or 0)
        else:
            return text
        if not self.take("?"):
            self.take("+")
        return text * least

    def next(self) -> str:
        self.at += 1
        return self.pattern[self.at - 1]

    def take(self, text: str) -> bool:
        if not self.pattern.startswith(text, self.at):
            return False
        self.at += len(text)
        return True
