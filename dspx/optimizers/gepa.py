"""Let a model read how a program failed and rewrite its instructions; keep whatever is best at something."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from dspx.core.budget import purpose
from dspx.core.calls import entrance
from dspx.core.fields import InputField, OutputField
from dspx.core.prediction import Prediction
from dspx.core.settings import context
from dspx.core.signature import Signature
from dspx.errors import UsageError
from dspx.modules.predict import Predict
from dspx.optimizers.estimate import Work
from dspx.optimizers.optimizer import Optimizer
from dspx.optimizers.parts.describe import values_text
from dspx.optimizers.parts.merging import Merger
from dspx.optimizers.parts.pareto import draw_from_fronts, fronts
from dspx.optimizers.rollout import Measured, Rollout, Step
from dspx.optimizers.study import AskFailed

if TYPE_CHECKING:
    from dspx.core.candidate import Candidate
    from dspx.optimizers.estimate import Shape
    from dspx.optimizers.study import Study

AUTO: dict[str, int] = {"light": 6, "medium": 12, "heavy": 18}

_GATES = 3
"""How often honest selection doubles the minibatch before it decides on a child."""

Reflective = Mapping[str, Sequence[Mapping[str, Any]]]
"""By leaf: what it was asked and answered, and what was said of it."""


class ImproveInstruction(Signature):
    """A language model was given an instruction for a task, and did it on the inputs below; feedback says how well. Write a
    better instruction. Read all of it first: find out what the task is, what the model got wrong and why, what the feedback
    reveals about the domain that the model could not know, and which way of working succeeded. The new instruction
    must state the task in full, with those facts and rules, for inputs of this kind in general; keep what works already."""

    current_instruction: str = InputField(desc="the instruction that was given")
    examples_with_feedback: str = InputField(desc="inputs, answers, and feedback on each")
    improved_instruction: str = OutputField(desc="the new instruction, and nothing else")


class GEPA(Optimizer):
    """`GEPA(metric=…, auto="light", reflection_lm=…).compile(student, trainset=…, valset=…)` (Agrawal et al. 2025).

    1. Measure the student on the valset (the trainset, unless given).
    2. Draw a candidate that is best at some examples; run it on a minibatch of the trainset; let `reflection_lm`
       read the rollouts with the metric's feedback and rewrite the instructions of one leaf.
    3. Where the child does better on the minibatch, measure it on the valset and put it into the pool.
    4. Now and then merge two candidates that descend from a common ancestor and changed different leaves.

    The best mean on the valset wins.

    metric(gold, pred, trace, pred_name, pred_trace): a number, or an object with `score` and `feedback`. It is
        called with the last two to get feedback on one leaf.
    auto, max_full_evals, max_metric_calls: exactly one says how much may be spent.
    component_selector: "round_robin", "all", or a function (candidate index, candidate, rollouts) → leaf names.
    instruction_proposer: a function (instructions, reflective data, leaf names) → new instructions, instead of the
        built-in one; sync or async.
    max_labeled_demos: the pool also starts with the student showing so many labelled examples, where it shows none
        (16 under honest selection, none under "dspy").
    selection: "dspy" admits a child that is better on `reflection_minibatch_size` examples; honest selection looks at
        more of them as long as it cannot tell.

    `track_stats` puts `detailed_results` on the program. `log_dir`, wandb and mlflow are not needed: give `store=` and
    `run_id=` to `compile`, and the run is recorded and goes on where it was killed.
    """

    def __init__(
        self,
        metric: Any,
        *,
        auto: Literal["light", "medium", "heavy"] | None = None,
        max_full_evals: int | None = None,
        max_metric_calls: int | None = None,
        reflection_minibatch_size: int = 3,
        candidate_selection_strategy: Literal["pareto", "current_best"] = "pareto",
        reflection_lm: Any = None,
        skip_perfect_score: bool = True,
        add_format_failure_as_feedback: bool = False,
        instruction_proposer: Callable[..., Any] | None = None,
        code_proposer: Any = None,
        component_selector: Any = "round_robin",
        use_merge: bool = True,
        max_merge_invocations: int | None = 5,
        num_threads: int | None = None,
        failure_score: float = 0.0,
        perfect_score: float = 1.0,
        log_dir: str | None = None,
        track_stats: bool = False,
        use_wandb: bool = False,
        wandb_api_key: str | None = None,
        wandb_init_kwargs: dict[str, Any] | None = None,
        track_best_outputs: bool = False,
        warn_on_score_mismatch: bool = True,
        use_mlflow: bool = False,
        seed: int | None = 0,
        gepa_kwargs: dict[str, Any] | None = None,
        max_labeled_demos: int | None = None,
        selection: str = "honest",
    ) -> None:
        _check_metric(metric)
        if sum(limit is not None for limit in (auto, max_full_evals, max_metric_calls)) != 1:
            raise UsageError("GEPA needs exactly one of auto=, max_full_evals= and max_metric_calls=.")
        if auto is not None and auto not in AUTO:
            raise UsageError(f"GEPA(auto={auto!r}): one of {', '.join(AUTO)}.")
        if reflection_lm is None and instruction_proposer is None:
            raise UsageError(
                "GEPA needs a model to reflect with: GEPA(reflection_lm=dspx.LM(…)), a strong one if you can; "
                "or an instruction_proposer of your own."
            )
        if track_best_outputs and not track_stats:
            raise UsageError(
                "track_best_outputs=True keeps outputs in detailed_results: say track_stats=True too."
            )
        if code_proposer is not None or gepa_kwargs:
            raise UsageError("GEPA here is dspx's own: code_proposer and gepa_kwargs have nothing to act on.")
        if use_wandb or use_mlflow:
            raise UsageError(
                "Follow a run with dspx's callbacks and its store; use_wandb and use_mlflow are not offered."
            )
        self.metric = metric
        self.auto = auto
        self.max_full_evals = max_full_evals
        self.max_metric_calls = max_metric_calls
        self.reflection_minibatch_size = reflection_minibatch_size
        self.candidate_selection_strategy = candidate_selection_strategy
        self.reflection_lm = reflection_lm
        self.skip_perfect_score = skip_perfect_score
        self.add_format_failure_as_feedback = add_format_failure_as_feedback
        self.instruction_proposer = instruction_proposer
        self.component_selector = component_selector
        self.use_merge = use_merge
        self.max_merge_invocations = max_merge_invocations
        self.num_threads = num_threads
        self.failure_score = failure_score
        self.perfect_score = perfect_score
        self.log_dir = log_dir
        self.track_stats = track_stats
        self.track_best_outputs = track_best_outputs
        self.warn_on_score_mismatch = warn_on_score_mismatch
        self.seed = seed
        self.max_labeled_demos = max_labeled_demos
        self.selection = selection

    def work(self, shape: Shape, **options: Any) -> Work:
        allowed = self.allowance(shape.leaves, shape.train, shape.val)
        most = max(0, allowed - shape.val) // (2 * self.reflection_minibatch_size)
        return Work(rollouts=(shape.val, allowed), asks=(most // 8, most))

    async def search(self, study: Study) -> None:
        evolution = Evolution(self, study)
        await evolution.start()
        while evolution.may_go_on:
            await evolution.iterate()
        evolution.finish()

    def allowance(self, leaves: int, train: int, val: int) -> int:
        """How many metric calls it may make, as DSPy reckons it."""
        if self.max_metric_calls is not None:
            return self.max_metric_calls
        if self.max_full_evals is not None:
            return self.max_full_evals * (train + val)
        n = AUTO[self.auto or "light"]
        trials = int(max(4 * leaves * math.log2(n), 1.5 * n))
        return val + 5 * n + 35 * trials + ((trials + 1) // 5 + 1 + (trials < 5)) * val


@dataclass(slots=True)
class GEPAResult:
    """`program.detailed_results`: the pool of a GEPA run, under DSPy's names."""

    candidates: list[Any]
    parents: list[list[int | None]]
    val_aggregate_scores: list[float]
    val_subscores: list[list[float]]
    per_val_instance_best_candidates: list[set[int]]
    discovery_eval_counts: list[int]
    best_outputs_valset: list[list[tuple[int, Any]]] | None = None
    total_metric_calls: int | None = None
    num_full_val_evals: int | None = None
    log_dir: str | None = None
    seed: int | None = None

    @property
    def best_idx(self) -> int:
        """The place of the candidate with the best mean."""
        return max(range(len(self.val_aggregate_scores)), key=lambda place: self.val_aggregate_scores[place])

    @property
    def best_candidate(self) -> Any:
        return self.candidates[self.best_idx]

    @property
    def highest_score_achieved_per_val_task(self) -> list[float]:
        """For each example the best that any candidate reached."""
        return [max(scores) for scores in zip(*self.val_subscores, strict=True)]

    def to_dict(self) -> dict[str, Any]:
        """The result as data; candidates are their instructions by leaf."""
        return {
            "candidates": [getattr(one, "instructions", lambda one=one: one)() for one in self.candidates],
            "parents": self.parents,
            "val_aggregate_scores": self.val_aggregate_scores,
            "val_subscores": self.val_subscores,
            "per_val_instance_best_candidates": [
                sorted(front) for front in self.per_val_instance_best_candidates
            ],
            "discovery_eval_counts": self.discovery_eval_counts,
            "total_metric_calls": self.total_metric_calls,
            "num_full_val_evals": self.num_full_val_evals,
            "seed": self.seed,
            "best_idx": self.best_idx,
        }


