"""A rollout: one candidate on one example. What is wanted, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any

from dspx.core.budget import Spending
from dspx.core.candidate import Candidate
from dspx.core.example import Example
from dspx.core.prediction import Prediction
from dspx.core.record import record


@record
class Subject:
    """A program that rollouts run, and the settings that it runs under: the student, a teacher."""

    name: str
    program: Any
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])


@record
class Wanted:
    """A rollout to run. `repeat` other than 0 asks the LM afresh, at `temperature` where the leaf sets none."""

    candidate: Candidate
    example: Example
    repeat: int = 0
    temperature: float | None = None


@record
class Step:
    """What one leaf was asked in a rollout, and what it answered."""

    leaf: str
    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]

    def demo(self) -> Example:
        """The step as a demonstration for its leaf."""
        return Example({"augmented": True, **self.inputs, **self.outputs})


@record
class Failure:
    """Why a rollout has no score. `by_endpoint`: the LM could not be reached, which says nothing of the candidate."""

    type: str
    message: str
    stage: str
    by_endpoint: bool = False

    def __str__(self) -> str:
        return f"{self.stage} failed: {self.type}: {self.message}"


@record
class Rollout:
    """What came of a rollout.

    `score` is None where it failed. `steps` are there where the study was asked to keep them. `metadata` is
    what the metric returned beside the score (`feedback`, …).
    """

    candidate: Candidate
    example: Example
    key: str
    repeat: int
    score: float | None
    prediction: Prediction
    steps: tuple[Step, ...] | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict[str, Any])
    failure: Failure | None = None
    spent: Spending = field(default_factory=Spending)

    @property
    def value(self) -> float:
        """The score as it counts in a mean: a failure is 0."""
        return 0.0 if self.score is None else self.score

    @property
    def counts(self) -> bool:
        """Whether it says something about the candidate."""
        return self.failure is None or not self.failure.by_endpoint

    @property
    def feedback(self) -> str | None:
        """What the metric said in words."""
        found = self.metadata.get("feedback")
        return None if found is None else str(found)

    def steps_of(self, leaf: str) -> list[Step]:
        """The steps that one leaf took."""
        return [step for step in self.steps or () if step.leaf == leaf]


@record
class Measured:
    """One candidate on several examples, in their order."""

    candidate: Candidate
    rollouts: Sequence[Rollout]

    def __iter__(self) -> Iterator[Rollout]:
        return iter(self.rollouts)

    def __len__(self) -> int:
        return len(self.rollouts)

    @property
    def values(self) -> list[float]:
        """The scores that count, failures of the candidate as 0."""
        return [rollout.value for rollout in self.rollouts if rollout.counts]

    @property
    def mean(self) -> float:
        """Between 0 and 1 where the metric is; 0 where there is nothing."""
        values = self.values
        return sum(values) / len(values) if values else 0.0

    @property
    def score(self) -> float:
        """The mean in percent, as DSPy gives it."""
        return round(100 * self.mean, 2)

    @property
    def failures(self) -> list[Failure]:
        return [rollout.failure for rollout in self.rollouts if rollout.failure is not None]


def ranked(measured: Sequence[Measured]) -> list[Measured]:
    """The best first, equals in their order."""
    return sorted(measured, key=lambda one: -one.mean)
