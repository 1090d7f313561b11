"""Bayesian search over a whole configuration: instructions, demonstrations, and any variables of a space."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any

from dspx.errors import UsageError
from dspx.evaluate.compare import Comparison, acompare
from dspx.evaluate.evaluate import Evaluate
from dspx.optimizers.bootstrap_few_shot import Bootstrap
from dspx.optimizers.estimate import Work
from dspx.optimizers.grounded_proposer import GroundedProposer
from dspx.optimizers.optimizer import Optimizer
from dspx.optimizers.parts.acquisition import ACQUISITIONS, Acquisition
from dspx.optimizers.parts.bayesian_search import BayesianSearch
from dspx.optimizers.parts.demos import labelled
from dspx.optimizers.parts.dimensions import Categorical, Dimension, Numeric, Point
from dspx.runtime import clock
from dspx.runtime.bridge import run

if TYPE_CHECKING:
    from dspx.core.candidate import Candidate
    from dspx.core.module import Module
    from dspx.optimizers.estimate import Shape
    from dspx.optimizers.rollout import Measured
    from dspx.optimizers.study import Study

_AT_ONCE = 4
"""How many trials run side by side; the model believes of those under way what it expects."""
_SHOWN = 50
"""Examples of a trial, unless told."""
_FINALISTS = 4


class BEACON(Optimizer):
    """`BEACON(metric=…).compile(student, trainset=…, valset=…, space=…)`: Bayesian search over a whole configuration.

    1. Bootstrap demo sets, of rollouts that pass the metric; let `prompt_model` propose instructions.
    2. `num_trials` times, choose an instruction and a demo set for every leaf, and a value for every variable of the
       space, by the acquisition over an exact Gaussian process; measure it on one fixed part of the valset.
    3. The best by posterior mean run against each other, and against the student, on the whole valset.

    num_candidates: instructions, and demo sets, per leaf. minibatch: examples of a trial (50, or the valset).
    acquisition: "ei" (expected improvement), "ucb" (mean + 2 deviations) or "pi" (probability of improvement).
    objectives: weights of what counts beside quality, as `{"cost": 0.1, "lm_calls": 0.02}`: subtracted from a trial's
        score, per rollout. Quality itself always counts 1.

    The result has `trials`, best first, and `candidate_programs`.
    """

    def __init__(
        self,
        metric: Any,
        *,
        num_candidates: int = 20,
        num_trials: int = 50,
        max_bootstrapped_demos: int = 4,
        max_labeled_demos: int = 16,
        space: Any = None,
        acquisition: Acquisition = "ei",
        minibatch: int | None = None,
        objectives: Mapping[str, float] | None = None,
        prompt_model: Any = None,
        teacher_settings: dict[str, Any] | None = None,
        num_threads: int | None = None,
        metric_threshold: float | None = None,
        seed: int = 0,
        selection: str = "honest",
    ) -> None:
        if acquisition not in ACQUISITIONS:
            raise UsageError(f"BEACON(acquisition={acquisition!r}): one of {', '.join(ACQUISITIONS)}.")
        if num_candidates < 1 or num_trials < 1:
            raise UsageError("BEACON: num_candidates and num_trials are 1 or more.")
        unknown = set(objectives or ()) - {"cost", "lm_calls", "tokens"}
        if unknown:
            raise UsageError(f"objectives are cost, lm_calls and tokens, not {', '.join(sorted(unknown))}.")
        self.metric = metric
        self.num_candidates = num_candidates
        self.num_trials = num_trials
        self.max_bootstrapped_demos = max_bootstrapped_demos
        self.max_labeled_demos = max_labeled_demos
        self.max_rounds = 1
        self.space = space
        self.acquisition: Acquisition = acquisition
        self.minibatch = minibatch
        self.objectives = dict(objectives or {})
        self.prompt_model = prompt_model
        self.teacher_settings = teacher_settings or {}
        self.num_threads = num_threads
        self.metric_threshold = metric_threshold
        self.seed = seed
        self.selection = selection

    def work(self, shape: Shape, **options: Any) -> Work:
        size = min(self.minibatch or _SHOWN, shape.val)
        asks = (self.num_candidates - 1) * shape.leaves
        measured = Work(rollouts=(size, (self.num_trials + 1) * size + (_FINALISTS + 1) * shape.val))
        demos = Work(rollouts=(0, self.num_candidates * shape.train), asks=(asks, asks + 13 + shape.leaves))
        return measured + demos

    async def search(self, study: Study) -> None:
        demo_sets = await self._demo_sets(study)
        proposer = GroundedProposer(self.prompt_model)
        instructions = await proposer(study, study.trainset, demo_sets, self.num_candidates)
        configurations = _Configurations(study, instructions, demo_sets)
        if not configurations.dimensions:
            return  # one instruction, no demos, no space: there is nothing to choose
        trials = _Trials(self, study, configurations)
        await trials.run()
        await trials.finish()

    async def _demo_sets(self, study: Study) -> list[dict[str, Sequence[Any]]]:
        """None, labelled ones, and bootstrapped ones of shuffled examples."""
        leaves = study.baseline.demos()
        sets: list[dict[str, Sequence[Any]]] = [dict(leaves)]
        if self.max_labeled_demos:
            sets.append(dict(labelled(leaves, study.trainset, self.max_labeled_demos)))
        work: list[Any] = []
        for _ in range(self.num_candidates - len(sets) if self.max_bootstrapped_demos else 0):
            examples = list(study.trainset)
            study.rng.shuffle(examples)
            bootstrap = Bootstrap.of(
                self, max_bootstrapped_demos=study.rng.randint(1, self.max_bootstrapped_demos)
            )
            work.append(lambda bootstrap=bootstrap, examples=examples: bootstrap(study, examples))
        made = [candidate.demos() for candidate in await study.gather(work, "demos")]
        return _distinct([*sets, *made])

    # ------------------------------------------------------------ keeping a program good

    def check(
        self, program: Module, examples: Sequence[Any], *, threshold: float, readings: Sequence[float] = ()
    ) -> Reading:
        """The program's quality now, and whether it is time to optimize again.

        It is when the quality is below `threshold` (percent), or the last three readings each fell. Say this from
        a cron job, keep the scores, and hand them in as `readings`, the latest last.
        """
        return run(self.acheck(program, examples, threshold=threshold, readings=readings))

    async def acheck(
        self, program: Module, examples: Sequence[Any], *, threshold: float, readings: Sequence[float] = ()
    ) -> Reading:
        """`check` for async code."""
        result = await Evaluate(devset=examples, metric=self.metric, num_threads=self.num_threads).acall(
            program
        )
        line = [*readings, result.score][-4:]
        falling = len(line) == 4 and all(line[place + 1] < line[place] for place in range(3))
        reason = None
        if result.score < threshold:
            reason = f"the score is {result.score:g} %, below {threshold:g} %"
        elif falling:
            reason = f"the score fell three times in a row: {', '.join(f'{score:g}' for score in line)} %"
        return Reading(result.score, result.ci95, clock.time(), reason)

    def maybe_optimize(
        self,
        program: Module,
        *,
        trainset: Sequence[Any],
        sample: Sequence[Any],
        threshold: float,
        readings: Sequence[float] = (),
        **compile_options: Any,
    ) -> Maintained:
        """Check the program on `sample`; optimize it where that is due, and replace it only on a validated gain.

        The new program must beat the old one on the sample by more than chance explains.
        """
        return run(
            self.amaybe_optimize(
                program,
                trainset=trainset,
                sample=sample,
                threshold=threshold,
                readings=readings,
                **compile_options,
            )
        )

    async def amaybe_optimize(
        self,
        program: Module,
        *,
        trainset: Sequence[Any],
        sample: Sequence[Any],
        threshold: float,
        readings: Sequence[float] = (),
        **compile_options: Any,
    ) -> Maintained:
        """`maybe_optimize` for async code."""
        reading = await self.acheck(program, sample, threshold=threshold, readings=readings)
        if reading.due is None:
            return Maintained(program, False, reading, None)
        better = await self.acompile(program, trainset=trainset, **compile_options)
        compared = await acompare(program, better, sample, self.metric, num_threads=self.num_threads)
        replaced = compared.significant and compared.difference > 0
        return Maintained(better if replaced else program, replaced, reading, compared)


@dataclass(frozen=True, slots=True)
class Reading:
    """A program's quality at a moment (percent; seconds since 1970), and why it is due to be optimized, if it is."""

    score: float
    ci95: tuple[float, float] | None
    time: float
    due: str | None


