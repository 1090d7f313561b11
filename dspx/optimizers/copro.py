"""Propose instructions, measure them, and propose better ones from what was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dspx.core.fields import InputField, OutputField
from dspx.core.signature import Signature
from dspx.errors import UsageError
from dspx.modules.predict import Predict
from dspx.optimizers.estimate import Work
from dspx.optimizers.optimizer import Optimizer
from dspx.optimizers.study import AskFailed

if TYPE_CHECKING:
    from dspx.core.candidate import Candidate
    from dspx.optimizers.estimate import Shape
    from dspx.optimizers.rollout import Measured
    from dspx.optimizers.study import Study


class ProposeInstruction(Signature):
    """You improve the instructions that a language model is given for a task. Read the instruction in use and write another
    one that would make a capable model do the same task better. Say plainly what to do, what a good answer looks like, and
    what to watch out for. Do not be afraid to depart from the wording in use."""

    basic_instruction: str = InputField(desc="the instruction in use")
    proposed_instruction: str = OutputField(desc="the instruction that you propose instead")


class ProposeFromAttempts(Signature):
    """You improve the instructions that a language model is given for a task. Below are instructions that were tried, from the
    worst to the best, each with the score that it reached. Find out what the better ones have in common, and write a new
    instruction that should score higher than all of them. It must differ from each of them."""

    attempted_instructions: list[str] = InputField(
        desc="instructions tried, the best last, with their scores"
    )
    proposed_instruction: str = OutputField(desc="the instruction that you propose")


class COPRO(Optimizer):
    """`COPRO(metric=…).compile(student, trainset=…)`: instructions by coordinate ascent (Opsahl-Ong et al. 2024; DSPy's COPRO).

    1. For each leaf, ask `prompt_model` for `breadth - 1` instructions beside the one it has.
    2. Leaf by leaf, measure every instruction on the valset (the trainset, unless given); install the best.
    3. `depth` times: show the best `breadth` attempts with their scores, and ask for `breadth` new ones.

    max_labeled_demos: it begins with so many labelled examples shown, where that does better and the student
        shows none (16 under honest selection, none under "dspy").
    `track_stats` adds `results_best` and `results_latest` to the program: per leaf and depth, the scores'
    `max`, `average`, `min` and `std`. `compile(eval_kwargs=…)` takes `num_threads` and is otherwise ignored.
    DSPy's COPRO also proposes output prefixes, which no adapter shows to a model; this one does not.
    """

    def __init__(
        self,
        prompt_model: Any = None,
        metric: Any = None,
        breadth: int = 10,
        depth: int = 3,
        init_temperature: float = 1.4,
        track_stats: bool = False,
        *,
        max_labeled_demos: int | None = None,
        selection: str = "honest",
        **_kwargs: Any,
    ) -> None:
        if breadth <= 1:
            raise UsageError(
                f"COPRO(breadth={breadth}): the instruction in use is one; breadth must be 2 or more."
            )
        self.prompt_model = prompt_model
        self.metric = metric
        self.breadth = breadth
        self.depth = depth
        self.init_temperature = init_temperature
        self.track_stats = track_stats
        self.max_labeled_demos = max_labeled_demos
        self.selection = selection

    def work(self, shape: Shape, **options: Any) -> Work:
        most = self.breadth * self.depth * shape.leaves
        if shape.leaves > 1:  # what was measured before is measured again once another leaf has changed
            most = sum(self.breadth * (depth + 1) for depth in range(self.depth)) * shape.leaves
        asks = self.depth * shape.leaves
        return Work(rollouts=(shape.val, most * shape.val), asks=(asks, asks))

    async def search(self, study: Study, *, eval_kwargs: Mapping[str, Any] | None = None) -> None:
        study.num_threads = (eval_kwargs or {}).get("num_threads") or study.num_threads
        leaves = list(study.baseline.instructions())
        attempts = {leaf: _Attempts() for leaf in leaves}
        latest = dict(
            zip(leaves, await study.gather([_first(self, study, leaf) for leaf in leaves]), strict=True)
        )
        current = (await study.select(study.beginnings(self.max_labeled_demos)))[0].candidate
        for depth in range(self.depth):
            for leaf in leaves:
                # Once another leaf has changed, what was measured before holds no more.
                pool = latest[leaf] if len(leaves) == 1 else [*attempts[leaf].texts, *latest[leaf]]
                current = await self._measure(study, current, leaf, pool, attempts[leaf], depth)
            if depth == self.depth - 1:
                break
            proposals = await study.gather([_next(self, study, leaf, attempts[leaf]) for leaf in leaves])
            latest = dict(zip(leaves, proposals, strict=True))
        self._finish(study, attempts)

    async def _measure(
        self,
        study: Study,
        current: Candidate,
        leaf: str,
        pool: Sequence[str],
        attempts: _Attempts,
        depth: int,
    ) -> Candidate:
        """Every instruction of the pool in the program as it is now; the program with the best one."""
        texts = list(dict.fromkeys(pool))
        candidates = [
            study.propose(current.with_instructions({leaf: text}), f"COPRO depth {depth}, {leaf}", current)
            for text in texts
        ]
        scores = _falling(await study.select(candidates))
        attempts.add(texts, candidates, [scores[candidate] for candidate in candidates], depth)
        return attempts.best_candidate

    def _finish(self, study: Study, attempts: Mapping[str, _Attempts]) -> None:
        tried: list[dict[str, Any]] = []
        for leaf, of_leaf in attempts.items():
            about = {"prefix": _prefix(study, leaf)}
            for text, (score, candidate, depth) in of_leaf.best.items():
                tried.append(
                    {"score": score, "candidate": candidate, "instruction": text, **about, "depth": depth}
                )
        tried.sort(key=lambda one: one["score"], reverse=True)
        study.adopt(tried[0]["candidate"])
        study.note(candidate_programs=tried, total_calls=len(tried))
        if self.track_stats:
            study.note(
                results_best={leaf: of_leaf.statistics(self.breadth) for leaf, of_leaf in attempts.items()},
                results_latest={leaf: of_leaf.statistics() for leaf, of_leaf in attempts.items()},
            )


class _Attempts:
    """The instructions of one leaf that were measured, and how they did."""

    def __init__(self) -> None:
        self.best: dict[str, tuple[float, Candidate, int]] = {}
        self.by_depth: dict[int, list[float]] = {}

    @property
    def texts(self) -> list[str]:
        return list(self.best)

    @property
    def best_candidate(self) -> Candidate:
        return max(self.best.values(), key=lambda one: one[0])[1]

    def add(
        self, texts: Sequence[str], candidates: Sequence[Candidate], scores: Sequence[float], depth: int
    ) -> None:
        for text, candidate, score in zip(texts, candidates, scores, strict=True):
            if text not in self.best or score > self.best[text][0]:
                self.best[text] = (score, candidate, depth)
        self.by_depth.setdefault(depth, []).extend(scores)

    def told(self, breadth: int) -> list[str]:
        """The best attempts, the best last, as the proposer reads them."""
        ranked = sorted(self.best.items(), key=lambda item: item[1][0])[-breadth:]
        return [
            f"Instruction {n}: {text}\nScore {n}: {best[0]:g}" for n, (text, best) in enumerate(ranked, 1)
        ]

    def statistics(self, best: int | None = None) -> dict[str, list[float]]:
        """Per depth: the largest, mean and smallest score, and their standard deviation."""
        import numpy as np

        columns: dict[str, list[float]] = {"depth": [], "max": [], "average": [], "min": [], "std": []}
        for depth, scores in self.by_depth.items():
            kept = sorted(scores, reverse=True)[:best]
            row = (depth, max(kept), float(np.mean(kept)), min(kept), float(np.std(kept)))
            for name, value in zip(columns, row, strict=True):
                columns[name].append(value)
        return columns


def _falling(ranked: Sequence[Measured]) -> dict[Candidate, float]:
    """Scores, the best first: one that was dropped early, on a few lucky examples, has no more than those that stayed."""
    lowest = float("inf")
    scores: dict[Candidate, float] = {}
    for one in ranked:
        lowest = scores[one.candidate] = min(lowest, one.score)
    return scores


def _first(optimizer: COPRO, study: Study, leaf: str) -> Any:
    basic = study.baseline.instructions()[leaf]

    async def propose() -> list[str]:
        asked = {"basic_instruction": basic}
        return [*await _proposals(optimizer, study, ProposeInstruction, optimizer.breadth - 1, asked), basic]

    return propose


def _next(optimizer: COPRO, study: Study, leaf: str, attempts: _Attempts) -> Any:
    async def propose() -> list[str]:
        asked = {"attempted_instructions": attempts.told(optimizer.breadth)}
        return await _proposals(optimizer, study, ProposeFromAttempts, optimizer.breadth, asked)

    return propose


async def _proposals(
    optimizer: COPRO, study: Study, signature: Any, n: int, asked: Mapping[str, Any]
) -> list[str]:
    """Up to `n` instructions; fewer where the answer could not be read."""
    try:
        answer = await study.ask(
            "instructions",
            Predict(signature),
            lm=optimizer.prompt_model,
            temperature=optimizer.init_temperature,
            n=n,
            **asked,
        )
    except AskFailed as error:
        study.log("%s", error)
        return []
    texts = [str(text).strip().strip('"').strip() for text in answer.completions.proposed_instruction]
    return [text for text in texts if text]


def _prefix(study: Study, leaf: str) -> str:
    """The prefix of the leaf's last output, which DSPy's programs look for."""
    fields = list(study.leaves().by_name[leaf].signature.output_fields.values())
    return str(fields[-1].json_schema_extra.get("prefix", ""))
