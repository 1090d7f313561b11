"""Bootstrap demos once and let Optuna choose which of them each leaf shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any

from dspx.optimizers.bootstrap_few_shot import Bootstrap, rest_of
from dspx.optimizers.estimate import Work
from dspx.optimizers.optimizer import Optimizer
from dspx.optimizers.parts.demos import demos_of, sample_labelled
from dspx.optimizers.parts.optuna_study import optuna_study

if TYPE_CHECKING:
    from dspx.core.candidate import Candidate
    from dspx.optimizers.estimate import Shape
    from dspx.optimizers.study import Study

_AT_ONCE = 4
"""How many trials honest selection runs side by side."""
_SEEN = 20
"""On so many examples a trial is measured before the next ones are suggested."""


class BootstrapFewShotWithOptuna(Optimizer):
    """`BootstrapFewShotWithOptuna(metric=…).compile(student, trainset=…, max_demos=8)`: the best choice of demos.

    1. Bootstrap up to `max_demos` demos per leaf.
    2. In `num_candidate_programs` trials, Optuna's TPE (Bergstra et al. 2011) chooses for each leaf how many of them it
       shows, and which; labelled examples fill up to `max_labeled_demos`. The first trial shows all.
    3. Each trial is measured on a few examples of the valset (the trainset, unless given), those that are not probably
       behind on twice as many, and so on. The best one wins.

    With `selection="dspy"` each leaf shows one demo and nothing else, and each trial runs the whole valset.
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
        *,
        metric_threshold: float | None = None,
        selection: str = "honest",
    ) -> None:
        self.metric = metric
        self.teacher_settings = teacher_settings or {}
        self.max_bootstrapped_demos = max_bootstrapped_demos
        self.max_labeled_demos = max_labeled_demos
        self.max_rounds = max_rounds
        self.num_candidate_programs = num_candidate_programs
        self.num_threads = num_threads
        self.metric_threshold = metric_threshold
        self.selection = selection

    def work(self, shape: Shape, **options: Any) -> Work:
        bootstrap = Bootstrap.of(self, max_bootstrapped_demos=options.get("max_demos", 4))
        least = min(_SEEN, shape.val) if shape.honest else shape.val
        return bootstrap.work(shape) + Work(rollouts=(least, self.num_candidate_programs * shape.val))

    async def search(self, study: Study, *, max_demos: int) -> None:
        bootstrap = Bootstrap.of(self, max_bootstrapped_demos=max_demos)
        found = await (self._compared(study, bootstrap) if study.honest else self._one_demo(study, bootstrap))
        study.adopt(found[0][0])
        study.note(
            candidate_programs=[{"score": score, "candidate": candidate} for candidate, score in found]
        )

    async def _one_demo(self, study: Study, bootstrap: Bootstrap) -> list[tuple[Candidate, float]]:
        """As DSPy does it: one demo for each leaf, trial by trial."""
        pools = (await bootstrap(study, study.trainset)).demos()
        trials = optuna_study(study.seed)
        tried: dict[Candidate, float] = {}
        for _ in range(self.num_candidate_programs):
            trial = trials.ask()
            chosen = {
                leaf: [pool[trial.suggest_int(f"demo_index_for_{leaf}", 0, len(pool) - 1)]] if pool else []
                for leaf, pool in pools.items()
            }
            candidate = study.propose(
                study.baseline.with_demos(chosen), f"trial {trial.number}", study.baseline
            )
            measured = await study.evaluate(candidate)
            trials.tell(trial, measured.score)
            tried.setdefault(candidate, measured.score)
        return sorted(tried.items(), key=lambda item: -item[1])

    async def _compared(self, study: Study, bootstrap: Bootstrap) -> list[tuple[Candidate, float]]:
        """Sets of demos, a few trials at a time on the same examples; the better ones on more of them."""
        choices = await _Choices.bootstrapped(study, bootstrap)
        trials = optuna_study(study.seed)
        trials.enqueue_trial(choices.everything)
        common = study.raced()[:_SEEN]
        tried: list[Candidate] = []
        while (left := self.num_candidate_programs - len(tried)) > 0:
            wave = [trials.ask() for _ in range(min(_AT_ONCE, left))]
            candidates = [choices.candidate(study, trial) for trial in wave]
            for trial, measured in zip(wave, await study.evaluate_all(candidates, common), strict=True):
                trials.tell(trial, measured.score)
            tried += candidates
        return [(one.candidate, one.score) for one in await study.select(tried, first=_SEEN)]


@dataclass(frozen=True, slots=True)
class _Choices:
    """What each leaf may show: bootstrapped demos, and labelled ones to fill up with."""

    pools: Mapping[str, Sequence[Any]]
    labelled: Mapping[str, Sequence[Any]]
    max_labeled_demos: int

    @classmethod
    async def bootstrapped(cls, study: Study, bootstrap: Bootstrap) -> _Choices:
        """From a teacher's good rollouts, and the examples that none of them is of."""
        passed = await bootstrap.passing(study, study.trainset)
        found = [demos_of(rollout) for rollout in passed]
        rest, rng = rest_of(study.trainset, passed), Random(0)
        leaves = list(study.baseline.demos())
        return cls(
            {leaf: [one[leaf] for one in found if leaf in one] for leaf in leaves},
            {leaf: sample_labelled(rest, bootstrap.max_labeled_demos, rng) for leaf in leaves},
            bootstrap.max_labeled_demos,
        )

    @property
    def everything(self) -> dict[str, int]:
        """The choice of all bootstrapped demos, as parameters of a trial."""
        sizes = {f"demos_for_{leaf}": len(pool) for leaf, pool in self.pools.items()}
        return {**sizes, **{f"demo_index_for_{leaf}": 0 for leaf in self.pools}}

    def candidate(self, study: Study, trial: Any) -> Candidate:
        """The student with what a trial chooses: so many demos of each pool, from one on, round and round."""
        demos: dict[str, list[Any]] = {}
        for leaf, pool in self.pools.items():
            size = trial.suggest_int(f"demos_for_{leaf}", 0, len(pool))
            begin = trial.suggest_int(f"demo_index_for_{leaf}", 0, max(0, len(pool) - 1))
            chosen = sorted((begin + step) % len(pool) for step in range(size))
            labelled = self.labelled[leaf][: max(0, self.max_labeled_demos - size)]
            demos[leaf] = [*(pool[place] for place in chosen), *labelled]
        return study.propose(study.baseline.with_demos(demos), f"trial {trial.number}", study.baseline)
