"""Search over instructions and demonstrations together, by Bayesian optimization."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any, Literal

from dspx.errors import UsageError
from dspx.optimizers.bootstrap_few_shot import Bootstrap
from dspx.optimizers.estimate import Work, trials
from dspx.optimizers.grounded_proposer import GroundedProposer
from dspx.optimizers.optimizer import Optimizer
from dspx.optimizers.parts.demos import labelled
from dspx.optimizers.parts.optuna_study import optuna_study

if TYPE_CHECKING:
    from dspx.core.candidate import Candidate
    from dspx.optimizers.estimate import Shape
    from dspx.optimizers.rollout import Measured
    from dspx.optimizers.study import Study

Auto = Literal["light", "medium", "heavy"]

AUTO: dict[str, tuple[int, int]] = {"light": (6, 100), "medium": (12, 300), "heavy": (18, 1000)}
"""How many candidates per leaf, and the most examples to choose by."""

_BATCH = 4
"""How many trials honest selection runs side by side."""
_FINALISTS = 4


class MIPROv2(Optimizer):
    """`MIPROv2(metric=…, auto="light").compile(student, trainset=…, valset=…)` (Opsahl-Ong et al. 2024).

    1. Demo sets for every leaf: none, labelled ones, bootstrapped ones of shuffled trainsets.
    2. Instructions for every leaf, proposed by `prompt_model` from a summary of the data, the program, demos and tips.
    3. `num_trials` combinations of both, suggested by Optuna's multivariate TPE and measured on minibatches of the
       valset; every `minibatch_full_eval_steps` trials the most promising one on all of it. The best of those wins.

    max_labeled_demos: demos are filled up to so many with labelled examples; 16 under honest selection, 4 under "dspy".
    auto: sets numbers of candidates, trials and examples; else give `num_candidates` here and `num_trials` to `compile`.
    The valset is the last 80 % of the trainset, unless given. With `selection="dspy"` trials run one after the other on
    random minibatches, as DSPy's do; honest selection measures all of them on the same examples, a few side by side,
    and lets the best ones run against each other on the whole valset.

    The result has DSPy's `trial_logs`, `score`, `candidate_programs` and `mb_candidate_programs`.
    """

    def __init__(
        self,
        metric: Any,
        prompt_model: Any = None,
        task_model: Any = None,
        teacher_settings: dict[str, Any] | None = None,
        max_bootstrapped_demos: int = 4,
        max_labeled_demos: int | None = None,
        auto: Auto | None = "light",
        num_candidates: int | None = None,
        num_threads: int | None = None,
        max_errors: int | None = None,
        seed: int = 9,
        init_temperature: float = 1.0,
        verbose: bool = False,
        track_stats: bool = True,
        log_dir: str | None = None,
        metric_threshold: float | None = None,
        *,
        selection: str = "honest",
    ) -> None:
        if auto is not None and auto not in AUTO:
            raise UsageError(f"MIPROv2(auto={auto!r}): one of {', '.join(AUTO)}, or None.")
        self.metric = metric
        self.prompt_model = prompt_model
        self.task_model = task_model
        self.teacher_settings = teacher_settings or {}
        self.max_bootstrapped_demos = max_bootstrapped_demos
        self.max_labeled_demos = max_labeled_demos
        self.max_rounds = 1
        self.auto = auto
        self.num_candidates = num_candidates
        self.num_threads = num_threads
        self.max_errors = max_errors
        self.seed = seed
        self.init_temperature = init_temperature
        self.verbose = verbose
        self.track_stats = track_stats
        self.log_dir = log_dir
        self.metric_threshold = metric_threshold
        self.selection = selection

    def work(
        self, shape: Shape, *, num_trials: int | None = None, minibatch_size: int = 35, **options: Any
    ) -> Work:
        val = shape.val if shape.has_valset else max(1, int(0.8 * shape.val))
        zero_shot = self.max_bootstrapped_demos == self.labelled(shape.honest) == 0
        n = self.num_candidates or AUTO[self.auto or "light"][0]
        val = min(val, AUTO[self.auto][1]) if self.auto else val
        number = num_trials or trials(shape.leaves, n, zero_shot=zero_shot)
        batch = min(minibatch_size, val)
        proposals = (n if zero_shot or not self.auto else n // 2) - 1
        asks = proposals * shape.leaves + 3 + shape.leaves
        demos = Work(rollouts=(n, n * max(1, shape.train - val if not shape.has_valset else shape.train)))
        return demos + Work(rollouts=(batch, (number + 1) * batch + _FINALISTS * val), asks=(asks, asks + 9))

    async def search(
        self,
        study: Study,
        *,
        num_trials: int | None = None,
        max_bootstrapped_demos: int | None = None,
        max_labeled_demos: int | None = None,
        minibatch: bool = True,
        minibatch_size: int = 35,
        minibatch_full_eval_steps: int = 5,
        program_aware_proposer: bool = True,
        data_aware_proposer: bool = True,
        view_data_batch_size: int = 10,
        tip_aware_proposer: bool = True,
        fewshot_aware_proposer: bool = True,
        requires_permission_to_run: bool | None = None,
        provide_traceback: bool | None = None,
    ) -> None:
        if requires_permission_to_run:
            raise UsageError("MIPROv2 asks no permission; `optimizer.estimate(…)` says what a run will take.")
        bootstrap = Bootstrap(
            _first(max_bootstrapped_demos, self.max_bootstrapped_demos),
            _first(max_labeled_demos, self.labelled(study.honest)),
            self.max_rounds,
            self.metric_threshold,
        )
        zero_shot = bootstrap.max_bootstrapped_demos == bootstrap.max_labeled_demos == 0
        if self.task_model is not None:
            study.run_with(lm=self.task_model)
        _split(study)
        plan = self._plan(study, zero_shot, num_trials, minibatch, minibatch_size)
        demo_sets = await self._demo_sets(study, bootstrap, plan.demo_sets, zero_shot)
        proposer = GroundedProposer(
            self.prompt_model,
            data_aware_proposer,
            program_aware_proposer,
            fewshot_aware_proposer,
            tip_aware_proposer,
            view_data_batch_size,
            self.init_temperature,
        )
        instructions = await proposer(study, study.trainset, demo_sets, plan.instructions)
        choices = _Choices(study.baseline, instructions, [] if zero_shot else demo_sets)
        running = _Trials(study, choices, plan, minibatch_full_eval_steps)
        await (running.compared() if study.honest else running.one_by_one())
        running.finish()

    def labelled(self, honest: bool) -> int:
        """How many demos at most, labelled ones included, where nobody said."""
        return _first(self.max_labeled_demos, 16 if honest else 4)

    def _plan(
        self, study: Study, zero_shot: bool, num_trials: int | None, minibatch: bool, minibatch_size: int
    ) -> Plan:
        """How much of everything."""
        if self.auto is None:
            if not self.num_candidates or not num_trials:
                raise UsageError(
                    "MIPROv2(auto=None) needs to know how much to do: MIPROv2(auto=None, num_candidates=8) and "
                    "compile(…, num_trials=12)."
                )
            plan = Plan(
                self.num_candidates, self.num_candidates, num_trials, minibatch_size if minibatch else None
            )
        else:
            if self.num_candidates or num_trials:
                raise UsageError(
                    f"auto={self.auto!r} sets num_candidates and num_trials; leave them out, or say auto=None."
                )
            plan = self._automatic(study, zero_shot, minibatch_size)
        if plan.minibatch is not None and plan.minibatch > len(study.valset):
            raise UsageError(
                f"minibatch_size={plan.minibatch}, but there are {len(study.valset)} examples to choose by: "
                "make it smaller, or say minibatch=False."
            )
        return plan

    def _automatic(self, study: Study, zero_shot: bool, minibatch_size: int) -> Plan:
        n, most = AUTO[self.auto or "light"]
        if len(study.valset) > most:
            study.valset = Random(study.seed).sample(study.valset, most)
        number = trials(len(study.baseline.instructions()), n, zero_shot=zero_shot)
        minibatch = min(minibatch_size, len(study.valset)) if len(study.valset) > 50 else None
        return Plan(n if zero_shot else n // 2, n, number, minibatch)

    async def _demo_sets(
        self, study: Study, bootstrap: Bootstrap, n: int, zero_shot: bool
    ) -> list[dict[str, Sequence[Any]]]:
        """`n` demo sets: none, labelled, bootstrapped, bootstrapped from shuffled examples."""
        if zero_shot:  # they inform the proposals only
            bootstrap = Bootstrap(3, 0, bootstrap.max_rounds, bootstrap.metric_threshold)
        leaves = study.baseline.demos()
        sets: list[dict[str, Sequence[Any]]] = [dict.fromkeys(leaves, ())]
        if bootstrap.max_labeled_demos:
            sets.append(dict(labelled(leaves, study.trainset, bootstrap.max_labeled_demos)))
        work: list[Any] = []
        for number in range(n - len(sets)):
            examples, size = list(study.trainset), bootstrap.max_bootstrapped_demos
            if number:
                study.rng.shuffle(examples)
                size = study.rng.randint(1, max(1, size))
            one = Bootstrap(
                size, bootstrap.max_labeled_demos, bootstrap.max_rounds, bootstrap.metric_threshold
            )
            work.append(lambda one=one, examples=examples: one(study, examples))
        return [*sets, *((made.demos()) for made in await study.gather(work, "demos"))]


@dataclass(frozen=True, slots=True)
class Plan:
    """How many instructions, demo sets and trials; how many examples in a minibatch, None for all."""

    instructions: int
    demo_sets: int
    trials: int
    minibatch: int | None


class _Choices:
    """Which instruction and which demo set each leaf has, as parameters of a trial."""

    def __init__(
        self,
        baseline: Candidate,
        instructions: dict[str, list[str]],
        demo_sets: list[dict[str, Sequence[Any]]],
    ) -> None:
        self.baseline = baseline
        self.instructions = instructions
        self.demo_sets = demo_sets

    def options(self) -> dict[str, int]:
        """The parameters, in DSPy's names, and how many values each has."""
        found: dict[str, int] = {}
        for place, texts in enumerate(self.instructions.values()):
            found[f"{place}_predictor_instruction"] = len(texts)
            if self.demo_sets:
                found[f"{place}_predictor_demos"] = len(self.demo_sets)
        return found

    def candidate(self, chosen: dict[str, int]) -> Candidate:
        leaves = list(self.instructions)
        texts = {
            leaf: self.instructions[leaf][chosen[f"{place}_predictor_instruction"]]
            for place, leaf in enumerate(leaves)
        }
        candidate = self.baseline.with_instructions(texts)
        if not self.demo_sets:
            return candidate
        return candidate.with_demos(
            {
                leaf: self.demo_sets[chosen[f"{place}_predictor_demos"]][leaf]
                for place, leaf in enumerate(leaves)
            }
        )


