"""Keep the demonstrations that a teacher got right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar

from dspx.core.candidate import Candidate
from dspx.errors import UsageError
from dspx.optimizers.estimate import Work
from dspx.optimizers.optimizer import Optimizer
from dspx.optimizers.parts.demos import demos_of, labelled, sample_labelled, without_example
from dspx.optimizers.rollout import Rollout, Subject, Wanted

if TYPE_CHECKING:
    from dspx.optimizers.estimate import Shape
    from dspx.optimizers.study import Study


class BootstrapFewShot(Optimizer):
    """`BootstrapFewShot(metric=…).compile(student, trainset=…, teacher=…)`: demos from a teacher's good rollouts.

    1. Run the teacher (the student with labelled demos, unless given) over the trainset until
       `max_bootstrapped_demos` rollouts pass the metric; try an example up to `max_rounds` times.
    2. Keep the steps of those rollouts, each as a demo for the leaf that took it.
    3. Fill up with labelled examples, to `max_labeled_demos` in all.

    metric: passes where it returns something true, or `metric_threshold` or more; without one everything passes.
    teacher_settings: settings for the teacher's calls, as `{"lm": …}`.
    max_errors: how many rollouts may fail before it is an error (`EvaluationError`).

    As many rollouts run at once as demos are still missing, so none is run that DSPy would not run too. Where a budget
    ends before, the student comes back with labelled examples.
    """

    needs_metric: ClassVar = False
    checks: ClassVar = False

    def __init__(
        self,
        metric: Any = None,
        metric_threshold: float | None = None,
        teacher_settings: dict[str, Any] | None = None,
        max_bootstrapped_demos: int = 4,
        max_labeled_demos: int = 16,
        max_rounds: int = 1,
        max_errors: int | None = None,
    ) -> None:
        self.metric = metric
        self.metric_threshold = metric_threshold
        self.teacher_settings = teacher_settings or {}
        self.max_bootstrapped_demos = max_bootstrapped_demos
        self.max_labeled_demos = max_labeled_demos
        self.max_rounds = max_rounds
        self.max_errors = max_errors

    def work(self, shape: Shape, **options: Any) -> Work:
        return Bootstrap.of(self).work(shape)

    async def search(self, study: Study) -> None:
        study.adopt(study.beginnings(self.max_labeled_demos)[-1])  # should the budget not reach further
        bootstrap = Bootstrap.of(self)
        study.adopt(await bootstrap(study, study.trainset))


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """Bootstrapping as a step of a search: `await Bootstrap(…)(study, examples)` gives a candidate."""

    max_bootstrapped_demos: int = 4
    max_labeled_demos: int = 16
    max_rounds: int = 1
    metric_threshold: float | None = None

    @classmethod
    def of(cls, optimizer: Any, **changed: Any) -> Bootstrap:
        """As an optimizer is set."""
        names = ("max_bootstrapped_demos", "max_labeled_demos", "max_rounds", "metric_threshold")
        return replace(cls(*(getattr(optimizer, name) for name in names)), **changed)

    async def __call__(
        self, study: Study, examples: Sequence[Any], *, how: str = "bootstrapped demos"
    ) -> Candidate:
        """The student with demos: bootstrapped ones first, then labelled ones of the examples not used for them."""
        passed = await self.passing(study, examples)
        rest = rest_of(examples, passed)
        demos: dict[str, list[Any]] = {}
        found = [demos_of(rollout) for rollout in passed]
        rng = Random(0)  # one for all leaves, as in DSPy: each draws labelled examples of its own
        for leaf in study.baseline.demos():
            augmented = [one[leaf] for one in found if leaf in one][: self.max_bootstrapped_demos]
            labels = sample_labelled(rest, self.max_labeled_demos - len(augmented), rng)
            demos[leaf] = [*augmented, *labels]
        return study.propose(study.baseline.with_demos(demos), how, study.baseline)

    def work(self, shape: Shape) -> Work:
        """As many rollouts as demos where all pass; all examples in all rounds where none does."""
        least = min(self.max_bootstrapped_demos, shape.train)
        return Work(rollouts=(least, shape.train * self.max_rounds if least else 0))

    def teacher_of(self, study: Study, examples: Sequence[Any]) -> tuple[Subject, Candidate]:
        """Who shows how: with labelled demos of its own, unless it was compiled before.

        Under honest selection it is the same one however the examples are shuffled, so that a rollout of it serves
        every candidate; DSPy draws its labelled demos anew each time.
        """
        subject = study.teacher
        values: Candidate = subject.program.candidate()
        self._check_teacher(study, values)
        if self.max_labeled_demos and not getattr(subject.program, "_compiled", False):
            shown = study.trainset if study.honest else examples
            values = values.with_demos(labelled(values.demos(), shown, self.max_labeled_demos))
        return subject, values

    async def passing(self, study: Study, examples: Sequence[Any]) -> list[Rollout]:
        """The first `max_bootstrapped_demos` examples, in their order, on which a rollout of the teacher passes."""
        teacher = self.teacher_of(study, examples)
        passed: list[Rollout] = []
        waiting = list(examples)
        while waiting and len(passed) < self.max_bootstrapped_demos:
            wave = waiting[: self.max_bootstrapped_demos - len(passed)]
            waiting = waiting[len(wave) :]
            passed += await self._first_passes(study, teacher, wave)
        return passed

    async def _first_passes(
        self, study: Study, teacher: tuple[Subject, Candidate], wave: Sequence[Any]
    ) -> list[Rollout]:
        """Of each example the first rollout that passes, within `max_rounds`."""
        subject, values = teacher
        found: dict[int, Rollout] = {}
        for number in range(self.max_rounds):
            left = [place for place in range(len(wave)) if place not in found]
            if not left:
                break
            wanted = [
                Wanted(
                    values.with_demos(without_example(values.demos(), wave[place])),
                    wave[place],
                    number,
                    1.0 if number else None,
                )
                for place in left
            ]
            rollouts = await study.run(wanted, subject=subject, keep_steps=True, tell_trace=True)
            found.update(
                {
                    place: rollout
                    for place, rollout in zip(left, rollouts, strict=True)
                    if self._passes(rollout)
                }
            )
        return [found[place] for place in sorted(found)]

    def _passes(self, rollout: Rollout) -> bool:
        if rollout.score is None:
            return False
        return rollout.score >= self.metric_threshold if self.metric_threshold else bool(rollout.score)

    def _check_teacher(self, study: Study, values: Candidate) -> None:
        ours, theirs = list(study.baseline.demos()), list(values.demos())
        if ours != theirs:
            raise UsageError(
                f"The student has the predictors {ours} and the teacher {theirs}: "
                "a demo goes to the leaf of the same name, so both must have the same."
            )


def rest_of(examples: Sequence[Any], passed: Sequence[Rollout]) -> list[Any]:
    """The examples that no demo was bootstrapped from, shuffled."""
    used = {id(rollout.example) for rollout in passed}
    rest = [example for example in examples if id(example) not in used]
    Random(0).shuffle(rest)
    return rest
