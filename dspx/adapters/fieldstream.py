"""Read a completion while it arrives: which field each new piece of text belongs to.

What is fed in any pieces gives the same text as what is fed whole. For a completion in the form that was asked
for, the pieces of a `str` field together are its parsed value. A piece is held back only while it could still
turn out to be a marker, or white space at the end of a value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from dspx.adapters import loose_json

Piece = tuple[str, str]
"""A field's name and the next piece of its text."""


class FieldStream:
    """Feed it a completion's text as it comes; `field` is the output that is coming in now."""

    field: str | None = None

    def feed(self, text: str) -> list[Piece]:
        """The pieces of fields that this text adds."""
        raise NotImplementedError

    def close(self) -> list[Piece]:
        """The pieces that were held back: the completion has ended."""
        raise NotImplementedError


# ---------------------------------------------------------------- [[ ## name ## ]]

_PARTS = (r"\[", r"\[", " ", "#", "#", " ", r"\w+", " ", "#", "#", " ", r"\]")
_BEGUN_MARKER = re.compile("(?:".join(_PARTS) + ")?" * (len(_PARTS) - 1))
_END_MARKER = re.compile(r"\[\[ ## completed ## \]\]\s*")
_MARKER = re.compile(r"^[^\S\n]*\[\[ ## (\w+) ## \]\]", re.MULTILINE)
_SHORTEST_BROKEN = len("[[ #")


def without_broken_marker(text: str) -> str:
    """The last value of a completion, without an end marker on its last line and without one that was cut off."""
    start = text.rfind("[[")
    if start < 0:
        return text
    broken = len(text) - start >= _SHORTEST_BROKEN and _BEGUN_MARKER.fullmatch(text, start)
    return text[:start] if broken or _END_MARKER.fullmatch(text, start) else text


class ChatFieldStream(FieldStream):
    """Fields under `[[ ## name ## ]]` markers at the start of a line."""

    def __init__(self, outputs: Iterable[str]) -> None:
        self._unseen = set(outputs)
        self._rest = ""
        self._carriage = ""  # the first half of a line break, perhaps
        self._at_line_start = True
        self._begun = False

    def feed(self, text: str) -> list[Piece]:
        pieces: list[Piece] = []
        text = self._carriage + text
        self._carriage = "\r" if text.endswith("\r") else ""
        text = self._rest + text[: len(text) - len(self._carriage)].replace("\r\n", "\n")
        while (marker := self._next_marker(text)) is not None:
            self._add(pieces, text[: marker.start()].rstrip())
            self._open(marker[1])
            text = text[marker.end() :]
            self._at_line_start = False
        safe = _safe_end(text)
        self._add(pieces, text[:safe])
        self._at_line_start = self._at_line_start and not safe
        self._rest = text[safe:]
        return pieces

    def close(self) -> list[Piece]:
        pieces: list[Piece] = []
        self._add(pieces, without_broken_marker(self._rest + self._carriage).rstrip())
        self._rest, self._carriage, self.field = "", "", None
        return pieces

    def _next_marker(self, text: str) -> re.Match[str] | None:
        if self._at_line_start:
            return _MARKER.search(text)
        line = text.find("\n")
        return None if line < 0 else _MARKER.search(text, line + 1)

    def _open(self, name: str) -> None:
        self.field = name if name in self._unseen else None
        self._unseen.discard(name)
        self._begun = False

    def _add(self, pieces: list[Piece], text: str) -> None:
        if self.field is None:
            return
        if not self._begun:
            text = text.lstrip()
        if text:
            self._begun = True
            pieces.append((self.field, text))


def _safe_end(text: str) -> int:
    """How much of a text is surely neither the beginning of a marker nor white space before one."""
    end = len(text)
    start = text.rfind("[[")
    if start >= 0 and (_BEGUN_MARKER.fullmatch(text, start) or _END_MARKER.fullmatch(text, start)):
        end = start
    elif text.endswith("["):
        end -= 1
    return len(text[:end].rstrip())


# ---------------------------------------------------------------- JSON

_STRING_END = re.compile(r'["\\]')
_RAW_STOP = re.compile(r'["\\{}\[\],]')
_SPACE = re.compile(r"[\s,]*")
_ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


_Step = Callable[[list[Piece]], bool]


