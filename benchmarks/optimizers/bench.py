"""One compilation as its optimizer sees it: the library, the student, the data, the metric, and what may be spent."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from threading import Lock
from typing import Any

from dspx.testing.prompt.reading import text_of
from dspx.testing.simulated import SimulatedTask


@dataclass
class Meter:
    """What the simulated LM and the metric saw. `calls`: different requests, as both libraries' caches are on by default.

    `tokens`: of those requests and their answers, four characters to a token.
    """

    asked: int = 0
    tokens: int = 0
    seconds: float = 0.0
    rollouts: int = 0

    def __post_init__(self) -> None:
        self.keys: set[bytes] = set()
        self.lock = Lock()

    @property
    def calls(self) -> int:
        return len(self.keys)

    def add(self, key: bytes, messages: Any, texts: list[str], seconds: float) -> None:
        """A request was answered."""
        with self.lock:
            self.asked += 1
            self.seconds += seconds
            if key not in self.keys:
                self.keys.add(key)
                self.tokens += sum(map(_tokens, [*map(text_of, messages), *texts]))

    def __deepcopy__(self, memo: dict[int, Any]) -> Meter:
        return self


class Bench:
    """`bench.api` is the library; `bench.limits` what dspx's `compile` gets besides DSPy's arguments."""

    def __init__(self, side: str, task: SimulatedTask, limits: dict[str, Any], seed: int) -> None:
        self.side = side
        self.task = task
        self.seed = seed
        self.meter = Meter()
        self.api = importlib.import_module(side)
        self.lm = _LMS[side](task, self.meter)
        self._limits = limits

    @property
    def limits(self) -> dict[str, Any]:
        """What dspx's `compile` gets besides DSPy's arguments; nothing for DSPy's."""
        if "budget" not in self._limits:
            return self._limits
        return {**self._limits, "budget": self.optimizer("Budget")(**self._limits["budget"])}

    def optimizer(self, name: str) -> Any:
        """The optimizer's class; `NotYet` where this library has none of that name."""
        found = getattr(self.api, name, None)
        if found is None:
            raise NotYet(f"{self.side} has no {name} yet")
        return found

    @cached_property
    def student(self) -> Any:
        return self.api.ChainOfThought(self.task.signature)

    @cached_property
    def train(self) -> list[Any]:
        return self.task.examples("train", self.api.Example)

    @cached_property
    def val(self) -> list[Any]:
        return self.task.examples("val", self.api.Example)

    @property
    def metric(self) -> Callable[..., float]:
        """Right or wrong; rollouts are counted here."""

        def metric(example: Any, prediction: Any, trace: Any = None) -> float:
            self.meter.rollouts += 1
            return self.task.metric(example, prediction)

        return metric

    @property
    def feedback_metric(self) -> Callable[..., Any]:
        """The metric with words, which GEPA calls once more for each predictor it reflects on."""
        inner = self.task.feedback_metric(self.api.Prediction)

        def metric(
            gold: Any, pred: Any, trace: Any = None, pred_name: Any = None, pred_trace: Any = None
        ) -> Any:
            self.meter.rollouts += pred_name is None
            return inner(gold, pred, trace, pred_name, pred_trace)

        return metric

    def measure(self, compile: Callable[[Bench], Any]) -> dict[str, Any]:
        """Run it; what it cost and what it truly gained."""
        _ = self.student, self.train, self.val
        with self.api.context(lm=self.lm):
            before = self.true_score(self.student)
            began = time.process_time()
            program = compile(self)
            cpu = time.process_time() - began
            meter = self.meter
            spent = {
                "lm_calls": meter.calls,
                "tokens": meter.tokens,
                "asked": meter.asked,
                "rollouts": meter.rollouts,
                "cpu": cpu,
                "lm_cpu": meter.seconds,
            }
            after = self.true_score(program)
        return {**spent, "before": before, "true_score": after, "gain": reported_gain(self, program)}

    def true_score(self, program: Any) -> float:
        return self.task.true_score(program, lm=self.lm)


class NotYet(LookupError):
    """The library has no such optimizer."""


# ---------------------------------------------------------------- what is reported


