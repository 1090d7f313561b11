"""For each question, demonstrations from the examples that are most like it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dspx.core.calls import entrance
from dspx.core.candidate import Candidate
from dspx.core.module import Module
from dspx.errors import UsageError
from dspx.modules.knn import KNN
from dspx.optimizers.bootstrap_few_shot import BootstrapFewShot
from dspx.optimizers.optimizer import Optimizer
from dspx.runtime.bridge import run
from dspx.runtime.flight import Flights


class KNNFewShot(Optimizer):
    """`KNNFewShot(k, trainset, vectorizer).compile(student)`: a program that looks up its demos for each question.

    The `k` nearest examples (by `vectorizer`, an `Embedder` or any function from texts to vectors) are
    bootstrapped as `BootstrapFewShot(**few_shot_bootstrap_args)` does it, and shown for this call. The demos of one set of neighbours
    are made once and remembered, so questions that share their neighbours cost no further LM calls.

    What `save` keeps is the student's own state; compile again to have the neighbours.
    """

    def __init__(
        self, k: int, trainset: Sequence[Any], vectorizer: Any, **few_shot_bootstrap_args: Any
    ) -> None:
        self.k = k
        self.trainset = list(trainset)
        self.vectorizer = vectorizer
        self.few_shot_bootstrap_args = few_shot_bootstrap_args
        self.knn = KNN(k, self.trainset, vectorizer)
        self.bootstrap = BootstrapFewShot(**few_shot_bootstrap_args)

    def compile(self, student: Module, *, teacher: Module | None = None, **kwargs: Any) -> KNNProgram:  # type: ignore[override]
        """The program; nothing is asked yet."""
        return run(self.acompile(student, teacher=teacher, **kwargs))

    async def acompile(  # type: ignore[override]
        self, student: Module, *, teacher: Module | None = None, **kwargs: Any
    ) -> KNNProgram:
        """`compile` for async code."""
        if kwargs:
            raise UsageError(
                f"KNNFewShot.compile has no use for {', '.join(kwargs)}: the examples are given to KNNFewShot(…)."
            )
        program = KNNProgram(student.deepcopy(), self.knn, self.bootstrap, teacher)
        program._compiled = True
        return program


class KNNProgram(Module):
    """A student that is shown, for each question, demos from the nearest examples."""

    student: Module

    def __init__(
        self, student: Module, knn: KNN, bootstrap: BootstrapFewShot, teacher: Module | None
    ) -> None:
        super().__init__()
        self.student = student
        self._neighbours = knn
        self._bootstrap = bootstrap
        self._teacher = _Hidden(teacher)
        self._candidates: dict[tuple[int, ...], Candidate] = {}
        self._flights = Flights()

    async def aforward(self, **kwargs: Any) -> Any:
        nearest = await self._neighbours.acall(**kwargs)
        key = tuple(sorted(id(example) for example in nearest))
        candidate = self._candidates.get(key)
        if candidate is None:
            candidate, _ = await self._flights.once(key, lambda: self._demonstrated(nearest))
            self._candidates[key] = candidate
        with candidate.using(self.student):
            return await entrance(self.student)(**kwargs)

    async def _demonstrated(self, nearest: Sequence[Any]) -> Candidate:
        compiled = await self._bootstrap.acompile(
            self.student, trainset=nearest, teacher=self._teacher.module
        )
        return compiled.candidate()

    def __deepcopy__(self, memo: dict[int, Any]) -> KNNProgram:
        return KNNProgram(self.student.deepcopy(), self._neighbours, self._bootstrap, self._teacher.module)


class _Hidden:
    """A module that is not a part of the program."""

    def __init__(self, module: Module | None) -> None:
        self.module = module
