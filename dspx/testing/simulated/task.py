"""The simulated task: messages of customers, each to be sent to one team. Examples, metrics, and the truth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from importlib import import_module
from random import Random
from typing import TYPE_CHECKING, Any, Literal

from dspx.errors import UsageError
from dspx.testing.simulated.core import Core
from dspx.testing.simulated.messages import TEAMS, TOPICS, Item, make_items
from dspx.testing.simulated.rules import make_rules
from dspx.testing.simulated.scoring import expected

if TYPE_CHECKING:
    from dspx.core.example import Example

Split = Literal["train", "val", "test"]


class SimulatedTask:
    """A task for optimizers, with a model (`SimulatedLM(task)`) whose every answer has a known chance to be right.

    seed: draws the messages, how difficult each is, and how much each rule does.
    train, val, test: how many examples.
    effect: how much demos and rules matter. 0 is the A/A task: all candidates are equally good.
    ease: makes all messages easier, in logits (`effect=0, ease=1.6` scores about one half).
    spread: the standard deviation of the messages' difficulty, in logits.

    `signature` is `"message -> team"`. `metric` gives 1 or 0. A fresh `ChainOfThought` scores about .24,
    with 16 labelled demos .58; the best there is, about .88.
    """

    signature = "message -> team"

    def __init__(
        self,
        seed: int = 0,
        *,
        train: int = 80,
        val: int = 80,
        test: int = 240,
        effect: float = 1.0,
        ease: float = 0.0,
        spread: float = 1.2,
    ) -> None:
        rng = Random(f"simulated task {seed}")
        self.seed = seed
        self.effect = effect
        self.rules = make_rules(rng)
        items = make_items(rng, train + val + test, spread)
        self.items: dict[Split, tuple[Item, ...]] = {
            "train": tuple(items[:train]),
            "val": tuple(items[train : train + val]),
            "test": tuple(items[train + val :]),
        }
        self.core = Core(seed, items, self.rules, effect, ease)

    # ------------------------------------------------------------ examples and metrics

    @cached_property
    def train(self) -> list[Example]:
        return self.examples("train")

    @cached_property
    def val(self) -> list[Example]:
        return self.examples("val")

    @cached_property
    def test(self) -> list[Example]:
        return self.examples("test")

    def examples(self, split: Split, example: Any = None) -> list[Any]:
        """The examples of a split, as dspx's or as those of the class given."""
        if example is None:
            from dspx.core.example import Example as example
        return [
            example(message=item.text, team=item.team).with_inputs("message") for item in self.items[split]
        ]

    @staticmethod
    def metric(example: Any, prediction: Any, trace: Any = None) -> float:
        """1 for the right team, else 0."""
        return float(str(prediction.team).strip().lower() == example.team)

    def feedback_metric(self, result: Any = None) -> Callable[..., Any]:
        """The metric with words, as GEPA wants it: a `result(score=…, feedback=…)`, by default dspx's Prediction."""
        if result is None:
            from dspx.core.prediction import Prediction as result
        cues = {item.text: TOPICS[item.topic].cue for split in self.items.values() for item in split}

        def metric(
            gold: Any, pred: Any, trace: Any = None, pred_name: Any = None, pred_trace: Any = None
        ) -> Any:
            score = self.metric(gold, pred)
            if score:
                return result(score=score, feedback=f"Right: {gold.team}.")
            return result(
                score=score,
                feedback=f"Wrong: {pred.team}. It is about {cues[gold.message]}, and that should go to {gold.team}.",
            )

        return metric

    # ------------------------------------------------------------ the truth

    def true_score(self, program: Any, split: Split | Sequence[Any] = "test", *, lm: Any = None) -> float:
        """The expected score of a program, exactly: no draws, no calls counted.

        `lm` is the model to run it with, by default a `SimulatedLM` of this task. Another library's program needs no
        `lm` if its own settings hold one that asks this task's `core`.
        """
        given = split if not isinstance(split, str) else None
        examples = given if given is not None else self.examples(split, _example_class(program))  # type: ignore[arg-type]
        if not examples:
            raise UsageError("A score of no examples: make the task with examples in this split.")
        with _asking(program, lm, self):
            return sum(expected(_run(program, example, self.metric)) for example in examples) / len(examples)

    def ceiling(self, split: Split = "test") -> float:
        """About the best score there is: all good rules, no bad ones, and 16 sound demos near each question."""
        from dspx.testing.simulated.truth import SOUND, Circumstances, Demo, chance

        good = tuple(place for place, rule in enumerate(self.rules) if rule.kind == "good")
        shown = [Demo(item, item.teaches * SOUND, 1) for item in self.items["train"]]
        best = sorted(shown, key=lambda demo: -demo.weight)
        demos = [demo for topic in range(len(TOPICS)) for demo in _of_topic(best, topic)[:1]]
        demos += [demo for demo in best if demo not in demos][: 16 - len(demos)]
        answering = self.core.answering
        said = Circumstances(_covering(good, self), tuple(demos), reasons=True)
        items = self.items[split]
        chances = [chance(item, said, self.rules, self.effect, answering.ease) for item in items]
        return sum(chances) / len(items)

    @property
    def teams(self) -> tuple[str, ...]:
        return TEAMS


def _of_topic(demos: Sequence[Any], topic: int) -> list[Any]:
    return [demo for demo in demos if demo.item.topic == topic]


def _covering(good: Sequence[int], task: SimulatedTask) -> tuple[int, ...]:
    from dspx.testing.simulated.truth import ROOM

    return tuple(sorted(good, key=lambda place: -task.rules[place].strength)[:ROOM])


def _run(program: Any, example: Any, metric: Callable[..., float]) -> Callable[[], float]:
    return lambda: metric(example, program(**example.inputs()))


def _example_class(program: Any) -> Any:
    """The class of examples of the program's own library."""
    for cls in type(program).__mro__:
        library = cls.__module__.partition(".")[0]
        if library in ("dspx", "dspy"):
            return import_module(library).Example
    return None


def _asking(program: Any, lm: Any, task: SimulatedTask) -> Any:
    """The library's settings with the model to ask."""
    own = [cls.__module__.partition(".")[0] for cls in type(program).__mro__]
    if "dspy" in own:
        import contextlib

        return import_module("dspy").context(lm=lm) if lm is not None else contextlib.nullcontext()
    from dspx.core.settings import context
    from dspx.testing.simulated.lm import SimulatedLM

    return context(lm=lm if lm is not None else SimulatedLM(task))
