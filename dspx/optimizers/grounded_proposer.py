"""Propose instructions from what is known: the data, the program, solved examples, a tip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any

from dspx.core.fields import InputField, OutputField
from dspx.core.signature import Signature
from dspx.modules.predict import Predict
from dspx.optimizers.parts.describe import demos_text, examples_text, leaf_definition, program_source
from dspx.optimizers.study import AskFailed

if TYPE_CHECKING:
    from dspx.optimizers.study import Study

TIPS: dict[str, str] = {
    "none": "",
    "creative": "Be inventive: a fresh way to put the task may work better than the usual one.",
    "simple": "Be short and plain: one clear sentence may be enough.",
    "description": "Be thorough: say what a good answer contains, and how it is arrived at.",
    "high_stakes": "Put it as a situation in which a lot depends on the right answer.",
    "persona": "Give the model a role in which an expert would do exactly this task.",
}

_MOST_BATCHES = 10
_ENOUGH_COMPLETE = 5
_SHOWN_DEMOS = 3


class ObserveData(Signature):
    """You are shown a sample of a data set that a program of language model calls is to work on. Write down what you see that
    somebody who writes instructions for the task should know: the subject, the form of inputs and answers, how they
    depend on each other, what is hard or easily confused. If earlier observations are given, add only what they lack; if
    nothing is lacking, answer COMPLETE."""

    examples: str = InputField(desc="the sample")
    prior_observations: str = InputField(desc="what was observed on earlier samples; may be empty")
    observations: str = OutputField(desc="what you observe, or COMPLETE")


class SummarizeObservations(Signature):
    """Condense observations about a data set to two or three sentences that keep what matters most for somebody who writes
    instructions for the task."""

    observations: str = InputField()
    summary: str = OutputField(desc="two or three sentences")


class DescribeProgram(Signature):
    """Here is the code of a program that calls language models, with solved examples. Say in a few sentences which task it
    solves, and by which steps."""

    program_code: str = InputField()
    program_example: str = InputField(desc="solved examples; may be empty")
    program_description: str = OutputField(desc="the task, and how the program goes about it")


class DescribeModule(Signature):
    """Here is a program that calls language models, and one of its modules. Say in one or two sentences what this module
    contributes to the whole."""

    program_code: str = InputField()
    program_description: str = InputField()
    module: str = InputField(desc="the module in question")
    module_description: str = OutputField(desc="its part in the program")


class ProposeGroundedInstruction(Signature):
    """Write an instruction for one module of a program that calls language models. Use what is known below, as far as it is
    given: a summary of the data, what the program and the module do, solved examples, the instruction in use. The
    instruction must tell a model that sees nothing else how to do the task well. Follow the tip, if there is one."""

    dataset_description: str = InputField(desc="may be empty")
    program_code: str = InputField(desc="may be empty")
    program_description: str = InputField(desc="may be empty")
    module: str = InputField(desc="the module to write for: its inputs and outputs")
    module_description: str = InputField(desc="may be empty")
    task_demos: str = InputField(desc="solved examples; may be empty")
    basic_instruction: str = InputField(desc="the instruction in use")
    tip: str = InputField(desc="may be empty")
    proposed_instruction: str = OutputField(desc="the instruction, and nothing else")


@dataclass(frozen=True, slots=True)
class GroundedProposer:
    """`await proposer(study, examples, demo_sets, n)`: `n` instructions for each leaf, the one in use first.

    data_aware, program_aware, fewshot_aware, tip_aware: what proposals are made from.
    batch: how many examples are looked at in one go. temperature: of proposals.
    """

    prompt_model: Any = None
    data_aware: bool = True
    program_aware: bool = True
    fewshot_aware: bool = True
    tip_aware: bool = True
    batch: int = 10
    temperature: float = 1.0

    async def __call__(
        self, study: Study, examples: Sequence[Any], demo_sets: Sequence[dict[str, Sequence[Any]]], n: int
    ) -> dict[str, list[str]]:
        summary = await self.summary(study, examples) if self.data_aware else ""
        known = await self._program(study, demo_sets)
        proposals: dict[str, list[str]] = {}
        for leaf, basic in study.baseline.instructions().items():
            about = await self._module(study, leaf, known)
            work = [
                lambda number=number, leaf=leaf, about=about: self._propose(
                    study, leaf, number, summary, known, about, demo_sets
                )
                for number in range(1, n)
            ]
            found = await study.ask_all(work, "instruction")
            proposals[leaf] = [basic, *(text for text in found if text)]
        return proposals

    async def summary(self, study: Study, examples: Sequence[Any]) -> str:
        """What the data is like, from up to ten batches, or fewer when nothing new is seen."""
        observations: list[str] = []
        complete = 0
        for start in range(0, min(len(examples), _MOST_BATCHES * self.batch), self.batch):
            text = await self._ask(
                study,
                "observe the data",
                ObserveData,
                "observations",
                examples=examples_text(examples[start : start + self.batch]),
                prior_observations="\n".join(observations),
            )
            if "COMPLETE" in text.upper()[:20] or not text:
                complete += 1
                if complete >= _ENOUGH_COMPLETE:
                    break
                continue
            observations.append(text)
        if not observations:
            return ""
        return await self._ask(
            study,
            "summarize the data",
            SummarizeObservations,
            "summary",
            observations="\n".join(observations),
        )

    async def _program(self, study: Study, demo_sets: Sequence[dict[str, Sequence[Any]]]) -> tuple[str, str]:
        """The program's code, and what it does."""
        if not self.program_aware:
            return "", ""
        code = program_source(study.student.program)
        shown = [
            demos_text(demos[:1], study.leaves().by_name[leaf].signature)
            for leaf, demos in _fullest(demo_sets)
        ]
        text = await self._ask(
            study,
            "describe the program",
            DescribeProgram,
            "program_description",
            program_code=code,
            program_example="\n\n".join(shown) if self.fewshot_aware else "",
        )
        return code, text

    async def _module(self, study: Study, leaf: str, known: tuple[str, str]) -> str:
        if not self.program_aware:
            return ""
        return await self._ask(
            study,
            f"describe {leaf}",
            DescribeModule,
            "module_description",
            program_code=known[0],
            program_description=known[1],
            module=leaf_definition(leaf, study.leaves().by_name[leaf]),
        )

    async def _propose(
        self,
        study: Study,
        leaf: str,
        number: int,
        summary: str,
        known: tuple[str, str],
        about: str,
        demo_sets: Sequence[dict[str, Sequence[Any]]],
    ) -> str:
        predictor = study.leaves().by_name[leaf]
        tip = study.rng.choice(list(TIPS.values())) if self.tip_aware else ""
        demos = _some_demos(demo_sets, leaf, number, study.rng) if self.fewshot_aware else []
        return await self._ask(
            study,
            f"instruction for {leaf}",
            ProposeGroundedInstruction,
            "proposed_instruction",
            raises=True,
            dataset_description=summary,
            program_code=known[0],
            program_description=known[1],
            module=leaf_definition(leaf, predictor),
            module_description=about,
            task_demos=demos_text(demos, predictor.signature),
            basic_instruction=study.baseline.instructions()[leaf],
            tip=tip,
        )

    async def _ask(
        self, study: Study, label: str, signature: Any, output: str, *, raises: bool = False, **inputs: Any
    ) -> str:
        """The text of one output; empty where the question was not answered, which a proposal can do without."""
        try:
            answer = await study.ask(
                label, Predict(signature), lm=self.prompt_model, temperature=self.temperature, **inputs
            )
        except AskFailed as error:
            if raises:
                raise
            study.log("%s", error)
            return ""
        return str(answer[output]).strip().strip('"').strip()


def _fullest(demo_sets: Sequence[dict[str, Sequence[Any]]]) -> list[tuple[str, Sequence[Any]]]:
    """The demo set that shows most."""
    if not demo_sets:
        return []
    return list(max(demo_sets, key=lambda demos: sum(len(shown) for shown in demos.values())).items())


def _some_demos(
    demo_sets: Sequence[dict[str, Sequence[Any]]], leaf: str, number: int, rng: Random
) -> list[Any]:
    """Up to three solved examples: from the demo set of this number, and those beside it."""
    found: list[Any] = []
    for step in range(len(demo_sets)):
        shown = demo_sets[(number + step) % len(demo_sets)].get(leaf, ())
        found += [demo for demo in shown if "augmented" in demo and demo not in found]
        if len(found) >= _SHOWN_DEMOS:
            break
    return rng.sample(found, min(_SHOWN_DEMOS, len(found)))
