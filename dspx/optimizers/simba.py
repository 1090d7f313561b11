"""Learn from how the program's own answers to a minibatch vary: keep what worked, and write down why."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any

from dspx.core.candidate import Candidate
from dspx.core.fields import InputField, OutputField
from dspx.core.signature import Signature
from dspx.errors import UsageError
from dspx.evaluate.stats import percentile
from dspx.modules.predict import Predict
from dspx.optimizers.estimate import Work
from dspx.optimizers.optimizer import Optimizer
from dspx.optimizers.parts.chance import poisson, softmax_choice
from dspx.optimizers.parts.describe import program_definition, program_source, values_text
from dspx.optimizers.rollout import Rollout, Subject, Wanted
from dspx.optimizers.study import AskFailed

if TYPE_CHECKING:
    from dspx.optimizers.estimate import Shape
    from dspx.optimizers.study import Study


class OfferFeedback(Signature):
    """A program that calls language models was run twice on the same input. The first run did better than the second. Find
    out what in the second run went wrong, which module is to blame, and what that module should do differently on inputs
    like this one. Then write for each module that needs it a short piece of advice, addressed to it in the second person,
    to be added to its instructions: when such an input comes, what to do, and what to avoid. Advice must help on
    similar inputs too, so state the rule and not the answer to this one."""

    program_code: str = InputField(desc="the code of the program")
    modules_defn: str = InputField(desc="its modules, with their instructions")
    program_inputs: str = InputField(desc="the input of both runs")
    oracle_metadata: str = InputField(desc="what is known of the right answer")
    better_program_trajectory: str = InputField(
        desc="what each module was asked and answered in the better run"
    )
    better_program_outputs: str = InputField()
    better_reward_value: float = InputField()
    better_reward_info: str = InputField(desc="what the metric said of it")
    worse_program_trajectory: str = InputField(desc="the same of the worse run")
    worse_program_outputs: str = InputField()
    worse_reward_value: float = InputField()
    worse_reward_info: str = InputField()
    module_names: list[str] = InputField(desc="the modules that advice may be given to")
    discussion: str = OutputField(desc="what made the difference")
    module_advice: dict[str, str] = OutputField(desc="advice by module name")


class SIMBA(Optimizer):
    """`SIMBA(metric=…).compile(student, trainset=…)`: Stochastic Introspective Mini-Batch Ascent.

    A pool of candidates starts with the student. `max_steps` times, on the next `bsize` examples:

    1. Run `num_candidates` rollouts of each example, each with a candidate drawn by its average, LM temperature 1.
    2. Order the examples by how much their rollouts differ.
    3. From the first of them, make `num_candidates` new candidates: each drops some demos of one in the pool and
       gets the best rollout as a demo, or advice that a model finds by comparing the best and the worst rollout.
    4. Measure them on the same examples, and put them into the pool.

    At the end the best of each step compete on the whole trainset.

    prompt_model: gives the advice. teacher_settings: an LM under "lm" answers one rollout of each example.
    space: a `dspx.Space` adds strategies that move its variables and start with spread-out configurations.
    max_labeled_demos: the pool also starts with the student showing so many labelled examples, where it shows
        none (16 under honest selection, none under "dspy").
    The result has `candidate_programs` and `trial_logs`. A trainset smaller than `bsize` is used whole.
    """

    def __init__(
        self,
        *,
        metric: Any,
        bsize: int = 32,
        num_candidates: int = 6,
        max_steps: int = 8,
        max_demos: int = 4,
        prompt_model: Any = None,
        teacher_settings: dict[str, Any] | None = None,
        demo_input_field_maxlen: int = 100_000,
        num_threads: int | None = None,
        temperature_for_sampling: float = 0.2,
        temperature_for_candidates: float = 0.2,
        space: Any = None,
        max_labeled_demos: int | None = None,
        selection: str = "honest",
    ) -> None:
        if bsize < 1 or num_candidates < 1 or max_steps < 1:
            raise UsageError("SIMBA: bsize, num_candidates and max_steps are 1 or more.")
        self.metric = metric
        self.bsize = bsize
        self.num_candidates = num_candidates
        self.max_steps = max_steps
        self.max_demos = max_demos
        self.prompt_model = prompt_model
        self.teacher_settings = teacher_settings or {}
        self.demo_input_field_maxlen = demo_input_field_maxlen
        self.num_threads = num_threads
        self.temperature_for_sampling = temperature_for_sampling
        self.temperature_for_candidates = temperature_for_candidates
        self.space = space
        self.max_labeled_demos = max_labeled_demos
        self.selection = selection

    def work(self, shape: Shape, **options: Any) -> Work:
        size = min(self.bsize, shape.train)
        per_step = size * (2 * self.num_candidates + 1)
        final = (self.num_candidates + 1) * shape.val
        steps = self.max_steps * per_step
        return Work(
            rollouts=(steps // 2, steps + final), asks=(0, self.max_steps * (self.num_candidates + 1))
        )

    async def search(self, study: Study) -> None:
        ascent = _Ascent(self, study)
        for step in range(self.max_steps):
            await ascent.step(step)
        await ascent.finish()


@dataclass(slots=True)
class _Pool:
    """The candidates, and the scores that each was measured at."""

    candidates: list[Candidate]
    scores: dict[int, list[float]] = field(default_factory=dict[int, list[float]])

    def add(self, candidate: Candidate, scores: Sequence[float]) -> None:
        if candidate in self.candidates:
            self.scores.setdefault(self.candidates.index(candidate), []).extend(scores)
        else:
            self.scores[len(self.candidates)] = list(scores)
            self.candidates.append(candidate)

    def average(self, place: int) -> float:
        scores = self.scores.get(place)
        return sum(scores) / len(scores) if scores else 0.0

    def top(self, size: int) -> list[int]:
        """The places of the best by average, always with the student among them."""
        ranked = sorted(range(len(self.candidates)), key=lambda place: -self.average(place))[:size]
        if 0 not in ranked:
            ranked[-1] = 0
        return ranked

    def draw(self, places: Sequence[int], temperature: float, rng: Random) -> Candidate:
        """One of these, the likelier the better its average."""
        chosen = softmax_choice([self.average(place) for place in places], temperature, rng)
        return self.candidates[places[chosen]]


@dataclass(frozen=True, slots=True)
class _Bucket:
    """The rollouts of one example, best first."""

    rollouts: Sequence[Rollout]

    @property
    def best(self) -> Rollout:
        return self.rollouts[0]

    @property
    def worst(self) -> Rollout:
        return self.rollouts[-1]

    @property
    def spread(self) -> tuple[float, float, float]:
        """How much there is to learn: by range, best score, and best above average."""
        values = [rollout.value for rollout in self.rollouts]
        mean = sum(values) / len(values)
        return values[0] - values[-1], values[0], values[0] - mean


class _Ascent:
    """The state of a SIMBA search."""

    def __init__(self, optimizer: SIMBA, study: Study) -> None:
        self.optimizer = optimizer
        self.study = study
        self.size = min(optimizer.bsize, len(study.trainset))
        if self.size < optimizer.bsize:
            study.log(
                "SIMBA: the trainset has %d examples, fewer than bsize=%d; each step uses all of them.",
                self.size,
                optimizer.bsize,
            )
        self.order: list[int] = []
        self.pool = _Pool(study.beginnings(optimizer.max_labeled_demos))
        self.shown = max(len(demos) for one in self.pool.candidates for demos in one.demos().values())
        self.winners: list[Candidate] = []
        self.log: dict[int, dict[str, Any]] = {}
        self.strategies: list[Callable[..., Awaitable[Candidate | None]]] = [self.append_a_rule]
        if optimizer.max_demos > 0:
            self.strategies.insert(0, self.append_a_demo)
        if study.space is not None:
            self.strategies.append(self.mutate_a_variable)
            self._cover()

    # ------------------------------------------------------------ one step

    async def step(self, number: int) -> None:
        """A minibatch: sample, learn, measure."""
        study, optimizer = self.study, self.optimizer
        batch = self._next_batch()
        buckets = await self._sample(batch, number)
        if not buckets:
            return
        values = sorted(rollout.value for bucket in buckets for rollout in bucket.rollouts)
        low, high = percentile(values, 0.1), percentile(values, 0.9)
        drafts = [self._draft(bucket, number) for bucket in buckets[: optimizer.num_candidates + 1]]
        candidates = await study.gather([lambda draft=draft: draft(low, high) for draft in drafts], "draft")
        measured = await study.evaluate_all(list(dict.fromkeys(candidates)), batch)
        for one in measured:
            self.pool.add(one.candidate, one.values)
        if measured:
            best = max(measured, key=lambda one: one.mean)
            self.winners.append(best.candidate)
            self.log[number] = {
                "batch_scores": [one.score for one in measured],
                "best_score": best.score,
                "baseline": round(100 * sum(values) / len(values), 2),
            }
            study.log(
                "SIMBA step %d: %.1f %% on the batch, best %.1f %%",
                number,
                self.log[number]["baseline"],
                best.score,
            )

    def _next_batch(self) -> list[Any]:
        """The next examples of a shuffled order, shuffled again when it is used up."""
        if len(self.order) < self.size:
            self.order = list(range(len(self.study.trainset)))
            self.study.rng.shuffle(self.order)
        taken, self.order = self.order[: self.size], self.order[self.size :]
        return [self.study.trainset[place] for place in taken]

    async def _sample(self, batch: Sequence[Any], number: int) -> list[_Bucket]:
        """Rollouts of each example, those of the most instructive example first."""
        optimizer, study = self.optimizer, self.study
        places = self.pool.top(optimizer.num_candidates)
        first = 1 + number * optimizer.num_candidates
        wanted = [
            Wanted(
                self.pool.draw(places, optimizer.temperature_for_sampling, study.rng),
                example,
                first + model,
                1.0,
            )
            for model in range(optimizer.num_candidates)
            for example in batch
        ]
        rollouts = await self._run(wanted, len(batch))
        n = len(batch)
        buckets = [
            _Bucket(
                sorted(
                    [rollout for rollout in rollouts[place::n] if rollout.counts], key=lambda one: -one.value
                )
            )
            for place in range(n)
        ]
        return sorted((b for b in buckets if b.rollouts), key=lambda bucket: bucket.spread, reverse=True)

    async def _run(self, wanted: Sequence[Wanted], n: int) -> list[Rollout]:
        """All at once; the teacher's LM, where there is one, answers the first of each example."""
        teacher, study = self.optimizer.teacher_settings, self.study
        taught: list[Rollout] = []
        if teacher:
            subject = Subject("student, taught", study.student.program, dict(teacher))
            taught = await study.run(wanted[:n], subject=subject, keep_steps=True)
        return [*taught, *await study.run(wanted[len(taught) :], keep_steps=True)]

    def _draft(self, bucket: _Bucket, number: int) -> Callable[[float, float], Awaitable[Candidate]]:
        """A new candidate from a bucket; what needs chance is drawn now, in order."""
        optimizer, study = self.optimizer, self.study
        source = self.pool.draw(
            range(len(self.pool.candidates)), optimizer.temperature_for_candidates, study.rng
        )
        lighter = self._drop_demos(source)
        strategy = study.rng.choice(self.strategies)

        async def draft(low: float, high: float) -> Candidate:
            made = await strategy(lighter, bucket, low, high)
            how = strategy.__name__.replace("_", " ")
            return study.propose(made or lighter, f"SIMBA step {number}: {how}", source)

        return draft

    def _drop_demos(self, candidate: Candidate) -> Candidate:
        """Some demos less: a Poisson number of positions, at least one where there are as many as there may be."""
        demos = candidate.demos()
        most = max((len(shown) for shown in demos.values()), default=0)
        if not most:
            return candidate
        limit = max(self.optimizer.max_demos or 3, self.shown)
        count = min(most, max(poisson(most / limit, self.study.rng), int(most >= limit)))
        dropped = set(self.study.rng.sample(range(most), count))
        return candidate.with_demos(
            {
                leaf: [demo for place, demo in enumerate(shown) if place not in dropped]
                for leaf, shown in demos.items()
            }
        )

    # ------------------------------------------------------------ strategies

    async def append_a_demo(
        self, candidate: Candidate, bucket: _Bucket, low: float, high: float
    ) -> Candidate | None:
        """The best rollout as a demo of every leaf. None where it is among the worst of the batch."""
        if bucket.best.value <= low:
            return None
        longest = self.optimizer.demo_input_field_maxlen
        demos = {leaf: list(shown) for leaf, shown in candidate.demos().items()}
        for step in {step.leaf: step for step in bucket.best.steps or ()}.values():
            demo = step.demo()
            for name in step.inputs:
                if len(str(demo[name])) > longest:
                    demo[name] = f"{str(demo[name])[:longest]}\n\t\t... <TRUNCATED FOR BREVITY>"
            if step.leaf in demos:
                demos[step.leaf].append(demo)
        return candidate.with_demos(demos)

    async def append_a_rule(
        self, candidate: Candidate, bucket: _Bucket, low: float, high: float
    ) -> Candidate | None:
        """Advice from comparing the best rollout with the worst. None where there is nothing to compare."""
        better, worse = bucket.best, bucket.worst
        if better.value <= low or worse.value >= high:
            return None
        silent = self._silent(better, worse)
        study, program = self.study, self.study.student.program
        instructions = candidate.instructions()
        try:
            answer = await study.ask(
                "advice",
                Predict(OfferFeedback),
                lm=self.optimizer.prompt_model,
                program_code=program_source(program),
                modules_defn=program_definition(program, instructions),
                program_inputs=values_text(dict(better.example.inputs().items())),
                oracle_metadata=values_text(dict(better.example.labels().items())),
                module_names=list(instructions),
                **_told("better", better, silent == "better"),
                **_told("worse", worse, silent == "worse"),
            )
        except AskFailed as error:
            study.log("%s", error)
            return None
        advice: Mapping[str, Any] = answer.module_advice if isinstance(answer.module_advice, Mapping) else {}
        added = {leaf: text for leaf, text in advice.items() if leaf in instructions and str(text).strip()}
        if not added:
            return None
        return candidate.with_instructions(
            {leaf: f"{instructions[leaf]}\n\n{str(text).strip()}" for leaf, text in added.items()}
        )

    def _silent(self, better: Rollout, worse: Rollout) -> str | None:
        """Where the scores are equal, the side that is left out: all right, or all wrong."""
        if better.value > worse.value:
            return None
        return "worse" if better.value > 0 else "better"

    async def mutate_a_variable(
        self, candidate: Candidate, bucket: _Bucket, low: float, high: float
    ) -> Candidate | None:
        """One variable of the space moved a little."""
        space, rng = self.study.space, self.study.rng
        moved = space.mutate(candidate, rng)
        return candidate.with_values({name: moved[name] for name in space.searched})

    def _cover(self) -> None:
        """Spread-out configurations of the space beside the student."""
        study = self.study
        for values in study.space.cover(self.optimizer.num_candidates - 1, study.rng):
            self.pool.candidates.append(
                study.propose(study.baseline.with_values(values), "coverage of the space", study.baseline)
            )

    # ------------------------------------------------------------ the end

    async def finish(self) -> None:
        """The best of the steps, evenly spaced, on the whole trainset."""
        study = self.study
        wanted = self.optimizer.num_candidates + 1
        line = [study.baseline, *self.winners]
        places = dict.fromkeys(round(i * (len(line) - 1) / max(1, wanted - 1)) for i in range(wanted))
        finalists = list(dict.fromkeys(line[place] for place in places))
        measured = await study.select(finalists)
        study.adopt(measured[0].candidate)
        study.note(
            candidate_programs=[{"score": one.score, "candidate": one.candidate} for one in measured],
            trial_logs=self.log,
        )


def _told(side: str, rollout: Rollout, silent: bool) -> dict[str, Any]:
    """One of the two runs, as the adviser reads it."""
    if silent:
        return {
            f"{side}_program_trajectory": "N/A",
            f"{side}_program_outputs": "N/A",
            f"{side}_reward_value": 0.0,
            f"{side}_reward_info": "N/A",
        }
    steps = [
        f"{step.leaf}\n{values_text(step.inputs)}\n->\n{values_text(step.outputs)}"
        for step in rollout.steps or ()
    ]
    said = values_text(dict(rollout.prediction.items()))
    return {
        f"{side}_program_trajectory": "\n\n".join(steps),
        f"{side}_program_outputs": said if rollout.failure is None else str(rollout.failure),
        f"{side}_reward_value": rollout.value,
        f"{side}_reward_info": values_text(rollout.metadata),
    }
