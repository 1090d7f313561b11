"""How well a program does, how sure that is, and whether another does better."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dspx.core.lazy import lazily

if TYPE_CHECKING:
    from dspx.evaluate.evaluate import Evaluate as Evaluate
    from dspx.evaluate.judges import CompleteAndGrounded as CompleteAndGrounded
    from dspx.evaluate.judges import SemanticF1 as SemanticF1
    from dspx.evaluate.metrics import EM as EM
    from dspx.evaluate.metrics import F1 as F1
    from dspx.evaluate.metrics import HotPotF1 as HotPotF1
    from dspx.evaluate.metrics import answer_exact_match as answer_exact_match
    from dspx.evaluate.metrics import answer_passage_match as answer_passage_match
    from dspx.evaluate.metrics import normalize_text as normalize_text
    from dspx.evaluate.result import EvaluationResult as EvaluationResult
    from dspx.evaluate.splits import k_folds as k_folds
    from dspx.evaluate.splits import split as split

_HOME = {
    "Evaluate": "dspx.evaluate.evaluate",
    "EvaluationResult": "dspx.evaluate.result",
    "CompleteAndGrounded": "dspx.evaluate.judges",
    "SemanticF1": "dspx.evaluate.judges",
    "EM": "dspx.evaluate.metrics",
    "F1": "dspx.evaluate.metrics",
    "HotPotF1": "dspx.evaluate.metrics",
    "answer_exact_match": "dspx.evaluate.metrics",
    "answer_passage_match": "dspx.evaluate.metrics",
    "normalize_text": "dspx.evaluate.metrics",
    "k_folds": "dspx.evaluate.splits",
    "split": "dspx.evaluate.splits",
}

__getattr__, __dir__ = lazily(__name__, _HOME)