class JSONFieldStream(FieldStream):
    """The members of one JSON object: strings without their quotes and escapes, other values as they are written."""

    def __init__(self, outputs: Mapping[str, Any]) -> None:
        self._unseen = set(outputs)
        self._texts = {name for name, field in outputs.items() if field.annotation is str}
        self._folded = {name.casefold(): name for name in outputs}
        self._rest = ""
        self._step: _Step = self._before
        self._raw: list[str] = []
        self._depth = 0
        self._in_string = False
        self._held = ""

    def feed(self, text: str) -> list[Piece]:
        pieces: list[Piece] = []
        self._rest += text
        while self._step(pieces):
            pass
        return pieces

    def close(self) -> list[Piece]:
        pieces: list[Piece] = []
        if self._step == self._in_raw:
            self._raw.append(self._rest)
            self._end_raw(pieces)
        self._rest, self._step, self.field = "", self._after, None
        return pieces

    # Each step takes what it can from `_rest`; True: there may be more to take.

    def _before(self, pieces: list[Piece]) -> bool:
        start = self._rest.find("{")
        self._rest = self._rest[start + 1 :] if start >= 0 else ""
        return self._go(self._in_key, start >= 0)

    def _after(self, pieces: list[Piece]) -> bool:
        self._rest = ""
        return False

    def _in_key(self, pieces: list[Piece]) -> bool:
        start = _SPACE.match(self._rest).end()  # pyright: ignore[reportOptionalMemberAccess]
        if self._rest[start : start + 1] != '"':
            return self._go(self._after, self._rest[start:] != "")
        position = start + 1
        while found := _STRING_END.search(self._rest, position):
            if found[0] == '"':
                self._open(self._rest[start : found.end()])
                self._rest = self._rest[found.end() :]
                return self._go(self._at_colon, True)
            position = found.end() + 1
        return False

    def _at_colon(self, pieces: list[Piece]) -> bool:
        self._rest = self._rest.lstrip()
        if not self._rest.startswith(":"):
            return self._go(self._after, self._rest != "")
        self._rest = self._rest[1:]
        return self._go(self._at_value, True)

    def _at_value(self, pieces: list[Piece]) -> bool:
        self._rest = self._rest.lstrip()
        if self._rest.startswith('"'):
            self._rest, self._held = self._rest[1:], ""
            return self._go(self._in_text, True)
        self._raw, self._depth, self._in_string, self._held = [], 0, False, ""
        return self._go(self._in_raw, self._rest != "")

    def _in_text(self, pieces: list[Piece]) -> bool:
        decoded: list[str] = []
        position, ended = 0, False
        while not ended:
            found = _STRING_END.search(self._rest, position)
            decoded.append(self._rest[position : found.start() if found else len(self._rest)])
            position = found.start() if found else len(self._rest)
            if found is None:
                break
            if found[0] == '"':
                position, ended = found.end(), True
            else:
                character, after = _unescaped(self._rest, position)
                if after < 0:  # the escape is not whole yet
                    break
                decoded.append(character)
                position = after
        self._rest = self._rest[position:]
        text = self._held + "".join(decoded)
        sure = text if ended else text.rstrip()
        self._held = text[len(sure) :]
        self._add(pieces, sure)
        return self._go(self._in_key, True) if ended else False

    def _in_raw(self, pieces: list[Piece]) -> bool:
        position = 0
        while found := _RAW_STOP.search(self._rest, position):
            if not self._in_string and self._depth == 0 and found[0] in ",}]":
                self._raw.append(self._rest[: found.start()])
                self._rest = self._rest[found.start() :]
                self._end_raw(pieces)
                return self._go(self._in_key, True)
            position = found.end()
            if found[0] == "\\":
                if position == len(self._rest):
                    position -= 1
                    break
                position += 1
            elif found[0] == '"':
                self._in_string = not self._in_string
            elif not self._in_string and found[0] != ",":
                self._depth += 1 if found[0] in "{[" else -1
        else:
            position = len(self._rest)
        self._raw.append(self._rest[:position])
        self._rest = self._rest[position:]
        self._show_raw(pieces)
        return False

    def _show_raw(self, pieces: list[Piece]) -> None:
        if self.field in self._texts:
            return  # its value is the text of the whole JSON value
        text = self._held + "".join(self._raw)
        sure = text.rstrip()
        self._held, self._raw = text[len(sure) :], []
        self._add(pieces, sure)

    def _end_raw(self, pieces: list[Piece]) -> None:
        if self.field in self._texts:
            text = "".join(self._raw).strip()
            try:
                self._add(pieces, str(loose_json.strict(text)))
            except ValueError:
                self._add(pieces, text)
        else:
            self._show_raw(pieces)

    def _open(self, key: str) -> None:
        try:
            name = str(loose_json.strict(key))
        except ValueError:
            name = key
        name = name if name in self._unseen else self._folded.get(name.casefold(), "")
        self.field = name if name in self._unseen else None
        self._unseen.discard(name)

    def _add(self, pieces: list[Piece], text: str) -> None:
        if self.field is not None and text:
            pieces.append((self.field, text))

    def _go(self, step: _Step, more: bool) -> bool:
        if more:
            self._step = step
        return more