@dataclass(frozen=True, slots=True)
class Maintained:
    """The program to go on with, whether it is a new one, and what that was decided by."""

    program: Any
    replaced: bool
    reading: Reading
    compared: Comparison | None


class _Configurations:
    """Points of the search, as candidates: which instruction, which demos, which values of the space."""

    def __init__(
        self,
        study: Study,
        instructions: Mapping[str, Sequence[str]],
        demo_sets: Sequence[Mapping[str, Sequence[Any]]],
    ) -> None:
        self.study = study
        self.instructions = instructions
        self.demo_sets = demo_sets
        self.variables = dict(study.space.searched) if study.space is not None else {}
        self.parts: list[tuple[str, str, Dimension]] = []
        for leaf, texts in instructions.items():
            if len(texts) > 1:
                self.parts.append(("instructions", leaf, Categorical(f"{leaf}.instructions", len(texts))))
            if len(demo_sets) > 1:
                self.parts.append(("demos", leaf, Categorical(f"{leaf}.demos", len(demo_sets))))
        self.parts += [("variable", name, _dimension(name, one)) for name, one in self.variables.items()]

    @property
    def dimensions(self) -> list[Dimension]:
        return [dimension for _, _, dimension in self.parts]

    def candidate(self, point: Point) -> Candidate:
        """The student with what the point says."""
        made = self.study.baseline
        values: dict[str, Any] = {}
        for (kind, name, _), value in zip(self.parts, point, strict=True):
            if kind == "instructions":
                made = made.with_instructions({name: self.instructions[name][int(value)]})
            elif kind == "demos":
                made = made.with_demos({name: self.demo_sets[int(value)].get(name, ())})
            else:
                values[name] = self._value(name, value)
        return made.with_values(values) if values else made

    def allows(self, point: Point) -> bool:
        """Whether the space's constraints allow it."""
        return self.study.space is None or bool(self.study.space.allows(self.candidate(point).values))

    @property
    def own(self) -> Point:
        """The student as given."""
        return tuple(
            _place(self.variables[name], dimension) if kind == "variable" else 0.0
            for kind, name, dimension in self.parts
        )

    def _value(self, name: str, value: float) -> Any:
        variable = self.variables[name]
        n = variable.dimension.options
        return variable.check(value) if n is None else variable.at((value + 0.5) / n)


