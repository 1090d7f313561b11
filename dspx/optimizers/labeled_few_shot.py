"""Show each predictor some labelled examples."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import TYPE_CHECKING, Any, TypeVar

from dspx.core.module import Module
from dspx.errors import UsageError
from dspx.optimizers.optimizer import Optimizer
from dspx.runtime.bridge import run

if TYPE_CHECKING:
    from dspx.core.example import Example

M = TypeVar("M", bound=Module)


class LabeledFewShot(Optimizer):
    """`LabeledFewShot(k=16).compile(student, trainset=…)`: a copy with up to `k` examples as demonstrations.

    Each predictor gets a random choice of its own, the same every time; with `sample=False`, the first `k`.
    """

    def __init__(self, k: int = 16) -> None:
        self.k = k

    def compile(self, student: M, *, trainset: Sequence[Example], sample: bool = True, **kwargs: Any) -> M:
        return run(self.acompile(student, trainset=trainset, sample=sample, **kwargs))

    async def acompile(
        self, student: M, *, trainset: Sequence[Example], sample: bool = True, **kwargs: Any
    ) -> M:
        unknown = [name for name, value in kwargs.items() if value is not None or name not in _UNUSED]
        if unknown:
            raise UsageError(f"LabeledFewShot.compile has no use for {', '.join(unknown)}.")
        compiled = student.reset_copy()
        examples = list(trainset)
        size = min(self.k, len(examples))
        rng = Random(0)
        for predictor in compiled.predictors():
            predictor.demos = rng.sample(examples, size) if sample else examples[:size]
        return compiled


_UNUSED = frozenset({"teacher", "valset"})
