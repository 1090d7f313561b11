"""Metrics that need no language model: exact match, word overlap, an answer found in a passage."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from dspx.core.text import normalize_text
from dspx.errors import UsageError

__all__ = [
    "EM",
    "F1",
    "HotPotF1",
    "answer_exact_match",
    "answer_passage_match",
    "em_score",
    "f1_score",
    "hotpot_f1_score",
    "normalize_text",
    "precision_score",
]


def answer_exact_match(example: Any, pred: Any, trace: Any = None, frac: float = 1.0) -> bool:
    """Whether `pred.answer` is `example.answer`, or one of them where that is a list.

    With `frac` below 1, whether it shares that much of the words with one of them (F1).
    """
    answers = _answers_of(example)
    return EM(pred.answer, answers) if frac >= 1.0 else F1(pred.answer, answers) >= frac


def answer_passage_match(example: Any, pred: Any, trace: Any = None) -> bool:
    """Whether a passage in `pred.context` contains `example.answer`, or one of them where that is a list."""
    answers = _answers_of(example)
    return any(_contains(passage, answer) for passage in pred.context for answer in answers)


def EM(prediction: str, answers_list: Sequence[str]) -> bool:
    """Whether the prediction is one of the answers, case, punctuation and articles aside."""
    return any(em_score(prediction, answer) for answer in _checked(answers_list))


def F1(prediction: str, answers_list: Sequence[str]) -> float:
    """The harmonic mean of precision and recall of words, against the answer that fits best: 0 to 1."""
    return _best(f1_score, prediction, answers_list)


def HotPotF1(prediction: str, answers_list: Sequence[str]) -> float:
    """`F1`, but "yes", "no" and "noanswer" are right or wrong as a whole (Yang et al. 2018)."""
    return _best(hotpot_f1_score, prediction, answers_list)


# ---------------------------------------------------------------- against one answer


def em_score(prediction: str, ground_truth: str) -> bool:
    return normalize_text(prediction) == normalize_text(ground_truth)


def f1_score(prediction: str, ground_truth: str) -> float:
    return _overlap(_words(prediction), _words(ground_truth))[2]


def precision_score(prediction: str, ground_truth: str) -> float:
    """The share of the prediction's words that are in the answer."""
    return _overlap(_words(prediction), _words(ground_truth))[0]


_WHOLE_ANSWERS = frozenset({"yes", "no", "noanswer"})


def hotpot_f1_score(prediction: str, ground_truth: str) -> float:
    said, true = normalize_text(prediction), normalize_text(ground_truth)
    if said != true and not _WHOLE_ANSWERS.isdisjoint((said, true)):
        return 0.0
    return _overlap(said.split(), true.split())[2]


def _overlap(said: list[str], true: list[str]) -> tuple[float, float, float]:
    """Precision, recall and F1 of two bags of words."""
    shared = sum((Counter(said) & Counter(true)).values())
    if shared == 0:
        return 0.0, 0.0, 0.0
    precision, recall = shared / len(said), shared / len(true)
    return precision, recall, 2 * precision * recall / (precision + recall)


def _words(text: str) -> list[str]:
    return normalize_text(text).split()


# ---------------------------------------------------------------- inside a passage

_TOKEN = re.compile(r"\w+|[^\w\s]")


def _contains(passage: str, answer: str) -> bool:
    """Whether the answer's words stand in the passage one after the other. An answer without words does not."""
    wanted = normalize_text(answer)
    if not wanted:
        return False
    # An answer that is nothing but an article ("A") can only be found in a passage that kept its own.
    text = normalize_text(passage) if wanted not in _ARTICLES else passage.lower()
    return f" {_tokens(wanted)} " in f" {_tokens(text)} "


_ARTICLES = frozenset({"a", "an", "the"})


def _tokens(text: str) -> str:
    return " ".join(_TOKEN.findall(unicodedata.normalize("NFC", text)))


# ---------------------------------------------------------------- arguments


def _answers_of(example: Any) -> list[str]:
    answer = example.answer
    if isinstance(answer, str):
        return [answer]
    if isinstance(answer, list):
        return answer
    raise UsageError(f"example.answer must be a string or a list of strings, not {type(answer).__name__}.")


def _checked(answers: Sequence[str]) -> Sequence[str]:
    if not isinstance(answers, (list, tuple)):
        raise UsageError(f"The answers must be a list of strings, not {type(answers).__name__}.")
    return answers


def _best(score: Callable[[str, str], float], prediction: str, answers: Sequence[str]) -> float:
    return max((score(prediction, answer) for answer in _checked(answers)), default=0.0)
