"""A whole Predict call with an LM that answers at once: all that is left is the library."""

from __future__ import annotations

import re
from itertools import count
from typing import Any

from benchmarks.cases import Times, case
from benchmarks.material import ANSWER, INPUTS, instant_lm, signature
from benchmarks.side import Side
from benchmarks.timing import per_acall, per_call

HEADER = re.compile(r"^\[\[ ## (\w+) ## \]\]\n", re.MULTILINE)
_number = count()


def inputs() -> dict[str, Any]:
    """Inputs never seen before, so that nothing is remembered."""
    return {**INPUTS, "question": f"What is the capital of country number {next(_number)}?"}


def _by_hand(side: Side) -> float:
    """A prompt, a call, a regex and two validators, as one would write them for this one task."""
    from pydantic import TypeAdapter

    validators = {"answer": TypeAdapter(str), "confidence": TypeAdapter(float)}
    history: list[Any] = []

    def ask(messages: list[dict[str, str]]) -> str:
        return ANSWER

    def one() -> None:
        values = inputs()
        passages = "\n".join(f"[{i}] «{text}»" for i, text in enumerate(values["passages"], 1))
        content = (
            f"[[ ## question ## ]]\n{values['question']}\n\n[[ ## passages ## ]]\n{passages}\n\nRespond …"
        )
        messages = [{"role": "system", "content": "…"}, {"role": "user", "content": content}]
        answer = ask(messages)
        parts = HEADER.split(answer)
        found = dict(zip(parts[1::2], parts[2::2], strict=True))
        result = {name: one.validate_python(found[name].strip()) for name, one in validators.items()}
        history.append((messages, answer, result))
        if len(history) > 10_000:
            history.clear()

    return per_call(side, one)


def _predict(side: Side) -> Any:
    side.api.configure(lm=side.once("lm", lambda: instant_lm(side.api)), callbacks=[])
    return side.once("predict", lambda: side.api.Predict(signature(side.api)))


@case(
    "predict.sync",
    "Predict, instant LM",
    target=Times(15),
    floor=_by_hand,
    floor_title="the same by hand: f-string, regex, validators",
)
def sync(side: Side) -> float:
    predict = _predict(side)
    return per_call(side, lambda: predict(**inputs()))


@case("predict.acall", "  await acall", full_title="await Predict.acall, instant LM", target=Times(20))
def acall(side: Side) -> float:
    predict = _predict(side)
    return per_acall(side, lambda: predict.acall(**inputs()))


@case("predict.callback", "  with a callback", target=Times(8))
def callback(side: Side) -> float:
    predict = _predict(side)
    listener = type("Listener", (_base_callback(side.api),), {})()
    with side.api.context(callbacks=[listener]):
        return per_call(side, lambda: predict(**inputs()))


def _base_callback(api: Any) -> Any:
    import importlib

    return getattr(api, "BaseCallback", None) or importlib.import_module("dspy.utils.callback").BaseCallback