def reported_gain(bench: Bench, program: Any) -> dict[str, Any] | None:
    """What the library itself says it gained: the difference (0 to 1), and an interval for it."""
    if bench.side == "dspx":
        return _dspx_gain(program)
    return _dspy_gain(program, len(bench.val))


def _dspx_gain(program: Any) -> dict[str, Any] | None:
    report = getattr(program, "report", None)
    if report is None or report.gain is None:
        return None
    low, high = report.gain.ci95 or (None, None)
    return {"points": report.gain.points, "low": low, "high": high}


def _dspy_gain(program: Any, n: int) -> dict[str, Any] | None:
    """Best score minus the score of the program given, with the plain 95 % interval for two shares.

    DSPy reports no interval: this is what a reader would put around the two scores that it does report.
    """
    scores = _dspy_scores(program)
    if scores is None:
        return None
    before, after, n = scores if len(scores) == 3 else (*scores, n)
    error = (before * (1 - before) / n + after * (1 - after) / n) ** 0.5
    gain = after - before
    return {"points": 100 * gain, "low": 100 * (gain - 1.96 * error), "high": 100 * (gain + 1.96 * error)}


def _dspy_scores(program: Any) -> Any:
    """The scores before and after (0 to 1), as the compiled program carries them."""
    details = getattr(program, "detailed_results", None)
    if details is not None:
        return details.val_aggregate_scores[0], max(details.val_aggregate_scores)
    logs = getattr(program, "trial_logs", None)
    if isinstance(logs, dict) and 1 in logs and "full_eval_score" in logs[1]:  # MIPROv2
        return logs[1]["full_eval_score"] / 100, program.score / 100
    candidates = getattr(program, "candidate_programs", None)
    if not candidates:
        return None
    if "seed" in candidates[0]:  # BootstrapRS: -3 is the program as given
        given = next(each["score"] for each in candidates if each["seed"] == -3)
        return given / 100, max(each["score"] for each in candidates) / 100
    return None


# ---------------------------------------------------------------- the LMs


def _dspy_lm(task: SimulatedTask, meter: Meter) -> Any:
    import dspy

    class Simulated(dspy.BaseLM):
        """The same model as `dspx.testing.SimulatedLM`, for DSPy."""

        def __init__(self, **kwargs: Any) -> None:
            super().__init__("simulated", **kwargs)

        def __deepcopy__(self, memo: dict[int, Any]) -> Any:
            return self.copy()

        def copy(self, **kwargs: Any) -> Any:
            # DSPy's own copies history too; here all copies are light.
            made = Simulated(**{**self.kwargs, **kwargs})
            made.callbacks = self.callbacks
            return made

        def forward(self, prompt: Any = None, messages: Any = None, **kwargs: Any) -> Any:
            asked = messages or [{"role": "user", "content": prompt}]
            texts = _answered(task, meter, asked, {**self.kwargs, **kwargs})
            choices = [
                {"index": at, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
                for at, text in enumerate(texts)
            ]
            return {"model": "simulated", "choices": choices, "usage": {}}

    return Simulated()


def _dspx_lm(task: SimulatedTask, meter: Meter) -> Any:
    from dataclasses import replace

    from dspx.lm.response import Output, Response
    from dspx.testing import ModelLM

    class Simulated(ModelLM):
        """`dspx.testing.SimulatedLM`, with our meter."""

        async def generate(self, request: Any) -> Response:
            known = meter.calls
            texts = _answered(
                task, meter, request.messages, {**request.params, "rollout_id": request.rollout_id}
            )
            response = Response("simulated", tuple(Output(text, finish_reason="stop") for text in texts))
            return response if meter.calls > known else replace(response, cache_hit=True)

    return Simulated("schema")


def _answered(task: SimulatedTask, meter: Meter, messages: Any, settings: dict[str, Any]) -> list[str]:
    from dspx.testing.simulated.draws import is_deciding

    began = time.thread_time()
    texts = [task.core.answer(messages, settings, index) for index in range(int(settings.get("n") or 1))]
    if not is_deciding():
        meter.add(task.core.key(messages, settings), messages, texts, time.thread_time() - began)
    return texts


def _tokens(text: str) -> int:
    return (len(text) + 3) // 4


_LMS = {"dspx": _dspx_lm, "dspy": _dspy_lm}
