"""Answers of MATH in LaTeX: take one out of its box, and see whether two are the same."""

from __future__ import annotations

import re
from fractions import Fraction


def extract_answer(s: str) -> str | None:
    """What is in the first `\\boxed{…}`; None where there is none. A box that is not closed goes to the end."""
    _, found, rest = s.partition("\\boxed{")
    if not found:
        return None
    depth = 1
    for place, letter in enumerate(rest):
        depth += (letter == "{") - (letter == "}")
        if depth == 0:
            return rest[:place]
    return rest


def same_answer(one: str, other: str) -> bool:
    """Whether two answers are the same number, or the same LaTeX apart from how it is set."""
    first, second = _plain(one), _plain(other)
    if first == second:
        return True
    number = _number(first)
    return number is not None and number == _number(second)


_SPACING = re.compile(r"\\[!,;:]|\\ |\\quad|\\qquad|\\left(?![a-z])|\\right(?![a-z])|\\displaystyle|\\?\$|~")
_DEGREES = re.compile(r"\^\{?\\circ\}?|\\degree")
_UNIT = re.compile(r"(?<=[\d}])\s*\\(?:text|mbox|mathrm|textrm)\{[^{}]*\}(\^\{?\d\}?)?$")
_TEXT = re.compile(r"\\(?:text|textbf|mbox|mathrm|textrm)\{([^{}]*)\}")
_FRACTION = re.compile(r"\\[dtc]?frac")
_SHORT_FRACTION = re.compile(r"\\frac(\d)(\d)(?!\d)|\\frac(\d)(\{)|\\frac(\{[^{}]*\})(\d)")
_SHORT_ROOT = re.compile(r"\\sqrt(\w)")
_SLASH = re.compile(r"(-?\d+)/(-?\d+)")
_ASSIGNMENT = re.compile(r"[A-Za-z]{1,2}(?:\([A-Za-z]\))?=(.+)")
_THOUSANDS = re.compile(r"-?\d{1,3}(?:(?:,|\{,\})\d{3})+(?:\.\d+)?")


def _plain(answer: str) -> str:
    """One way of writing for what can be written in several."""
    text = _SPACING.sub(" ", answer.strip().rstrip("."))
    text = _DEGREES.sub("", text).replace("\\%", "").replace("%", "")
    text = _TEXT.sub(r"\1", _UNIT.sub("", text.strip()))
    text = re.sub(r"\s+", "", text)
    text = _SHORT_ROOT.sub(r"\\sqrt{\1}", _whole_fractions(_FRACTION.sub(r"\\frac", text)))
    if (assigned := _ASSIGNMENT.fullmatch(text)) is not None:
        text = assigned[1]
    if _THOUSANDS.fullmatch(text):
        text = text.replace("{,}", "").replace(",", "")
    if (slash := _SLASH.fullmatch(text)) is not None:
        text = f"\\frac{{{slash[1]}}}{{{slash[2]}}}"
    return text


def _whole_fractions(text: str) -> str:
    """`\\frac12`, `\\frac1{2}` and `\\frac{1}2` with all their braces."""

    def braced(found: re.Match[str]) -> str:
        both, last, before, brace, above, below = found.groups()
        if both is not None:
            return f"\\frac{{{both}}}{{{last}}}"
        return f"\\frac{{{before}}}{brace}" if before is not None else f"\\frac{above}{{{below}}}"

    return _SHORT_FRACTION.sub(braced, text)


_DECIMAL = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)")
_QUOTIENT = re.compile(r"([+-]?)\\frac\{([+-]?\d+)\}\{([+-]?\d+)\}")


def _number(text: str) -> Fraction | None:
    if _DECIMAL.fullmatch(text):
        return Fraction(text)
    quotient = _QUOTIENT.fullmatch(text)
    if quotient is None or int(quotient[3]) == 0:
        return None
    value = Fraction(int(quotient[2]), int(quotient[3]))
    return -value if quotient[1] == "-" else value
