"""MATH (Hendrycks et al. 2021): competition problems whose answer is in the solution's box."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

from dspx.core.example import Example
from dspx.datasets.hub import load_split
from dspx.datasets.math_answers import extract_answer, same_answer

__all__ = ["MATH", "extract_answer"]

_HUB = "DigitalLearningGmbH/MATH-lighteval"
_MOST = 350


class MATH:
    """`train`, `dev` (a third of the official test set each, 350 at most) and `test` (what is left), as DSPy cuts them.

    An example has `question` (the input), `reasoning` and `answer`.

    Args:
        subset: "algebra", "geometry", "prealgebra" …, or "default" for all.
        path: a folder with `test.jsonl` (or .json, .csv, .parquet), or one of that form called like the subset;
            without one, Hugging Face's copy is loaded.
    """

    def __init__(self, subset: str, path: str | Path | None = None) -> None:
        if path is not None and (Path(path) / subset).is_dir():
            path = Path(path) / subset
        rows = load_split(path, "test", hub=(_HUB, subset))
        examples = [
            Example(question=row["problem"], reasoning=row["solution"], answer=answer).with_inputs("question")
            for row in rows
            if (answer := extract_answer(row["solution"])) is not None
        ]
        Random(0).shuffle(examples)
        size = min(_MOST, len(examples) // 3)
        self.train, self.dev = examples[:size], examples[size : 2 * size]
        self.test = examples[2 * size :]

    def metric(self, example: Any, pred: Any, trace: Any = None) -> bool:
        """Whether both answers say the same: `\\frac{1}{2}`, `1/2` and `0.5` do. A box in the answer is opened."""
        given = str(pred.answer)
        return same_answer(str(example.answer), extract_answer(given) or given)