class _Trials:
    """The trials of one search."""

    def __init__(self, optimizer: BEACON, study: Study, configurations: _Configurations) -> None:
        self.optimizer = optimizer
        self.study = study
        self.configurations = configurations
        self.bayes = BayesianSearch(
            configurations.dimensions,
            seed=study.seed,
            acquisition=optimizer.acquisition,
            allowed=configurations.allows if study.space is not None else None,
        )
        size = min(optimizer.minibatch or _SHOWN, len(study.valset))
        self.examples = Random(f"beacon {study.seed}").sample(study.valset, size)
        self.points: dict[Candidate, Point] = {}

    async def run(self) -> None:
        """The student first, then what the acquisition asks for, a few at a time."""
        await self._measure([self.configurations.own])
        left = self.optimizer.num_trials
        while left > 0:
            points = self.bayes.suggest_batch(min(_AT_ONCE, left))
            if not points:
                break  # every configuration was tried
            left -= len(points)
            await self._measure(points)

    async def _measure(self, points: Sequence[Point]) -> None:
        candidates = [
            self.study.propose(self.configurations.candidate(point), "BEACON trial", self.study.baseline)
            for point in points
        ]
        measured = await self.study.evaluate_all(candidates, self.examples)
        for point, one in zip(points, measured, strict=True):
            self.points.setdefault(one.candidate, point)
            values = one.values
            if values:
                error = _standard_error(values)
                self.bayes.observe(point, self._worth(one), error, examples=len(values))

    def _worth(self, one: Measured) -> float:
        """The mean score, less what the rollouts took, as weighed."""
        taken = {
            name: sum(getattr(rollout.spent, name) for rollout in one) / max(1, len(one))
            for name in self.optimizer.objectives
        }
        return one.mean - sum(weight * taken[name] for name, weight in self.optimizer.objectives.items())

    async def finish(self) -> None:
        """The best by posterior mean, on the whole valset."""
        study, means = self.study, self._posterior_means()
        ranked = sorted(self.points, key=lambda candidate: -means[candidate])
        finalists = list(dict.fromkeys([*ranked[:_FINALISTS], study.baseline]))
        if self.optimizer.objectives:
            study.adopt(ranked[0])
        else:
            study.adopt((await study.select(finalists))[0].candidate)
        study.note(
            trials=[
                {"candidate": candidate, "posterior_mean": means[candidate], "score": self._score(candidate)}
                for candidate in ranked
            ],
            candidate_programs=[
                {"score": self._score(candidate), "candidate": candidate} for candidate in ranked[:_FINALISTS]
            ],
        )

    def _score(self, candidate: Candidate) -> float:
        scores = self.study.scores.get(candidate.hash, {})
        return round(100 * sum(scores.values()) / len(scores), 2) if scores else 0.0

    def _posterior_means(self) -> dict[Candidate, float]:
        from dspx.optimizers.parts.dimensions import encode

        posterior = self.bayes.posterior()
        points = list(self.points.values())
        mean, _ = posterior.predict(encode(self.bayes.dimensions, points))
        return {candidate: float(value) for candidate, value in zip(self.points, mean, strict=True)}


