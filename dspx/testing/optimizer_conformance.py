"""What every optimizer must do: subclass `OptimizerConformance` and give it an `optimizer` fixture, a factory.

class TestMyOptimizer(OptimizerConformance):
    @pytest.fixture
    def optimizer(self):
        return lambda **settings: MyOptimizer(metric=right, **settings)
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dspx.core.budget import Budget
from dspx.core.canonical import stable_hash
from dspx.core.example import Example
from dspx.core.module import Module
from dspx.core.settings import context
from dspx.errors import SearchDiverged, UsageError
from dspx.lm.request import Request
from dspx.modules.chain_of_thought import ChainOfThought
from dspx.modules.predict import Predict
from dspx.runtime.locks import Lock
from dspx.store.store import Store
from dspx.testing.model_lm import ModelLM
from dspx.testing.models.schema import Schematic
from dspx.testing.prompt.reading import Asking

LABELS = ("cards", "accounts", "loans")


def right(example: Any, prediction: Any, trace: Any = None) -> bool:
    """The metric of the suite: the label is the example's."""
    return bool(example.label == prediction.label)


def examples(n: int = 24, start: int = 0) -> list[Example]:
    """Data of the suite: a text, and one of three labels."""
    return [
        Example(text=f"customer message number {i}", label=LABELS[i % 3]).with_inputs("text")
        for i in range(start, start + n)
    ]


class Routing(Module):
    """The program of the suite: two leaves, of which the second thinks first."""

    def __init__(self) -> None:
        super().__init__()
        self.topic = Predict("text -> topic")
        self.route = ChainOfThought("text, topic -> label: Literal['cards', 'accounts', 'loans']")

    async def aforward(self, text: str) -> Any:
        topic = await self.topic.acall(text=text)
        return await self.route.acall(text=text, topic=topic.topic)


class Killed(BaseException):
    """The process dies: nothing catches it."""


class PromptedLM(ModelLM):
    """Answers by the prompt alone, more often right with demos than without; dies at call `dies_at`, if told to.

    `asked` counts each question that was answered.
    """

    def __init__(self, dies_at: int | None = None) -> None:
        super().__init__(_Prompted())
        self.calls = 0
        self.dies_at = dies_at
        self.asked: Counter[str] = Counter()
        self._lock = Lock()

    async def generate(self, request: Request) -> Any:
        with self._lock:
            self.calls += 1
            if self.dies_at is not None and self.calls >= self.dies_at:
                raise Killed
            self.asked[stable_hash([request.messages, request.rollout_id, request.params])] += 1
        return await super().generate(request)


class _Prompted(Schematic):
    def fill(self, asking: Asking) -> dict[str, Any]:
        seed = int(stable_hash([asking.inputs, str(asking.shown), asking.instructions])[:8], 16)
        known: dict[str, Any] = {
            name: f"{name} {seed % 1000}" for name, output in asking.outputs.items() if output.is_text
        }
        if "label" in asking.outputs:
            number = int(str(asking.inputs.get("text", "0")).split()[-1])
            good = seed % 100 < (75 if asking.shown else 40)
            known["label"] = LABELS[number % 3] if good else LABELS[(number + 1) % 3]
        return known


