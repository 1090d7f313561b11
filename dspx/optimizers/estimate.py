"""What an optimization will take, before anything is spent."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dspx.core.module import Module
from dspx.core.settings import snapshot
from dspx.lm.cost import price_of
from dspx.lm.usage import Usage

if TYPE_CHECKING:
    from dspx.optimizers.optimizer import Optimizer

Range = tuple[int, int]
"""At least, at most."""

_CHARACTERS = 4  # to a token, as a rule of thumb
_ANSWER_TOKENS = 80  # of an output field that is text
_ASK_TOKENS = 1_500  # of a question to a proposer, and its answer


@dataclass(frozen=True, slots=True)
class Shape:
    """What an optimizer's work depends on: examples to learn from and to choose by, leaves, how it selects."""

    train: int
    val: int
    leaves: int
    honest: bool
    has_valset: bool


@dataclass(frozen=True, slots=True)
class Work:
    """Rollouts of the program, and questions to the optimizer's own prompts."""

    rollouts: Range = (0, 0)
    asks: Range = (0, 0)

    def __add__(self, other: Work) -> Work:
        return Work(_sum(self.rollouts, other.rollouts), _sum(self.asks, other.asks))


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a compile will take, at least and at most. Tokens and dollars are rough: within a factor of two or so.

    Answers that are in the cache already cost nothing. `cost` is None where no price of the model is known.
    """

    rollouts: Range
    lm_calls: Range
    tokens: Range
    cost: tuple[float, float] | None
    model: str | None

    def __str__(self) -> str:
        lines = [
            f"{_between(self.rollouts)} rollouts, {_between(self.lm_calls)} LM calls, {_between(self.tokens)} tokens"
        ]
        if self.cost is not None:
            lines.append(f"${self.cost[0]:.2f} to ${self.cost[1]:.2f} on {self.model}")
        return "; ".join(lines)


def estimate(
    optimizer: Optimizer,
    student: Module,
    trainset: Sequence[Any],
    valset: Sequence[Any] | None,
    **options: Any,
) -> Estimate:
    """The estimate of `optimizer.compile(student, trainset=…, valset=…)`."""
    honest = optimizer.selection == "honest"
    check = optimizer.check_size(len(trainset), valset is not None)
    train = len(trainset) - check
    shape = Shape(
        train, len(valset) if valset else train, len(student.predictors()), honest, valset is not None
    )
    work = optimizer.work(shape, **options)
    if optimizer.checks and honest:
        work = work + Work(rollouts=(2 * check, 2 * (check or 20)))
    lm = next((leaf.lm for leaf in student.predictors() if leaf.lm), None) or snapshot()["lm"]
    calls = (
        work.rollouts[0] * shape.leaves + work.asks[0],
        work.rollouts[1] * shape.leaves + work.asks[1],
    )
    sent, made = _tokens_of_a_rollout(student, trainset)
    tokens = tuple(
        rollouts * (sent + made) + asks * _ASK_TOKENS
        for rollouts, asks in zip(work.rollouts, work.asks, strict=True)
    )
    model = getattr(lm, "model", None)
    row = price_of(model) if model else None
    cost = None
    if row is not None:
        share = made / max(1, sent + made)
        low, high = (
            row.of(Usage(prompt_tokens=int(n * (1 - share)), completion_tokens=int(n * share)))
            for n in tokens
        )
        cost = (low, high)
    return Estimate(work.rollouts, calls, (tokens[0], tokens[1]), cost, model)


def trials(leaves: int, candidates: int, *, zero_shot: bool = False) -> int:
    """MIPROv2's number of trials."""
    variables = leaves * (1 if zero_shot else 2)
    return int(max(2 * variables * math.log2(candidates), 1.5 * candidates))


def _tokens_of_a_rollout(student: Module, trainset: Sequence[Any]) -> tuple[int, int]:
    """Roughly what all leaves are sent and answer, with the demos that they have and four more."""
    example = trainset[0] if len(trainset) else {}
    shown = len(str(dict(example.items()))) if len(trainset) else 0
    sent = made = 0
    for leaf in student.predictors():
        signature = leaf.signature
        described = len(signature.instructions) + 60 * len(signature.fields) + 300
        demos = sum(len(str(demo)) for demo in leaf.demos)
        sent += (described + demos + 5 * shown) // _CHARACTERS
        made += _ANSWER_TOKENS * len(signature.output_fields)
    return sent, made


def _sum(one: Range, other: Range) -> Range:
    return one[0] + other[0], one[1] + other[1]


def _between(one: Range) -> str:
    return f"{one[0]:,}" if one[0] == one[1] else f"{one[0]:,} to {one[1]:,}"
