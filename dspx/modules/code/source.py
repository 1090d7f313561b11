"""The code in an answer: without the fences that models put around it."""

from __future__ import annotations

import re

_FENCED = re.compile(
    r"^[ \t]*(`{3,}|~{3,})[ \t]*([\w+.-]*)[^\n]*\n(.*?)^[ \t]*\1[ \t]*$", re.MULTILINE | re.DOTALL
)
_OPENED = re.compile(r"\A\s*(`{3,}|~{3,})[ \t]*[\w+.-]*[^\n]*\n")
_PYTHON = ("python", "py", "python3", "repl", "")


def code_in(text: str) -> str:
    """The first fenced block of Python, or of anything where none is Python's; the whole text without a fence."""
    blocks = [(match[2].lower(), match[3]) for match in _FENCED.finditer(text)]
    for language, code in blocks:
        if language in _PYTHON:
            return code.strip("\n")
    if blocks:
        return blocks[0][1].strip("\n")
    opened = _OPENED.match(text)
    return (text[opened.end() :] if opened else text).strip("\n").rstrip("`").rstrip()
