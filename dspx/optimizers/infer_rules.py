"""Let a model read the examples and write down the rules behind them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dspx.core.fields import InputField, OutputField
from dspx.core.signature import Signature
from dspx.modules.chain_of_thought import ChainOfThought
from dspx.optimizers.bootstrap_few_shot import Bootstrap
from dspx.optimizers.estimate import Work
from dspx.optimizers.optimizer import Optimizer
from dspx.optimizers.parts.racing import BOLD_FIRST
from dspx.optimizers.study import AskFailed

if TYPE_CHECKING:
    from dspx.core.candidate import Candidate
    from dspx.optimizers.estimate import Shape
    from dspx.optimizers.study import Study


class InferRulesFromExamples(Signature):
    """Read the solved examples of a task and write down the rules that lead from each input to its output. A rule must be
    specific enough that somebody who knows the rules but not the examples gets them right; prefer rules that cover many
    examples, and include those for cases that are easily confused. Write one rule per line, without the examples themselves."""

    examples_text: str = InputField(desc="solved examples")
    number_of_rules: int = InputField(desc="how many rules to write at most")
    natural_language_rules: str = OutputField(desc="the rules, one per line")


class InferRules(Optimizer):
    """`InferRules(metric=…).compile(student, trainset=…)`: instructions with rules that a model reads off the examples.

    1. Bootstrap demos (`BootstrapFewShot`, with the arguments given here).
    2. `num_candidates` times, ask for each leaf for at most `num_rules` rules behind the training examples, and
       append them to its instructions.
    3. Measure each on the valset (half of the trainset, unless given), and keep the best.

    Examples are halved in number for as long as they do not fit into the model's context.
    """

    def __init__(
        self,
        num_candidates: int = 10,
        num_rules: int = 10,
        num_threads: int | None = None,
        teacher_settings: dict[str, Any] | None = None,
        *,
        metric: Any = None,
        metric_threshold: float | None = None,
        max_bootstrapped_demos: int = 4,
        max_labeled_demos: int = 16,
        max_rounds: int = 1,
        max_errors: int | None = None,
        selection: str = "honest",
    ) -> None:
        self.num_candidates = num_candidates
        self.num_rules = num_rules
        self.num_threads = num_threads
        self.teacher_settings = teacher_settings or {}
        self.metric = metric
        self.metric_threshold = metric_threshold
        self.max_bootstrapped_demos = max_bootstrapped_demos
        self.max_labeled_demos = max_labeled_demos
        self.max_rounds = max_rounds
        self.max_errors = max_errors
        self.selection = selection

    def work(self, shape: Shape, **options: Any) -> Work:
        val = shape.val if shape.has_valset else shape.val // 2
        asks = self.num_candidates * shape.leaves
        n, least = self.num_candidates + 1, min(BOLD_FIRST, val // 3) if shape.honest else val
        return Bootstrap.of(self).work(shape) + Work(rollouts=(n * least, n * val), asks=(asks, 2 * asks))

    async def search(self, study: Study) -> None:
        if not study.has_valset:
            middle = (len(study.trainset) + 1) // 2
            study.choose_by(study.trainset[middle:] or study.trainset, learn_from=study.trainset[:middle])
        demonstrated = await Bootstrap.of(self)(study, study.trainset)
        ruled = await study.gather(
            [lambda: self.with_rules(study, demonstrated) for _ in range(self.num_candidates)], "candidate"
        )
        measured = await study.select([demonstrated, *ruled])
        study.adopt(measured[0].candidate)
        study.note(candidate_programs=[{"score": one.score, "candidate": one.candidate} for one in measured])

    async def with_rules(self, study: Study, candidate: Candidate) -> Candidate:
        """The candidate with rules in the instructions of every leaf."""
        instructions = dict(candidate.instructions())
        for leaf in instructions:
            rules = await self._rules(study, leaf)
            if rules:
                instructions[leaf] += f"\n\nFollow these rules, which were read off solved examples:\n{rules}"
        return study.propose(candidate.with_instructions(instructions), "rules read off examples", candidate)

    async def _rules(self, study: Study, leaf: str) -> str:
        signature = study.leaves().by_name[leaf].signature
        examples = list(study.trainset)
        settings = self.teacher_settings
        while examples:
            try:
                answer = await study.ask(
                    f"rules for {leaf}",
                    ChainOfThought(InferRulesFromExamples),
                    lm=settings.get("lm"),
                    adapter=settings.get("adapter"),
                    temperature=1.0,
                    examples_text=_told(signature, examples),
                    number_of_rules=self.num_rules,
                )
            except AskFailed as error:
                if "ContextWindowExceeded" not in str(error):
                    study.log("%s", error)
                    return ""
                examples = examples[: len(examples) // 2]
                continue
            return str(answer.natural_language_rules).strip()
        return ""


def _told(signature: Any, examples: Sequence[Any]) -> str:
    """Examples as text: inputs and outputs of the signature, as far as they are there."""
    blocks: list[str] = []
    for number, example in enumerate(examples, 1):
        sides = (("Input", signature.input_fields), ("Output", signature.output_fields))
        known = [
            f"  {side} {name}: {example[name]}"
            for side, fields in sides
            for name in fields
            if name in example
        ]
        if not known:  # a leaf in the middle of a program is asked in names of its own
            known = [f"  {name}: {value}" for name, value in example.items()]
        blocks.append("\n".join([f"Example {number}", *known]))
    return "\n\n".join(blocks)
