"""Metrics that ask a language model: how much of the truth an answer holds, and what of it is grounded."""

from __future__ import annotations

from typing import Any

from dspx.core.fields import InputField, OutputField
from dspx.core.module import Module
from dspx.core.prediction import Prediction
from dspx.core.signature import Signature
from dspx.modules.chain_of_thought import ChainOfThought


class CompareIdeas(Signature):
    """Judge a system's response by the ideas it shares with the ground truth, not by its wording.
    Recall is the part of the ground truth's ideas that the response states; precision is the part of the
    response's ideas that the ground truth supports. When you reason, go through the ideas of both one by one."""

    question: str = InputField()
    ground_truth: str = InputField()
    system_response: str = InputField()
    recall: float = OutputField(desc="between 0.0 and 1.0: how much of the ground truth the response states")
    precision: float = OutputField(
        desc="between 0.0 and 1.0: how much of the response the ground truth supports"
    )


class ListAndCompareIdeas(Signature):
    """Judge a system's response by the ideas it shares with the ground truth, not by its wording.
    First list the ideas of each, then say which of them meet, and only then give recall and precision."""

    question: str = InputField()
    ground_truth: str = InputField()
    system_response: str = InputField()
    ground_truth_key_ideas: str = OutputField(desc="the ideas of the ground truth, one by one")
    system_response_key_ideas: str = OutputField(desc="the ideas of the response, one by one")
    discussion: str = OutputField(desc="which ideas occur in both, and which in only one")
    recall: float = OutputField(desc="between 0.0 and 1.0: how much of the ground truth the response states")
    precision: float = OutputField(
        desc="between 0.0 and 1.0: how much of the response the ground truth supports"
    )


class SemanticF1(Module):
    """How well `pred.response` agrees with `example.response` as an answer to `example.question`: 0 to 1.

    An LM judges recall and precision of ideas; the score is their harmonic mean. With a `trace` (while an
    optimizer collects demonstrations) the score is whether it reaches `threshold`. `decompositional` makes
    the LM list the ideas of both sides first.
    """

    def __init__(self, threshold: float = 0.66, decompositional: bool = False) -> None:
        self.threshold = threshold
        self.module = ChainOfThought(ListAndCompareIdeas if decompositional else CompareIdeas)

    async def aforward(self, example: Any, pred: Any, trace: Any = None) -> Prediction:
        judged = await self.module.acall(
            question=example.question, ground_truth=example.response, system_response=pred.response
        )
        return _verdict(f1_score(judged.precision, judged.recall), self.threshold, trace)


class JudgeCompleteness(Signature):
    """Judge how much of the ground truth a system's response covers.
    First list the ideas of each, then say which of them meet, and only then give the completeness."""

    question: str = InputField()
    ground_truth: str = InputField()
    system_response: str = InputField()
    ground_truth_key_ideas: str = OutputField(desc="the ideas of the ground truth, one by one")
    system_response_key_ideas: str = OutputField(desc="the ideas of the response, one by one")
    discussion: str = OutputField(desc="which ideas of the ground truth the response has")
    completeness: float = OutputField(desc="between 0.0 and 1.0: how much of the ground truth is covered")


class JudgeGroundedness(Signature):
    """Judge how much of a system's response is supported by the documents it was given and by plain common sense.
    First list the response's claims, then say what supports each, and only then give the groundedness."""

    question: str = InputField()
    retrieved_context: str = InputField()
    system_response: str = InputField()
    system_response_claims: str = OutputField(
        desc="the claims of the response that are not trivial, one by one"
    )
    discussion: str = OutputField(desc="which claims the context supports")
    groundedness: float = OutputField(desc="between 0.0 and 1.0: how much of the response is supported")


class CompleteAndGrounded(Module):
    """Whether `pred.response` covers `example.response`, and stays with what `pred.context` says: 0 to 1.

    Two judgements by an LM, completeness and groundedness; the score is their harmonic mean. With a `trace`
    the score is whether it reaches `threshold`.
    """

    def __init__(self, threshold: float = 0.66) -> None:
        self.threshold = threshold
        self.completeness_module = ChainOfThought(JudgeCompleteness)
        self.groundedness_module = ChainOfThought(JudgeGroundedness)

    async def aforward(self, example: Any, pred: Any, trace: Any = None) -> Prediction:
        complete = await self.completeness_module.acall(
            question=example.question, ground_truth=example.response, system_response=pred.response
        )
        grounded = await self.groundedness_module.acall(
            question=example.question, retrieved_context=pred.context, system_response=pred.response
        )
        return _verdict(f1_score(grounded.groundedness, complete.completeness), self.threshold, trace)


def f1_score(precision: float, recall: float) -> float:
    """The harmonic mean of two shares; what lies outside of 0 to 1 is moved to the edge."""
    precision, recall = min(1.0, max(0.0, precision)), min(1.0, max(0.0, recall))
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _verdict(score: float, threshold: float, trace: Any) -> Prediction:
    return Prediction(score=score if trace is None else score >= threshold)