class _Trials:
    """The trials: what was suggested, measured on minibatches and on everything."""

    def __init__(self, study: Study, choices: _Choices, plan: Plan, full_eval_steps: int) -> None:
        self.study = study
        self.choices = choices
        self.plan = plan
        self.full_eval_steps = full_eval_steps
        self.optuna = optuna_study(study.seed, multivariate=True)
        self.scores: dict[Candidate, list[float]] = {}
        self.chosen: dict[Candidate, dict[str, int]] = {}
        self.full: dict[Candidate, float] = {}
        self.log: dict[int, dict[str, Any]] = {}
        self.evaluated = 0

    # ------------------------------------------------------------ as DSPy does it

    async def one_by_one(self) -> None:
        """Trials one after the other, on random minibatches; now and then the best on everything."""
        default = self.study.baseline
        first = dict.fromkeys(self.choices.options(), 0)
        self.chosen[default] = first
        await self._fully(default)
        self._tell(first, self.full[default])
        for number in range(1, self.plan.trials + 1):
            trial, chosen, candidate = self._suggest()
            measured = await self.study.evaluate(candidate, self._minibatch())
            self.optuna.tell(trial, measured.score)
            self._note(candidate, chosen, measured, full=self.plan.minibatch is None)
            last = number == self.plan.trials
            if self.plan.minibatch is not None and (number % (self.full_eval_steps + 1) == 0 or last):
                await self._promote()

    def _minibatch(self) -> Sequence[Any]:
        if self.plan.minibatch is None:
            return self.study.valset
        return self.study.rng.sample(self.study.valset, self.plan.minibatch)

    async def _promote(self) -> None:
        """The best mean so far that was not measured on everything yet, on everything."""
        waiting = {
            candidate: sum(scores) / len(scores)
            for candidate, scores in self.scores.items()
            if candidate not in self.full
        }
        if waiting:
            best = max(waiting, key=lambda candidate: waiting[candidate])
            await self._fully(best)
            self._tell(self.chosen[best], self.full[best])

    # ------------------------------------------------------------ on common examples

    async def compared(self) -> None:
        """Trials a few at a time, all on the same examples; the best ones against each other on everything."""
        study = self.study
        size = self.plan.minibatch or len(study.valset)
        common = Random(study.seed).sample(study.valset, min(size, len(study.valset)))
        self.chosen[study.baseline] = dict.fromkeys(self.choices.options(), 0)
        base = await study.evaluate(study.baseline, common)
        self._tell(self.chosen[study.baseline], base.score)
        self._note(study.baseline, self.chosen[study.baseline], base)
        left = self.plan.trials
        while left > 0:
            batch = [self._suggest() for _ in range(min(_BATCH, left))]
            left -= len(batch)
            measured = await study.evaluate_all([candidate for _, _, candidate in batch], common)
            for (trial, chosen, candidate), one in zip(batch, measured, strict=True):
                self.optuna.tell(trial, one.score)
                self._note(candidate, chosen, one)
        ranked = sorted(self.scores, key=lambda candidate: -self.scores[candidate][0])
        finalists = list(dict.fromkeys([*ranked[:_FINALISTS], study.baseline]))
        for one in await study.select(finalists):
            self.full[one.candidate] = one.score
        study.adopt(next(iter(self.full)))

    # ------------------------------------------------------------ both

    def finish(self) -> None:
        """Adopt the best, and note what DSPy's users look for."""
        study = self.study
        full = self.full or {candidate: scores[0] for candidate, scores in self.scores.items()}
        best = study.adopted or max(full, key=lambda candidate: full[candidate])
        study.adopt(best)
        study.note(
            trial_logs=self.log,
            score=full.get(best, 0.0),
            prompt_model_total_calls=study.asks_made,
            total_calls=self.evaluated,
            candidate_programs=_listed(full, full_eval=True),
            mb_candidate_programs=_listed(
                {candidate: sum(scores) / len(scores) for candidate, scores in self.scores.items()}
            ),
        )

    def _suggest(self) -> tuple[Any, dict[str, int], Candidate]:
        trial = self.optuna.ask()
        chosen = {
            name: int(trial.suggest_categorical(name, list(range(n))))
            for name, n in self.choices.options().items()
        }
        candidate = self.study.propose(
            self.choices.candidate(chosen), f"trial {trial.number}", self.study.baseline
        )
        return trial, chosen, candidate

    def _tell(self, chosen: dict[str, int], score: float) -> None:
        """Enter a measurement that was not asked for as a completed trial."""
        import optuna

        distributions: dict[str, Any] = {
            name: optuna.distributions.CategoricalDistribution(list(range(n)))
            for name, n in self.choices.options().items()
        }
        self.optuna.add_trial(
            optuna.trial.create_trial(params=dict(chosen), distributions=distributions, value=score)
        )

    async def _fully(self, candidate: Candidate) -> None:
        measured = await self.study.evaluate(candidate)
        self.full[candidate] = measured.score
        self._note(candidate, self.chosen[candidate], measured, full=True)

    def _note(
        self, candidate: Candidate, chosen: dict[str, int], measured: Measured, *, full: bool = False
    ) -> None:
        self.evaluated += len(measured)
        self.chosen.setdefault(candidate, chosen)
        if full:
            self.full[candidate] = measured.score
        else:
            self.scores.setdefault(candidate, []).append(measured.score)
        kind = "full_eval" if full else "mb"
        self.log[len(self.log) + 1] = {
            **chosen,
            f"{kind}_score": measured.score,
            f"{kind}_program": candidate,
            "total_eval_calls_so_far": self.evaluated,
        }


def _listed(scores: dict[Candidate, float], full_eval: bool = False) -> list[dict[str, Any]]:
    ranked = sorted(scores.items(), key=lambda item: -item[1])
    return [{"score": score, "candidate": candidate, "full_eval": full_eval} for candidate, score in ranked]


def _split(study: Study) -> None:
    """Without a valset, the last 80 % of the trainset is one."""
    if study.has_valset:
        return
    if len(study.trainset) < 2:
        raise UsageError("MIPROv2 needs a valset, or a trainset of two examples or more to take one from.")
    size = min(1000, max(1, int(0.8 * len(study.trainset))))
    cut = len(study.trainset) - size
    study.choose_by(study.trainset[cut:], learn_from=study.trainset[:cut])


def _first(given: Any, otherwise: Any) -> Any:
    return otherwise if given is None else given
