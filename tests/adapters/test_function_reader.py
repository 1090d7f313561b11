"""Answers read by a function."""

from __future__ import annotations

from typing import Any

import pytest

import dspx
from dspx.adapters.function_reader import FunctionReader, whole
from dspx.errors import AdapterParseError, UsageError

QA = dspx.Signature("question -> answer, score: float")


def test_the_function_gives_the_outputs():
    reader = FunctionReader(lambda text: {"answer": text, "score": "0.5", "more": 1})
    assert reader.parse(QA, "a") == {"answer": "a", "score": 0.5}


def test_or_the_only_output():
    assert FunctionReader(len).parse(dspx.Signature("q -> n: int"), "abc") == {"n": 3}
    assert FunctionReader(whole).parse(dspx.Signature("q -> a"), " abc ") == {"a": " abc "}


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (lambda text: text.index("="), "ValueError"),
        (lambda text: {}[text], "KeyError"),
        (lambda text: {"answer": text}, "no `score`"),
        (lambda text: {"answer": text, "score": "high"}, "`score` could not be read"),
    ],
)
def test_what_the_function_cannot_read_is_no_answer(function: Any, reason: str):
    with pytest.raises(AdapterParseError, match=reason):
        FunctionReader(function).parse(QA, "a")


def test_one_value_cannot_fill_two_outputs():
    with pytest.raises(UsageError, match="2 outputs"):
        FunctionReader(whole).parse(QA, "a")


def test_answers_are_shown_as_they_would_be_read():
    reader = FunctionReader(whole)
    assert reader.format_assistant_message_content(dspx.Signature("q -> a"), {"a": "x"}) == "x"
    assert reader.format_assistant_message_content(QA, {"answer": "x"}, "?") == "answer: x\nscore: ?"