class OptimizerConformance:
    """The suite. `trainset`, `valset` and `options` may be overridden where an optimizer needs other ones."""

    options: dict[str, Any] = {}
    """What `compile` is given beside the trainset."""
    asks_an_lm: bool = True

    @pytest.fixture
    def optimizer(self) -> Callable[..., Any]:
        """A function that makes the optimizer, with `right` as its metric, small enough for a test."""
        raise UsageError("Give the suite an `optimizer` fixture: a function that makes an optimizer.")

    @pytest.fixture
    def data(self) -> dict[str, Any]:
        return {"trainset": examples(12), "valset": examples(12, start=50)}

    def compiled(self, make: Callable[..., Any], data: dict[str, Any], lm: Any = None, **kwargs: Any) -> Any:
        with context(lm=lm or PromptedLM(), num_threads=kwargs.pop("workers", 2)):
            return make().compile(Routing(), **{**data, **self.options, **kwargs})

    # ------------------------------------------------------------ what it gives

    def test_the_student_is_untouched_and_the_result_is_a_program(
        self, optimizer: Callable[..., Any], data: dict[str, Any]
    ) -> None:
        student = Routing()
        before = student.dump_state()
        with context(lm=PromptedLM(), num_threads=2):
            compiled = optimizer().compile(student, **data, **self.options)
            assert compiled is not student
            assert compiled(text="customer message number 7").label in LABELS
        assert student.dump_state() == before
        assert not student._compiled
        assert compiled.report.spent.lm_calls >= (1 if self.asks_an_lm else 0)

    def test_async_code_gets_what_sync_code_gets(
        self, optimizer: Callable[..., Any], data: dict[str, Any]
    ) -> None:
        sync = self.compiled(optimizer, data)

        async def main() -> Any:
            with context(lm=PromptedLM(), num_threads=2):
                return await optimizer().acompile(Routing(), **data, **self.options)

        assert asyncio.run(main()).candidate() == sync.candidate()

    def test_more_threads_find_the_same(self, optimizer: Callable[..., Any], data: dict[str, Any]) -> None:
        alone = self.compiled(optimizer, data, workers=1)
        assert self.compiled(optimizer, data, workers=8).candidate() == alone.candidate()

    def test_the_result_is_never_measured_worse_than_the_student(
        self, optimizer: Callable[..., Any], data: dict[str, Any]
    ) -> None:
        report = self.compiled(optimizer, data, selection="honest").report
        assert report.overall is None or report.overall >= 0 or report.winner == Routing().candidate()

    def test_saving_and_loading_keeps_it(
        self, optimizer: Callable[..., Any], data: dict[str, Any], tmp_path: Path
    ) -> None:
        compiled = self.compiled(optimizer, data)
        compiled.save(tmp_path / "program.json")
        again = Routing()
        again.load(tmp_path / "program.json")
        assert again.candidate() == compiled.candidate()

    # ------------------------------------------------------------ resume

    def test_killed_anywhere_and_started_again_it_ends_the_same_and_asks_nothing_twice(
        self, optimizer: Callable[..., Any], data: dict[str, Any], tmp_path: Path
    ) -> None:
        whole = PromptedLM()
        expected = self.compiled(optimizer, data, whole, workers=1)
        for place, share in enumerate((0.1, 0.35, 0.6, 0.85, 1.0)):
            dies_at = max(1, int(whole.calls * share))
            if dies_at > whole.calls:
                continue
            url = f"sqlite:///{tmp_path}/{place}.db"
            first, second = PromptedLM(dies_at), PromptedLM()
            if self.asks_an_lm:
                with pytest.raises(Killed), Store(url) as store:
                    self.compiled(optimizer, data, first, store=store, run_id="qa", workers=1)
            with Store(url) as store:
                resumed = self.compiled(optimizer, data, second, store=store, run_id="qa", workers=1)
            assert resumed.candidate() == expected.candidate()
            # What a rollout had asked before it was killed half way is asked again; nothing else is.
            in_flight = len(Routing().predictors())
            assert sum(first.asked.values()) + sum(second.asked.values()) <= whole.calls + in_flight

    def test_a_finished_run_replays_without_a_call(
        self, optimizer: Callable[..., Any], data: dict[str, Any], tmp_path: Path
    ) -> None:
        url = f"sqlite:///{tmp_path}/dspx.db"
        with Store(url) as store:
            first = self.compiled(optimizer, data, store=store, run_id="qa", workers=4)
        again = PromptedLM(dies_at=1)
        with Store(url) as store:
            second = self.compiled(optimizer, data, again, store=store, run_id="qa", workers=4)
        assert again.calls == 0
        assert second.candidate() == first.candidate()
        assert second.report.rollouts == 0
        assert second.report.gain == first.report.gain

    def test_the_last_check_is_replayed_too(self, optimizer: Callable[..., Any], tmp_path: Path) -> None:
        data = {"trainset": examples(64)}  # enough to keep some apart
        url = f"sqlite:///{tmp_path}/dspx.db"
        with Store(url) as store:
            first = self.compiled(optimizer, data, store=store, run_id="qa", workers=4)
        again = PromptedLM(dies_at=1)
        with Store(url) as store:
            second = self.compiled(optimizer, data, again, store=store, run_id="qa", workers=4)
        assert second.report.gain == first.report.gain

    def test_other_data_or_another_metric_is_another_search(
        self, optimizer: Callable[..., Any], data: dict[str, Any]
    ) -> None:
        with Store("memory://") as store:
            self.compiled(optimizer, data, store=store, run_id="qa")
            other = {**data, "trainset": examples(12, start=200)}
            with pytest.raises(SearchDiverged, match="trainset"):
                self.compiled(optimizer, other, store=store, run_id="qa")
            with pytest.raises(SearchDiverged, match="seed"):
                self.compiled(optimizer, data, store=store, run_id="qa", seed=77)

    # ------------------------------------------------------------ budgets

    @pytest.mark.parametrize("limit", [0, 1, 7, 25])
    def test_a_budget_is_kept_and_the_best_so_far_comes_back(
        self, optimizer: Callable[..., Any], data: dict[str, Any], limit: int
    ) -> None:
        lm = PromptedLM()
        compiled = self.compiled(optimizer, data, lm, budget=Budget(lm_calls=limit), workers=4)
        assert lm.calls <= limit
        assert compiled.report.spent.lm_calls == lm.calls
        assert compiled.predictors()

    # ------------------------------------------------------------ estimates

    def test_the_estimate_contains_what_it_takes(
        self, optimizer: Callable[..., Any], data: dict[str, Any]
    ) -> None:
        lm = PromptedLM()
        made = optimizer()
        with context(lm=lm, num_threads=2):
            told = made.estimate(Routing(), **data, **self.options)
            compiled = made.compile(Routing(), **data, **self.options)
        assert told.rollouts[0] <= compiled.report.rollouts <= told.rollouts[1]
        assert lm.calls <= told.lm_calls[1]