def _standard_error(values: Sequence[float]) -> float:
    """Of the mean; never nothing, for a few equal scores do not make it certain."""
    n = len(values)
    mean = (sum(values) + 1) / (n + 2)  # Laplace's: one more right, one more wrong
    spread = max(sum((value - mean) ** 2 for value in values) / n, mean * (1 - mean) if 0 < mean < 1 else 0.0)
    return math.sqrt(max(spread, 1e-6) / n)


def _dimension(name: str, variable: Any) -> Dimension:
    found = variable.dimension
    if found.is_category:
        return Categorical(name, found.options)
    integer = variable.kind == "integer"
    return Numeric(name, found.low, found.high, log=found.log, step=found.step, integer=integer)


def _place(variable: Any, dimension: Dimension) -> float:
    """Where a variable's default lies on its dimension."""
    if isinstance(dimension, Categorical):
        n = dimension.options
        return float([variable.at((place + 0.5) / n) for place in range(n)].index(variable.default))
    return float(variable.default)


def _distinct(sets: Sequence[Mapping[str, Sequence[Any]]]) -> list[dict[str, Sequence[Any]]]:
    """Demo sets without repetitions."""
    kept: dict[str, dict[str, Sequence[Any]]] = {}
    for demos in sets:
        kept.setdefault(repr(sorted((leaf, list(shown)) for leaf, shown in demos.items())), dict(demos))
    return list(kept.values())