@dataclass(slots=True)
class Member:
    """A candidate of the pool, with what was measured of it on the valset."""

    candidate: Candidate
    parents: list[int | None]
    measured: Measured
    scores: dict[str, float]
    found_at: int
    next_leaf: int = 0

    @property
    def mean(self) -> float:
        return sum(self.scores.values()) / len(self.scores) if self.scores else 0.0


@dataclass(slots=True)
class Evolution:
    """The state of a GEPA search."""

    optimizer: GEPA
    study: Study
    pool: list[Member] = field(default_factory=list[Member])
    spent: int = 0
    full_evaluations: int = 0
    order: list[int] = field(default_factory=list[int])
    merges: Merger = field(default_factory=Merger)
    merge_due: bool = False
    idle: int = 0

    @property
    def allowance(self) -> int:
        study = self.study
        leaves = len(study.baseline.instructions())
        return self.optimizer.allowance(leaves, len(study.trainset), len(study.valset))

    @property
    def may_go_on(self) -> bool:
        """Whether there is room for two minibatches, and the last iterations were not all in vain."""
        left = self.allowance - self.spent
        return left >= 2 * self._batch_size and self.idle < 200

    @property
    def _batch_size(self) -> int:
        return min(self.optimizer.reflection_minibatch_size, len(self.study.trainset))

    async def start(self) -> None:
        """The student, measured on the valset; and with labelled demos, where it may show some."""
        for candidate in self.study.beginnings(self.optimizer.max_labeled_demos):
            await self._admit(candidate, [None])

    async def iterate(self) -> None:
        """One merge, where one is due; else one reflection."""
        before = self.spent
        if self.merge_due and await self._merge():
            return
        await self._reflect()
        self.idle = self.idle + 1 if self.spent == before else 0

    # ------------------------------------------------------------ reflection

    async def _reflect(self) -> None:
        study, optimizer = self.study, self.optimizer
        place = self._draw()
        parent = self.pool[place]
        batch = self._minibatch(self._batch_size)
        ran = await study.evaluate(parent.candidate, batch, keep_steps=True)
        self.spent += len(batch)
        if optimizer.skip_perfect_score and all(one.value >= optimizer.perfect_score for one in ran):
            return
        leaves = await self._leaves(place, parent, ran)
        data = await self._reflective(ran, leaves)
        texts = await self._rewritten(parent.candidate, data)
        if not texts:
            return
        child = parent.candidate.with_instructions(texts)
        if child == parent.candidate:
            return
        study.propose(child, f"reflection on {', '.join(texts)}", parent.candidate)
        if await self._is_better(child, parent.candidate, ran, batch):
            await self._admit(child, [place])
            self.merge_due = True

    def _draw(self) -> int:
        """A member of the pool: by how many examples it is best at, or the best on average."""
        averages = [member.mean for member in self.pool]
        if self.optimizer.candidate_selection_strategy == "current_best":
            return max(range(len(averages)), key=lambda place: averages[place])
        return draw_from_fronts(fronts([member.scores for member in self.pool]), averages, self.study.rng)

    def _minibatch(self, size: int) -> list[Any]:
        """The next examples of a shuffled order; what is missing at its end comes from the next one."""
        taken: list[int] = []
        while len(taken) < size:
            if not self.order:
                self.order = list(range(len(self.study.trainset)))
                self.study.rng.shuffle(self.order)
            place = self.order.pop(0)
            if place not in taken:
                taken.append(place)
        return [self.study.trainset[place] for place in taken]

    async def _leaves(self, place: int, parent: Member, ran: Measured) -> list[str]:
        """Which leaves to rewrite."""
        names = list(parent.candidate.instructions())
        chosen = self.optimizer.component_selector
        if chosen == "round_robin":
            leaf = names[parent.next_leaf % len(names)]
            parent.next_leaf += 1
            return [leaf]
        if chosen == "all":
            return names
        selected = await entrance(chosen)(place, parent.candidate, list(ran))
        unknown = [name for name in selected if name not in names]
        if unknown:
            raise UsageError(f"component_selector chose {unknown}; the program's leaves are {names}.")
        return list(selected)

    async def _reflective(self, ran: Measured, leaves: Sequence[str]) -> Reflective:
        """By leaf: one invocation of it per rollout, and what the metric says of that."""
        data: dict[str, list[dict[str, Any]]] = {}
        for leaf in leaves:
            for rollout in ran:
                steps = rollout.steps_of(leaf)
                failed = rollout.failure is not None and self.optimizer.add_format_failure_as_feedback
                if not steps and not failed:
                    continue
                step = self.study.rng.choice(steps) if steps else None
                data.setdefault(leaf, []).append(
                    {
                        "Inputs": values_text(
                            step.inputs if step else dict(rollout.example.inputs().items())
                        ),
                        "Generated Outputs": values_text(step.outputs) if step else str(rollout.failure),
                        "Feedback": await self._feedback(rollout, leaf, step),
                    }
                )
        return data

    async def _feedback(self, rollout: Rollout, leaf: str, step: Step | None) -> str:
        """What the metric says of one leaf in a rollout; recorded, for a metric may ask an LM."""
        default = f"This trajectory got a score of {rollout.value:g}."
        if rollout.failure is not None or step is None:
            return f"{default} {rollout.failure}" if rollout.failure else default
        study, leaves = self.study, self.study.leaves()

        async def produce(_: int) -> Any:
            trace = leaves.trace(rollout.steps or ())
            pred_trace = leaves.trace([step])
            with purpose.using("judge"), context(trace=None):
                said = await entrance(self.optimizer.metric)(
                    rollout.example, rollout.prediction, trace, leaf, pred_trace
                )
            return _feedback_of(said)

        try:
            said = await study.call(f"feedback on {leaf}", [rollout.key, dict(step.inputs)], produce)
        except AskFailed as error:
            study.log("%s", error)
            return default
        return default if said is None else str(said)

    async def _rewritten(self, candidate: Candidate, data: Reflective) -> dict[str, str]:
        """New instructions for the leaves that there is something to say of."""
        instructions = candidate.instructions()
        if not data:
            return {}
        proposer = self.optimizer.instruction_proposer
        if proposer is not None:

            async def produce(_: int) -> Any:
                with context(
                    **({"lm": self.optimizer.reflection_lm} if self.optimizer.reflection_lm else {})
                ):
                    return dict(await entrance(proposer)(instructions, data, list(data)))

            return await self.study.call("proposal", [instructions, data], produce)
        texts = await self.study.gather(
            [lambda leaf=leaf: self._improved(leaf, instructions[leaf], data[leaf]) for leaf in data], "leaf"
        )
        return {leaf: text for leaf, text in zip(data, texts, strict=True) if text}

    async def _improved(self, leaf: str, text: str, shown: Sequence[Mapping[str, Any]]) -> str:
        try:
            answer = await self.study.ask(
                f"improve {leaf}",
                Predict(ImproveInstruction),
                lm=self.optimizer.reflection_lm,
                current_instruction=text,
                examples_with_feedback="\n\n".join(_told(number, one) for number, one in enumerate(shown, 1)),
            )
        except AskFailed as error:
            self.study.log("%s", error)
            return ""
        return str(answer.improved_instruction).strip()

    async def _is_better(
        self, child: Candidate, parent: Candidate, ran: Measured, batch: Sequence[Any]
    ) -> bool:
        """Whether the child does better than its parent did; looked at more closely where that is hard to tell."""
        measured = await self.study.evaluate(child, batch)
        self.spent += len(batch)
        difference = sum(measured.values) - sum(ran.values)
        if not self.study.honest:
            return difference > 0
        size = len(batch)
        for _ in range(_GATES - 1):
            if abs(difference) >= 2 or self.allowance - self.spent < 4 * size:
                break
            more = self._minibatch(min(size, len(self.study.trainset)))
            both = await self.study.evaluate_all([parent, child], more)
            self.spent += 2 * len(more)
            difference += sum(both[1].values) - sum(both[0].values)
            size *= 2
        return difference > 0

    # ------------------------------------------------------------ merging

    async def _merge(self) -> bool:
        """A child of two candidates; False where no pair suits, and a reflection comes instead."""
        optimizer = self.optimizer
        self.merge_due = False
        most = optimizer.max_merge_invocations
        if not optimizer.use_merge or (most is not None and self.merges.made >= most):
            return False
        found = self.merges.propose(
            [member.candidate.instructions() for member in self.pool],
            [member.parents for member in self.pool],
            [member.scores for member in self.pool],
            self.study.rng,
        )
        if found is None:
            return False
        examples = {self.study.key_of(example): example for example in self.study.valset}
        chosen = [examples[key] for key in found.examples]
        one, other = self.pool[found.first], self.pool[found.second]
        better = one if one.mean >= other.mean else other
        child = better.candidate.with_instructions(found.instructions)
        self.study.propose(child, "merge", one.candidate, other.candidate)
        measured = await self.study.evaluate(child, chosen)
        self.spent += len(chosen)
        best = max(sum(member.scores[key] for key in found.examples) for member in (one, other))
        if sum(measured.values) >= best:
            self.merges.made += 1
            await self._admit(child, [found.first, found.second])
        return True

    # ------------------------------------------------------------ the pool

    async def _admit(self, candidate: Candidate, parents: list[int | None]) -> None:
        """Measure a candidate on the valset, where there is room for that, and put it into the pool."""
        study = self.study
        if self.pool and self.allowance - self.spent < len(study.valset):
            return
        measured = await study.evaluate(candidate)
        self.spent += len(measured)
        self.full_evaluations += 1
        scores = {study.key_of(one.example): one.value for one in measured if one.counts}
        self.pool.append(Member(candidate, parents, measured, scores, self.spent))
        study.log(
            "GEPA: candidate %d reaches %.1f %% (%d metric calls)",
            len(self.pool) - 1,
            measured.score,
            self.spent,
        )

    def finish(self) -> None:
        """Adopt the best mean, and note the pool."""
        best = max(self.pool, key=lambda member: member.mean)
        self.study.adopt(best.candidate)
        if self.optimizer.track_stats:
            self.study.note(detailed_results=self._result())

    def _result(self) -> GEPAResult:
        keys = [self.study.key_of(example) for example in self.study.valset]
        best = fronts([member.scores for member in self.pool])
        outputs = None
        if self.optimizer.track_best_outputs:
            outputs = [
                [
                    (place, self.pool[place].measured.rollouts[number].prediction)
                    for place in sorted(best.get(key, ()))
                ]
                for number, key in enumerate(keys)
            ]
        return GEPAResult(
            candidates=[member.candidate for member in self.pool],
            parents=[member.parents for member in self.pool],
            val_aggregate_scores=[member.mean for member in self.pool],
            val_subscores=[[member.scores.get(key, 0.0) for key in keys] for member in self.pool],
            per_val_instance_best_candidates=[best.get(key, set()) for key in keys],
            discovery_eval_counts=[member.found_at for member in self.pool],
            best_outputs_valset=outputs,
            total_metric_calls=self.spent,
            num_full_val_evals=self.full_evaluations,
            log_dir=self.optimizer.log_dir,
            seed=self.study.seed,
        )


def _told(number: int, one: Mapping[str, Any]) -> str:
    parts = [f"# Example {number}"]
    for title, text in one.items():
        parts += [f"## {title}", str(text)]
    return "\n".join(parts)


def _feedback_of(said: Any) -> str | None:
    """The words that come with a score, if any do."""
    if isinstance(said, Prediction):
        return said.get("feedback")
    if isinstance(said, Mapping):
        return said.get("feedback")
    return getattr(said, "feedback", None)


def _check_metric(metric: Any) -> None:
    """GEPA asks the metric about one leaf: it must take five arguments."""
    try:
        inspect.signature(metric).bind(None, None, None, None, None)
    except TypeError as error:
        raise UsageError(
            "GEPA's metric takes five arguments: def metric(gold, pred, trace=None, pred_name=None, pred_trace=None), "
            "and returns a number, or dspx.Prediction(score=…, feedback='…')."
        ) from error
    except ValueError:
        return  # nobody can tell
