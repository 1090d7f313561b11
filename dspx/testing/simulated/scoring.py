"""The exact expected score of a program: it is run through every outcome that its calls can have.

Each call of the model at the task is right or wrong. A program that asks it twice has four outcomes for an example,
each with its probability; the metric of each, weighted, is the expected score. Nothing is drawn and nothing counted.
"""

from __future__ import annotations

from collections.abc import Callable

from dspx.errors import UsageError
from dspx.testing.simulated.draws import deciding

MOST_OUTCOMES = 256


def expected(run: Callable[[], float]) -> float:
    """The mean of what `run` returns, over all outcomes of the calls that it makes. It must run in this thread."""
    total = 0.0
    begin: list[bool] = []
    for _ in range(MOST_OUTCOMES):
        path = _Path(begin)
        with deciding(path):
            value = run()
        total += path.probability * value
        following = path.next()
        if following is None:
            return total
        begin = following
    raise UsageError(
        f"The program's calls have more than {MOST_OUTCOMES} outcomes for one example, too many to go through: "
        "estimate its score by evaluating it on many examples."
    )


class _Path:
    """One way that all calls can go: as it is given at the beginning, right from there on."""

    def __init__(self, begin: list[bool]) -> None:
        self.begin = begin
        self.taken: list[tuple[bool, float]] = []

    def __call__(self, probability: float) -> bool:
        place = len(self.taken)
        right = self.begin[place] if place < len(self.begin) else True
        self.taken.append((right, probability))
        return right

    @property
    def probability(self) -> float:
        product = 1.0
        for right, probability in self.taken:
            product *= probability if right else 1 - probability
        return product

    def next(self) -> list[bool] | None:
        """The beginning of the next way; None after the last."""
        ways = [right for right, _ in self.taken]
        while ways and not ways[-1]:
            ways.pop()
        return [*ways[:-1], False] if ways else None
