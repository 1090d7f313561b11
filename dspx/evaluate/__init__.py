"""How well a program does, how sure that is, and whether another does better."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

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
    "Evaluate": "evaluate",
    "EvaluationResult": "result",
    "CompleteAndGrounded": "judges",
    "SemanticF1": "judges",
    "EM": "metrics",
    "F1": "metrics",
    "HotPotF1": "metrics",
    "answer_exact_match": "metrics",
    "answer_passage_match": "metrics",
    "normalize_text": "metrics",
    "k_folds": "splits",
    "split": "splits",
}


def __getattr__(name: str) -> Any:
    home = _HOME.get(name)
    if home is None:
        from dspx.core.lazy import submodule

        return submodule("dspx.evaluate", name)
    value = getattr(import_module(f"dspx.evaluate.{home}"), name)
    globals()[name] = value
    return value
