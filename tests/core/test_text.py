"""Texts as DSPy 3.4.1 normalises them, but where a comment says otherwise."""

import pytest

from dspx.core.text import normalize_text


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("The, Eiffel  Tower!", "eiffel tower"),
        ("don't", "dont"),
        ("Café", "cafe\u0301"),
        ("a.b", "ab"),
        ("  An  apple a day ", "apple day"),
        ("", ""),
        # of these DSPy leaves nothing, so that every letter of a multiple choice is equal
        ("A", "a"),
        ("(A)", "a"),
        ("The", "the"),
        ("?!", "?!"),
    ],
)
def test_normal_texts(text, normal):
    assert normalize_text(text) == normal