def _unescaped(text: str, start: int) -> tuple[str, int]:
    """The character of the escape at `start` and where the text goes on; -1 where the escape is not whole yet."""
    letter = text[start + 1 : start + 2]
    if letter != "u":
        return (_ESCAPES.get(letter, letter), start + 2) if letter else ("", -1)
    if len(text) < start + 6:
        return "", -1
    code = _hex(text, start + 2)
    if not 0xD800 <= code < 0xDC00:
        return chr(code), start + 6
    rest = text[start + 6 : start + 12]  # the second half of a pair, perhaps
    if rest.startswith("\\u") and len(rest) == 6:
        low = _hex(text, start + 8)
        if 0xDC00 <= low < 0xE000:
            return chr(0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00)), start + 12
    elif "\\u".startswith(rest[:2]) and len(rest) < 6:
        return "", -1
    return chr(code), start + 6


def _hex(text: str, start: int) -> int:
    try:
        return int(text[start : start + 4], 16)
    except ValueError:
        return 0xFFFD


# ---------------------------------------------------------------- XML

_BROKEN_ENTITY = re.compile(r"&[#\w]{0,33}\Z")
_BROKEN_TAG = re.compile(r"<[^<>]{0,200}\Z")
_CDATA_START, _CDATA_END = "<![CDATA[", "]]>"


class XMLFieldStream(FieldStream):
    """Fields in tags of their names: `<name>text</name>`, with entities and CDATA resolved."""

    def __init__(self, outputs: Iterable[str]) -> None:
        self._names = list(outputs)
        self._unseen = set(self._names)
        names = "|".join(map(re.escape, self._names))
        self._opening = re.compile(rf"<({names})(?:\s[^<>]*?)?(/?)>", re.IGNORECASE)
        self._rest = ""
        self._inside: str | None = None
        self._begun = False
        self._held = ""

    def feed(self, text: str) -> list[Piece]:
        pieces: list[Piece] = []
        self._rest += text
        while self._inner(pieces) if self._inside else self._outer():
            pass
        return pieces

    def close(self) -> list[Piece]:
        pieces: list[Piece] = []
        while self._inside:
            following = self._opening.search(self._rest)
            end = following.start() if following else len(self._rest)
            self._finish(pieces, self._rest[:end], end)
            while not self._inside and self._outer():
                pass
            while self._inside and self._inner(pieces):
                pass
        return pieces

    def _outer(self) -> bool:
        found = self._opening.search(self._rest)
        if found is None:
            tail = _BROKEN_TAG.search(self._rest)
            self._rest = self._rest[tail.start() :] if tail else ""
            return False
        self._rest = self._rest[found.end() :]
        name = next(name for name in self._names if name.lower() == found[1].lower())
        if found[2]:
            self._unseen.discard(name)
            return True
        self._inside, self._begun, self._held = found[1], False, ""
        self.field = name if name in self._unseen else None
        self._unseen.discard(name)
        return True

    def _inner(self, pieces: list[Piece]) -> bool:
        """Take what surely belongs to the open field. Another field's tag inside it may be its end: wait and see."""
        assert self._inside is not None
        closing = f"</{self._inside}>"
        cdata = self._rest.find(_CDATA_START)
        end = self._rest.find(closing)
        if cdata >= 0 and (end < 0 or cdata < end):
            close = self._rest.find(_CDATA_END, cdata)
            if close < 0:
                return False
            self._add(pieces, self._rest[:cdata])
            self._add(pieces, self._rest[cdata + len(_CDATA_START) : close], as_written=True)
            self._rest = self._rest[close + len(_CDATA_END) :]
            return True
        if end >= 0:
            self._finish(pieces, self._rest[:end], end + len(closing))
            return True
        other = self._opening.search(self._rest)
        safe = other.start() if other else len(self._rest)
        for broken in (_BROKEN_TAG, _BROKEN_ENTITY):
            found = broken.search(self._rest[:safe])
            safe = found.start() if found else safe
        self._add(pieces, self._rest[:safe])
        self._rest = self._rest[safe:]
        return False

    def _finish(self, pieces: list[Piece], text: str, end: int) -> None:
        self._add(pieces, text)
        self._rest, self._inside, self._held, self.field = self._rest[end:], None, "", None

    def _add(self, pieces: list[Piece], text: str, *, as_written: bool = False) -> None:
        from dspx.adapters.loose_xml import unescaped

        if self.field is None:
            return
        text = self._held + (text if as_written else unescaped(text))
        if not self._begun:
            text = text.lstrip()
        sure = text.rstrip()
        self._held = text[len(sure) :]
        if sure:
            self._begun = True
            pieces.append((self.field, sure))
