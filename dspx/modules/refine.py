"""Ask up to N times, and between attempts tell each predictor what to do better."""

from __future__ import annotations

import inspect
import logging
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from dspx.core.calls import entrance
from dspx.core.candidate import LeafValues, bound
from dspx.core.fields import InputField, OutputField
from dspx.core.settings import snapshot
from dspx.core.signature import Signature
from dspx.modules.attempts import Attempt, Attempts
from dspx.modules.predict import Predict
from dspx.modules.rollout import another_rollout

logger = logging.getLogger("dspx.modules")

_HINT = "hint_"
_NO_ADVICE = "N/A"


class OfferFeedback(Signature):
    """A program of several modules earned a reward that is too low. Find out which modules are responsible,
    and tell each of them what to do the next time it gets inputs like these.
    A module sees nothing of this run, only your advice: be concrete, and name the situation and the remedy.
    For a module that did its part well, the advice is N/A."""

    program_code: str = InputField(desc="The program's source")
    modules_defn: str = InputField(desc="What each module takes, gives and is told to do")
    program_inputs: str = InputField(desc="What the program was asked")
    program_trajectory: str = InputField(desc="What each module got and answered, step by step")
    program_outputs: str = InputField(desc="What the program answered")
    reward_code: str = InputField(desc="The source of the function that gives the reward")
    target_threshold: float = InputField(desc="The reward that is enough")
    reward_value: float = InputField(desc="The reward that this run earned")
    module_names: list[str] = InputField(desc="The modules that may get advice")
    discussion: str = OutputField(desc="Which module went wrong, where, and why")
    advice: dict[str, str] = OutputField(
        desc="By module name: in which situation it went wrong and how, then what to do there instead; "
        "N/A where there is nothing to do better"
    )


class Refine(Attempts):
    """`Refine(module, N, reward_fn, threshold)`: as `BestOfN`, learning from each attempt that falls short.

    After such an attempt an LM reads the program, its steps and the reward, and advises each predictor;
    the next attempt shows each predictor its advice as one more input, `hint_`. The module itself is
    not changed, and the hints are not in the trace. Should the advice fail, the earlier hints, if any, stay.
    """

    async def values_for(
        self,
        number: int,
        last: Attempt | None,
        before: Mapping[int, LeafValues],
        kwargs: dict[str, Any],
    ) -> Mapping[int, LeafValues]:
        advice = await self._advice(last, kwargs) if last is not None else None
        outer = bound.get() or {}
        adapters: dict[str, Any] = {}
        for name, leaf in self.module.named_predictors():
            if advice is None:
                adapters[name] = before[id(leaf)].adapter
            else:
                around = outer.get(id(leaf))
                inner = (around and around.adapter) or getattr(leaf, "adapter", None)
                adapters[name] = Hinting(str(advice.get(name, _NO_ADVICE)), inner)
        return another_rollout(self.module, number, temperature=1.0, adapters=adapters)

    async def _advice(self, last: Attempt, kwargs: dict[str, Any]) -> Mapping[str, Any] | None:
        """By module name; None where there is none to be had."""
        ask: Any = Predict(OfferFeedback)
        try:
            asked = await ask.acall(**self._described(last, kwargs), lm=self._lm(), _trace=False)
        except Exception as error:  # noqa: BLE001  whatever the LM, its adapter or a user's reprs raise
            logger.warning("Refine: no advice could be had, the next attempt goes without new: %s", error)
            return None
        return asked.advice if isinstance(asked.advice, Mapping) else None

    def _lm(self) -> Any:
        """The settings' LM, or, where none is set, that of the program."""
        return snapshot()["lm"] or next((leaf.lm for leaf in self.module.predictors() if leaf.lm), None)

    def _described(self, last: Attempt, kwargs: dict[str, Any]) -> dict[str, Any]:
        names = {id(leaf): name for name, leaf in self.module.named_predictors()}
        steps = [
            {
                "module_name": names.get(id(leaf), type(leaf).__name__),
                "inputs": inputs,
                "outputs": _fields(said),
            }
            for leaf, inputs, said in last.trace
        ]
        return {
            "program_code": _source(type(self.module)),
            "modules_defn": describe_modules(self.module),
            "program_inputs": _json(kwargs),
            "program_trajectory": _json(steps),
            "program_outputs": _json(_fields(last.prediction)),
            "reward_code": _source(self.reward_fn.fn),
            "target_threshold": self.threshold,
            "reward_value": last.reward,
            "module_names": list(names.values()),
        }


class Hinting:
    """An adapter that shows its leaf a hint as one more input, and leaves the rest to the adapter in force."""

    def __init__(self, hint: str, inner: Any = None) -> None:
        self.hint = hint
        self._inner = inner

    async def acall(
        self, lm: Any, lm_kwargs: dict[str, Any], signature: Any, demos: Sequence[Any], inputs: dict[str, Any]
    ) -> list[dict[str, Any]]:
        hinted = {**inputs, _HINT: self.hint}
        return await entrance(self._adapter())(lm, lm_kwargs, _with_hint(signature), demos, hinted)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._adapter(), name)

    def _adapter(self) -> Any:
        from dspx.modules.predict import default_adapter

        return self._inner or snapshot()["adapter"] or default_adapter()


def _with_hint(signature: Any) -> Any:
    hinted = signature.__plans__.get(_HINT)
    if hinted is None:
        field = InputField(desc="Advice from an earlier attempt at the same task")
        hinted = signature.__plans__[_HINT] = signature.append(_HINT, field, str)
    return hinted


def describe_modules(program: Any) -> str:
    """Each predictor's name, fields and instructions, as a text."""
    return "\n\n".join(_described(name, leaf.signature) for name, leaf in program.named_predictors())


def _described(name: str, signature: Any) -> str:
    lines = [f"Module {name}", "  Inputs:", *_field_lines(signature.input_fields)]
    lines += ["  Outputs:", *_field_lines(signature.output_fields), "  Instructions:"]
    return "\n".join(lines) + "\n" + textwrap.indent(signature.instructions, "    ")


def _field_lines(fields: Mapping[str, Any]) -> list[str]:
    return [
        f"    {name} ({getattr(field.annotation, '__name__', field.annotation)})"
        + (f": {field.description_text}" if field.description_text else "")
        for name, field in fields.items()
    ]


def _source(thing: Any) -> str:
    named = thing if hasattr(thing, "__qualname__") else type(thing)
    try:
        return inspect.getsource(named)
    except (OSError, TypeError):  # typed at a prompt, or built in
        return f"(the source of {named.__qualname__} is not at hand)"


def _fields(value: Any) -> Any:
    return dict(value.items()) if hasattr(value, "items") else value


def _json(value: Any) -> str:
    """`value` as JSON; what JSON cannot hold, as its type's name."""
    import json

    from dspx.core.canonical import to_plain

    def plain(item: Any) -> Any:
        try:
            return to_plain(item)
        except TypeError:
            pass
        if isinstance(item, Mapping):
            return {str(key): plain(one) for key, one in item.items()}
        if isinstance(item, (list, tuple)):
            return [plain(one) for one in item]
        return f"<{type(item).__name__}>"

    return json.dumps(plain(value), indent=2, ensure_ascii=False)
