"""Bootstrap demos once and let Optuna choose which one each leaf shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dspx.optimizers.bootstrap_few_shot import Bootstrap
from dspx.optimizers.estimate import Work
from dspx.optimizers.optimizer import Optimizer
from dspx.optimizers.parts.optuna_study import optuna_study

if TYPE_CHECKING:
    from dspx.core.candidate import Candidate
    from dspx.optimizers.estimate import Shape
    from dspx.optimizers.study import Study


class BootstrapFewShotWithOptuna(Optimizer):
    """`BootstrapFewShotWithOptuna(metric=…).compile(student, trainset=…, max_demos=8)`: one demo for each leaf.

    1. Bootstrap up to `max_demos` demos per leaf.
    2. In `num_candidate_programs` trials, Optuna's TPE (Bergstra et al. 2011) picks one of them for each leaf;
       evaluate each choice on the valset (the trainset, unless given), and keep the best.
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
        return bootstrap.work(shape) + Work(rollouts=(shape.val, self.num_candidate_programs * shape.val))

    async def search(self, study: Study, *, max_demos: int) -> None:
        bootstrap = Bootstrap.of(self, max_bootstrapped_demos=max_demos)
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
        best = max(tried, key=lambda candidate: tried[candidate])
        study.adopt(best)
        study.note(
            candidate_programs=[
                {"score": score, "candidate": candidate}
                for candidate, score in sorted(tried.items(), key=lambda item: -item[1])
            ]
        )
