"""Run one rollout: the program on an example's inputs, then the metric on what it said."""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping, Sequence
from typing import Any

from dspx.core.budget import Ledger, ledger, purpose
from dspx.core.calls import entrance, entrance_to
from dspx.core.candidate import Bindings, bound
from dspx.core.example import arguments_of
from dspx.core.prediction import Prediction
from dspx.core.settings import context, snapshot
from dspx.errors import BudgetExhausted, LMError, LMInvalidRequestError
from dspx.evaluate.rollouts import number_of
from dspx.modules.rollout import another_rollout
from dspx.optimizers.parts.plain import plain_values, typed_values
from dspx.optimizers.rollout import Failure, Rollout, Step, Subject, Wanted


class Metric:
    """A user's metric, and whether it can be told the trace."""

    def __init__(self, metric: Any) -> None:
        self.metric = metric
        self.takes = _most_arguments(metric)
        self._ask = entrance_to(metric)

    async def score(self, example: Any, prediction: Any, trace: Any = None) -> Any:
        """What the metric returns: a number, a bool, or something with a `score`."""
        arguments = (example, prediction) if trace is None or self.takes < 3 else (example, prediction, trace)
        with purpose.using("judge"):
            if snapshot()["trace"] is None:
                return await self._ask(*arguments)
            with context(trace=None):
                return await self._ask(*arguments)


class Leaves:
    """The names of a program's leaves, also of those that stand in for them, and the types of its outputs."""

    def __init__(self, program: Any, space: Any = None) -> None:
        self._names = {id(leaf): name for name, leaf in program.named_predictors()}
        self._space = space
        self.by_name: dict[str, Any] = dict(program.named_predictors())
        self._outputs = _Fields({})
        for leaf in self.by_name.values():
            self._outputs.fields.update(leaf.signature.output_fields)

    def name_of(self, leaf: Any) -> str | None:
        name = self._names.get(id(leaf))
        return name if name is not None or self._space is None else self._space.leaf_name(leaf)

    def prediction(self, values: Mapping[str, Any]) -> Prediction:
        """What the program said, from plain values, in the types that its leaves give."""
        return Prediction(typed_values(self._outputs, values))

    def steps(self, trace: Sequence[Any]) -> tuple[Step, ...]:
        """A trace as steps; what is not one of the program's leaves is left out."""
        named = [(self.name_of(leaf), leaf, inputs, outputs) for leaf, inputs, outputs in trace]
        return tuple(
            self.step(name, plain_values(inputs), plain_values(dict(outputs.items())), leaf.signature)
            for name, leaf, inputs, outputs in named
            if name is not None
        )

    def step(
        self, name: str, inputs: Mapping[str, Any], outputs: Mapping[str, Any], signature: Any = None
    ) -> Step:
        """A step from plain values, in the types of its leaf's signature."""
        if signature is None:
            signature = self.by_name[name].signature if name in self.by_name else None
        return Step(name, typed_values(signature, inputs), typed_values(signature, outputs))

    def trace(self, steps: Sequence[Step]) -> list[tuple[Any, dict[str, Any], Prediction]]:
        """Steps as the trace that a metric knows: (leaf, inputs, prediction)."""
        return [
            (self.by_name[step.leaf], dict(step.inputs), Prediction(dict(step.outputs)))
            for step in steps
            if step.leaf in self.by_name
        ]


class _Fields:
    def __init__(self, fields: dict[str, Any]) -> None:
        self.fields = fields


async def perform(
    wanted: Wanted,
    key: str,
    subject: Subject,
    bindings: Bindings,
    metric: Metric,
    leaves: Leaves,
    *,
    tell_trace: bool,
    keep_steps: bool,
) -> Rollout:
    """The rollout. `BudgetExhausted` where a call did not fit, even if the program went on without its answer."""
    trace: list[Any] | None = [] if tell_trace or keep_steps else None
    prediction: Any = None
    score: Any = None
    failure: Failure | None = None
    stage = "program"
    spent = Ledger(parent=ledger.get())
    with ledger.using(spent):
        try:
            prediction = await _run(wanted, subject, bindings, trace)
            stage = "metric"
            score = await metric.score(wanted.example, prediction, trace if tell_trace else None)
            value = _finite(score)
        except BudgetExhausted:
            raise
        except Exception as error:  # noqa: BLE001  the program and the metric are the user's
            failure, value = _failure(error, stage), None
    _check_budget(spent)
    said = plain_values(dict(prediction.items())) if isinstance(prediction, Prediction) else {}
    if prediction is not None and not isinstance(prediction, Prediction):
        said = plain_values({"output": prediction})
    return Rollout(
        candidate=wanted.candidate,
        example=wanted.example,
        key=key,
        repeat=wanted.repeat,
        score=value,
        prediction=leaves.prediction(said),
        steps=leaves.steps(trace or ()) if keep_steps else None,
        metadata=_metadata(score),
        failure=failure,
        spent=spent.total,
    )


async def _run(wanted: Wanted, subject: Subject, bindings: Bindings, trace: list[Any] | None) -> Any:
    around = bound.get()
    values: Bindings = {**around, **bindings} if around else bindings
    with bound.using(values):
        if not subject.settings and trace is snapshot()["trace"]:
            return await _asked(wanted, subject.program)
        with context(**{**subject.settings, "trace": trace}):
            return await _asked(wanted, subject.program)


async def _asked(wanted: Wanted, program: Any) -> Any:
    inputs = arguments_of(wanted.example)
    if wanted.repeat == 0 and wanted.temperature is None:
        return await entrance(program)(**inputs)
    with bound.using(another_rollout(program, wanted.repeat, wanted.temperature)):
        return await entrance(program)(**inputs)


def _finite(score: Any) -> float:
    value = number_of(score)
    if math.isinf(value):
        raise ValueError(f"The metric returned {value}, which has no place on a scale.")
    return value


def _failure(error: Exception, stage: str) -> Failure:
    by_endpoint = isinstance(error, LMError) and not isinstance(error, LMInvalidRequestError)
    return Failure(type(error).__name__, str(error)[:2000], stage, by_endpoint)


def _check_budget(spent: Ledger) -> None:
    if spent.exhausted is not None:
        raise BudgetExhausted(
            "The budget was spent in the middle of a rollout, which therefore does not count.",
            limit=spent.exhausted,
        )


def _metadata(score: Any) -> dict[str, Any]:
    """What a metric said beside the number."""
    if score is None or isinstance(score, (bool, int, float)):
        return {}
    values = (
        score.items()
        if hasattr(score, "items")
        else vars(score).items()
        if hasattr(score, "__dict__")
        else ()
    )
    return plain_values(
        {name: value for name, value in values if name != "score" and not name.startswith("_")}
    )


def _most_arguments(metric: Any) -> int:
    """How many positional arguments a metric takes; many where nobody can tell."""
    target = metric
    if not inspect.isroutine(metric) and not isinstance(metric, type):
        target = getattr(metric, "forward", None) or metric.__call__
    try:
        parameters = inspect.signature(target).parameters.values()
    except (TypeError, ValueError):
        return 9
    if any(parameter.kind is inspect.Parameter.VAR_POSITIONAL for parameter in parameters):
        return 9
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(parameter.kind in positional for parameter in parameters)
