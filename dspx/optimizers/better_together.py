"""Optimizers one after the other, each going on from what the one before it made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dspx.core.module import Module
from dspx.errors import BudgetExhausted, DSPxError, SearchDiverged, UsageError
from dspx.optimizers.estimate import Work
from dspx.optimizers.optimizer import Optimizer
from dspx.optimizers.random_search import BootstrapFewShotWithRandomSearch

if TYPE_CHECKING:
    from dspx.core.candidate import Candidate
    from dspx.optimizers.estimate import Shape
    from dspx.optimizers.study import Study

_ARROW = "->"
_TAKEN = frozenset({"student", "trainset", "teacher", "valset"})


class BetterTogether(Optimizer):
    """`BetterTogether(metric, p=BootstrapRS(metric), i=COPRO(metric=metric)).compile(student, trainset=…, strategy="p -> i -> p")`.

    1. Measure the student on the valset (the first `valset_ratio` of the shuffled trainset, unless given).
    2. For each step of `strategy`, let the optimizer of that name go on from the program so far, and measure.
    3. Keep the best; of equals the earliest. Without a valset (`valset_ratio=0`), the last.

    A step that fails ends the sequence: the best so far comes back with `flag_compilation_error_occurred`. Steps
    that change weights need a provider with finetuning, which dspx does not have yet.
    `optimizer_compile_args={"p": {…}}` are further arguments of a step's `compile`.
    """

    def __init__(self, metric: Any, *, selection: str = "honest", **optimizers: Optimizer) -> None:
        self.metric = metric
        self.selection = selection
        self.optimizers: dict[str, Optimizer] = optimizers or {"p": BootstrapFewShotWithRandomSearch(metric)}
        for name, optimizer in self.optimizers.items():
            if not isinstance(optimizer, Optimizer):
                raise UsageError(
                    f"BetterTogether({name}=…) takes an optimizer, not {type(optimizer).__name__}."
                )

    def work(self, shape: Shape, *, strategy: str = "p", **options: Any) -> Work:
        steps = self._steps(strategy)
        measured = Work(rollouts=(shape.val, (len(steps) + 1) * shape.val))
        return sum((self.optimizers[name].work(shape) for name in steps), measured)

    async def search(
        self,
        study: Study,
        *,
        max_errors: int | None = None,
        provide_traceback: bool | None = None,
        valset_ratio: float = 0.1,
        shuffle_trainset_between_steps: bool = True,
        strategy: str = "p",
        optimizer_compile_args: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        study.max_errors = max_errors or study.max_errors
        steps = self._steps(strategy)
        arguments = self._arguments(optimizer_compile_args or {})
        self._split(study, valset_ratio)
        program, done = study.student.program, [""]
        tried = [await self._tried(study, study.baseline, "")]
        failed = False
        for number, name in enumerate(steps):
            trainset = list(study.trainset)
            if shuffle_trainset_between_steps:
                study.rng.shuffle(trainset)
            try:
                program = await self._step(study, name, program, trainset, number, arguments.get(name, {}))
            except (BudgetExhausted, SearchDiverged):
                raise
            except DSPxError as error:
                study.log("Step %d (%s) failed, and the sequence ends: %s", number + 1, name, error)
                failed = True
                break
            done.append(name)
            candidate = study.propose(program.candidate(), f"step {number + 1}: {name}", study.baseline)
            tried.append(await self._tried(study, candidate, f" {_ARROW} ".join(done[1:])))
        self._finish(study, tried, failed)

    async def _step(
        self,
        study: Study,
        name: str,
        program: Module,
        trainset: Sequence[Any],
        number: int,
        arguments: Mapping[str, Any],
    ) -> Any:
        given = {"valset": study.valset} if study.has_valset and self._takes_valset(name) else {}
        return await study.compile(
            self.optimizers[name],
            program,
            f"step{number + 1}.{name}",
            trainset=trainset,
            **given,
            **arguments,
        )

    async def _tried(self, study: Study, candidate: Candidate, strategy: str) -> dict[str, Any]:
        score = (await study.evaluate(candidate)).score if study.has_valset else None
        return {"score": score, "candidate": candidate, "strategy": strategy}

    def _finish(self, study: Study, tried: list[dict[str, Any]], failed: bool) -> None:
        best = max(tried, key=lambda one: one["score"]) if study.has_valset else tried[-1]
        study.adopt(best["candidate"])
        study.note(
            candidate_programs=sorted(tried, key=lambda one: -(one["score"] or 0.0)),
            flag_compilation_error_occurred=failed,
        )

    def _takes_valset(self, name: str) -> bool:
        return "valset" not in self.optimizers[name].unused

    def _split(self, study: Study, ratio: float) -> None:
        if study.has_valset:
            return
        if not 0 <= ratio < 1:
            raise UsageError(f"valset_ratio={ratio}: a share of the trainset, from 0 to below 1.")
        size = int(ratio * len(study.trainset))
        if size:
            shuffled = list(study.trainset)
            study.rng.shuffle(shuffled)
            study.choose_by(shuffled[:size], learn_from=shuffled[size:])

    def _steps(self, strategy: str) -> list[str]:
        steps = [step.strip() for step in strategy.split(_ARROW)]
        unknown = [step for step in steps if step not in self.optimizers]
        if unknown or not steps:
            raise UsageError(
                f"strategy {strategy!r} names {unknown}; the optimizers are {list(self.optimizers)}: "
                f"write for example {f' {_ARROW} '.join(self.optimizers)!r}."
            )
        return steps

    def _arguments(self, given: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Mapping[str, Any]]:
        for name, arguments in given.items():
            if name not in self.optimizers:
                raise UsageError(
                    f"optimizer_compile_args has {name!r}; the optimizers are {list(self.optimizers)}."
                )
            taken = _TAKEN.intersection(arguments)
            if taken:
                raise UsageError(f"optimizer_compile_args[{name!r}] cannot give {', '.join(sorted(taken))}.")
        return given
