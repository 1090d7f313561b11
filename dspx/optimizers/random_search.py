"""Bootstrap demos many times and keep the set that scores best."""

from __future__ import annotations

from collections.abc import Collection
from random import Random
from typing import TYPE_CHECKING, Any

from dspx.optimizers.bootstrap_few_shot import Bootstrap
from dspx.optimizers.estimate import Work
from dspx.optimizers.optimizer import Optimizer
from dspx.optimizers.parts.demos import labelled
from dspx.optimizers.parts.racing import BOLD_FIRST

if TYPE_CHECKING:
    from dspx.core.candidate import Candidate
    from dspx.optimizers.estimate import Shape
    from dspx.optimizers.study import Study


class BootstrapFewShotWithRandomSearch(Optimizer):
    """`BootstrapFewShotWithRandomSearch(metric=…).compile(student, trainset=…, valset=…)`: the best of many demo sets.

    1. Candidates: the student without demos, with labelled demos, with bootstrapped demos of the trainset in its
       order, and `num_candidate_programs` times bootstrapped demos of a shuffled trainset.
    2. Measure all on ten examples of the valset (the trainset, unless given), those that are not probably behind on
       twice as many, and so on; keep the best. That takes about half of the rollouts of running all candidates on
       all examples, and finds one as good.

    Each set has `max_bootstrapped_demos` bootstrapped demos, and labelled ones up to `max_labeled_demos` in all.
    With `selection="dspy"` a shuffled trainset gives 1 to `max_bootstrapped_demos` of them, by chance, and all
    candidates run on all examples.

    stop_at_score: percent; candidates are then tried one after the other, and none after one that reaches it.
    `compile(restrict=[…])` tries these seeds only (-3 to -1 are the first three candidates); with
    `labeled_sample=False` labelled demos are the first examples. The result's `candidate_programs` has all of
    them, the best first: `score`, `subscores`, `seed`, `program`.
    """

    def __init__(
        self,
        metric: Any,
        teacher_settings: dict[str, Any] | None = None,
        max_bootstrapped_demos: int = 4,
        max_labeled_demos: int = 16,
        max_rounds: int = 1,
        num_candidate_programs: int = 16,
        num_threads: int | None = None,
        max_errors: int | None = None,
        stop_at_score: float | None = None,
        metric_threshold: float | None = None,
        *,
        selection: str = "honest",
    ) -> None:
        self.metric = metric
        self.teacher_settings = teacher_settings or {}
        self.max_bootstrapped_demos = max_bootstrapped_demos
        self.max_labeled_demos = max_labeled_demos
        self.max_rounds = max_rounds
        self.num_candidate_programs = num_candidate_programs
        self.num_threads = num_threads
        self.max_errors = max_errors
        self.stop_at_score = stop_at_score
        self.metric_threshold = metric_threshold
        self.selection = selection

    def work(self, shape: Shape, **options: Any) -> Work:
        n, bootstraps = self.num_candidate_programs, Bootstrap.of(self).work(shape)
        if not shape.honest:  # each with a teacher of its own
            bootstraps = Work(rollouts=(n + self.max_bootstrapped_demos, (n + 1) * bootstraps.rollouts[1]))
        least = min(BOLD_FIRST, shape.val // 3) if shape.honest else shape.val
        return bootstraps + Work(rollouts=((n + 3) * least, (n + 3) * shape.val))

    async def search(
        self, study: Study, *, restrict: Collection[int] | None = None, labeled_sample: bool = True
    ) -> None:
        seeds = [
            seed for seed in range(-3, self.num_candidate_programs) if restrict is None or seed in restrict
        ]
        candidates = await study.gather(
            [lambda seed=seed: self.candidate(study, seed, labeled_sample) for seed in seeds], "seed"
        )
        measured = await study.select(candidates, stop_at=self.stop_at_score)
        seed_of = {candidate: seed for seed, candidate in reversed(list(zip(seeds, candidates, strict=True)))}
        study.adopt(measured[0].candidate)
        study.note(
            candidate_programs=[
                {
                    "score": one.score,
                    "subscores": [rollout.value for rollout in one],
                    "seed": seed_of[one.candidate],
                    "candidate": one.candidate,
                }
                for one in measured
            ]
        )

    async def candidate(self, study: Study, seed: int, labeled_sample: bool = True) -> Candidate:
        """The candidate of a seed; the same seed always makes the same choice of examples."""
        student, trainset = study.baseline, list(study.trainset)
        if seed == -3:
            empty = student.with_demos(dict.fromkeys(student.demos(), ()))
            return study.propose(empty, "no demos", student)
        if seed == -2:
            demos = labelled(student.demos(), trainset, self.max_labeled_demos, sample=labeled_sample)
            return study.propose(student.with_demos(demos), "labelled examples", student)
        if seed == -1:
            return await Bootstrap.of(self)(study, trainset)
        Random(seed).shuffle(trainset)
        size = self.max_bootstrapped_demos
        if not study.honest:
            size = Random(seed).randint(1, size)
        bootstrap = Bootstrap.of(self, max_bootstrapped_demos=size)
        return await bootstrap(study, trainset, how=f"{size} bootstrapped demos, shuffle {seed}")


BootstrapRS = BootstrapFewShotWithRandomSearch
