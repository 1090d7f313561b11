from __future__ import annotations

import re

import pytest

from dspx.testing.patterns import text_matching


@pytest.mark.parametrize(
    "pattern",
    [
        r"^[a-z]{3}-\d{4}$",
        r"^(red|green)$",
        r"\w+@\w+\.com",
        r"^[^a-z0]$",
        r"^(?:ab)+c?$",
        r"^(?P<year>\d{4})-(\d\d)$",
        r"^\+?[1-9]\d{1,14}$",
        r"^[\]x]\.\\$",
        r"a*b+?",
        r"^\d{2,}$",
        r"^$",
    ],
)
def test_the_text_matches_the_pattern(pattern: str) -> None:
    text = text_matching(pattern)
    assert text is not None
    assert re.search(pattern, text)


@pytest.mark.parametrize("pattern", [r"^(?=.*\d)a$", r"(a)\1b", r"(?<!x)y", "(", "[a"])
def test_a_pattern_that_is_beyond_it_gives_none(pattern: str) -> None:
    assert text_matching(pattern) is None
