"""GSM8K (Cobbe et al. 2021): grade-school problems whose answer is a whole number."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random
from typing import Any

from dspx.core.example import Example
from dspx.datasets.hub import load_split
from dspx.datasets.rows import Row
from dspx.errors import UsageError

_HUB = ("openai/gsm8k", "main")
_ANSWER = "####"


class GSM8K:
    """`train` (200 problems), `dev` (300, both of the official training set) and `test` (1,319), as DSPy cuts them.

    An example has `question` (the input), `gold_reasoning` and `answer`, a string of digits.

    Args:
        path: a folder with `train.jsonl` and `test.jsonl`; without one, Hugging Face's copy is loaded.
    """

    def __init__(self, path: str | Path | None = None) -> None:
        train, test = (
            [_example(row) for row in load_split(path, split, hub=_HUB)] for split in ("train", "test")
        )
        Random(0).shuffle(train)
        Random(0).shuffle(test)
        self.train, self.dev, self.test = train[:200], train[200:500], test
        self.do_shuffle = False


def gsm8k_metric(gold: Any, pred: Any, trace: Any = None) -> bool:
    """Whether the last number of `pred.answer`'s first line is that of `gold.answer`."""
    return parse_integer_answer(gold.answer) == parse_integer_answer(pred.answer)


def parse_integer_answer(answer: Any, only_first_line: bool = True) -> int:
    """The last number in the first line (or in all of it), cut to a whole one; 0 where there is none.

    As DSPy reads it, except that a minus sign counts: "$1,234." is 1234, "1.5" is 1, "-5" is -5.
    """
    text = str(answer).strip()
    if only_first_line:
        text = text.split("\n", 1)[0]
    words = [word for word in text.split() if any(letter in "0123456789" for letter in word)]
    if not words:
        return 0
    whole = words[-1].partition(".")[0]
    digits = re.sub(r"[^0-9]", "", whole)
    if not digits:
        return 0
    return -int(digits) if re.match(r"\D*-\D*\d", whole) else int(digits)


def _example(row: Row) -> Example:
    reasoning, mark, answer = str(row["answer"]).rpartition(_ANSWER)
    if not mark:
        raise UsageError(f"A problem's answer does not end in `{_ANSWER} number`: {row['answer']!r}.")
    return Example(
        question=row["question"],
        gold_reasoning=" ".join(reasoning.split()),
        answer=str(int(answer.strip().replace(",", ""))),
    ).with_inputs("question")
