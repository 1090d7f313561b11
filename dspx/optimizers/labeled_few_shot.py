"""Show each predictor some labelled examples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from dspx.optimizers.estimate import Work
from dspx.optimizers.optimizer import Optimizer
from dspx.optimizers.parts.demos import labelled

if TYPE_CHECKING:
    from dspx.optimizers.estimate import Shape
    from dspx.optimizers.study import Study


class LabeledFewShot(Optimizer):
    """`LabeledFewShot(k=16).compile(student, trainset=…)`: a copy with up to `k` examples as demonstrations.

    Each predictor gets a random choice of its own, the same every time; with `sample=False`, the first `k`.
    It asks no LM; given a `metric` and a `valset`, it measures what the examples are worth.
    """

    needs_metric: ClassVar = False
    needs_trainset: ClassVar = False
    checks: ClassVar = False
    freezes: ClassVar = False
    unused: ClassVar = frozenset({"teacher"})

    def __init__(self, k: int = 16) -> None:
        self.k = k

    def work(self, shape: Shape, **options: Any) -> Work:
        return Work()

    async def search(self, study: Study, *, sample: bool = True) -> None:
        leaves = study.baseline.demos()
        demos = labelled(leaves, study.trainset, self.k, sample=sample)
        study.adopt(study.propose(study.baseline.with_demos(demos), "labelled examples", study.baseline))
