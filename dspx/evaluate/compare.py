"""Is one program better than another? Both on the same examples, the differences paired.

dspx.compare(before, after, devset, metric)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dspx.errors import UsageError
from dspx.evaluate import stats
from dspx.evaluate.evaluate import Evaluate
from dspx.evaluate.result import EvaluationResult
from dspx.runtime.bridge import run


@dataclass(frozen=True, slots=True)
class Comparison:
    """`b` against `a` on the same examples; differences are `b` minus `a`, in percentage points."""

    a: EvaluationResult
    b: EvaluationResult
    difference: float
    ci95: tuple[float, float] | None
    """Where the difference would lie on endlessly many examples like these, 95 % sure."""
    p_value: float
    """How often chance alone would make a difference as large, if the two were equally good."""
    effect_size: float
    """Cohen's d of the paired differences: 0.2 is small, 0.8 is large."""
    n: int
    """How many examples both ran."""
    wins: int
    """On how many of them `b` scored higher."""
    losses: int
    ties: int
    needs: int | None
    """How many more examples it would take to tell this difference from chance (80 % power), if it is real;
    0 where it can be told already, None where no difference was seen."""

    @property
    def significant(self) -> bool:
        """Whether chance would make such a difference less than once in 20 times."""
        return self.p_value < 0.05

    @property
    def verdict(self) -> str:
        """The comparison in a sentence."""
        return verdict(self.difference, self.p_value, self.n, self.needs)

    def __str__(self) -> str:
        lines = [
            self.verdict,
            f"a {self.a.score:g} %, b {self.b.score:g} %; b won {self.wins}, lost {self.losses}, tied {self.ties}",
        ]
        if self.ci95:
            lines.append(
                f"difference {self.difference:+.2f}, 95 % sure between {self.ci95[0]:+g} and {self.ci95[1]:+g}"
            )
        for name, result in (("a", self.a), ("b", self.b)):
            if result.errors:
                lines.append(f"{name}: {result.errors} examples failed and count as a score of their own")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return (
            f"Comparison(difference={self.difference}, ci95={self.ci95}, p_value={self.p_value:.4g}, n={self.n}, "
            f"wins={self.wins}, losses={self.losses}, ties={self.ties}, needs={self.needs})"
        )


def verdict(difference: float, p_value: float, n: int, needs: int | None, a: str = "a", b: str = "b") -> str:
    """What a paired difference (`b` minus `a`, in points) means, in a sentence."""
    points = f"{abs(difference):.2f} points"
    if difference == 0:
        return f"no difference on {n} examples"
    side = "better" if difference > 0 else "worse"
    if p_value < 0.05:
        return f"{b} is {points} {side} than {a}, more than chance explains (p = {p_value:.3g})"
    more = f"; it would take about {needs} more examples to tell" if needs else ""
    return f"{b} looks {points} {side} than {a}, but that may be chance (p = {p_value:.3g}){more}"


def compare(
    a: Any,
    b: Any,
    devset: Sequence[Any] | None = None,
    metric: Any = None,
    *,
    seed: int = 0,
    **options: Any,
) -> Comparison:
    """Evaluate both programs on the devset and compare them example by example.

    `a` and `b` are programs, or results that there are already. `options` are `Evaluate`'s: `num_threads`,
    `repeats`, `max_errors`, `display_progress`, …
    """
    return run(acompare(a, b, devset, metric, seed=seed, **options))


async def acompare(
    a: Any,
    b: Any,
    devset: Sequence[Any] | None = None,
    metric: Any = None,
    *,
    seed: int = 0,
    **options: Any,
) -> Comparison:
    """`compare` for async code."""
    first = await _measured(a, devset, metric, options)
    second = await _measured(b, devset, metric, options)
    differences = _differences(first, second)
    found = stats.paired(differences, seed)
    interval = found.ci95
    return Comparison(
        a=first,
        b=second,
        difference=round(100 * found.difference, 2),
        ci95=(round(100 * interval[0], 2), round(100 * interval[1], 2)) if interval else None,
        p_value=found.p_value,
        effect_size=found.effect_size,
        n=found.n,
        wins=sum(d > 0 for d in differences),
        losses=sum(d < 0 for d in differences),
        ties=sum(d == 0 for d in differences),
        needs=found.needs,
    )


async def _measured(
    side: Any, devset: Sequence[Any] | None, metric: Any, options: dict[str, Any]
) -> EvaluationResult:
    if isinstance(side, EvaluationResult):
        return side
    if devset is None:
        raise UsageError(
            "compare needs a devset and a metric to run a program: compare(a, b, devset, metric)."
        )
    return await Evaluate(devset=devset, metric=metric, **options).acall(side)


def _differences(a: EvaluationResult, b: EvaluationResult) -> list[float]:
    """By example, over those that ran on both sides; repeats are averaged first."""
    left, right = _by_example(a), _by_example(b)
    shared = [index for index in left if index in right]
    if not shared:
        raise UsageError("There is no example that both sides ran, so there is nothing to compare.")
    for index in shared:
        if left[index][0] is not right[index][0] and left[index][0] != right[index][0]:
            raise UsageError(
                f"Example {index} is not the same on both sides; compare results of one devset, in one order."
            )
    return [_mean(right[index][1]) - _mean(left[index][1]) for index in shared]


def _by_example(result: EvaluationResult) -> dict[int, tuple[Any, list[float]]]:
    found: dict[int, tuple[Any, list[float]]] = {}
    for row in result.rows:
        found.setdefault(row.index, (row.example, []))[1].append(row.value)
    return found


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)
