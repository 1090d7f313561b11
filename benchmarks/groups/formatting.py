"""Prompts: ChatAdapter.format of a typed signature with 0, 16 and 64 typed demos."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

from benchmarks.cases import Times, case
from benchmarks.material import TYPED_CHAT, TYPED_INPUTS, typed_demos, typed_signature
from benchmarks.side import Side
from benchmarks.timing import per_call

_number = count()


def _format(demos: int) -> Callable[[Side], float]:
    def measure(side: Side) -> float:
        api = side.api
        adapter = side.once("adapter", api.ChatAdapter)
        signature = side.once("signature", lambda: typed_signature(api))
        shown = side.once(f"demos {demos}", lambda: typed_demos(api, demos))

        def one() -> None:
            adapter.format(signature, shown, {**TYPED_INPUTS, "review": f"Review number {next(_number)}."})

        return per_call(side, one)

    return measure


def _concatenated(demos: int) -> Callable[[Side], float]:
    user = "[[ ## review ## ]]\n{}\n\n[[ ## year ## ]]\n{}\n"

    def measure(side: Side) -> float:
        rendered = [{"role": "user", "content": user}, {"role": "assistant", "content": TYPED_CHAT}] * demos

        def one() -> None:
            number = next(_number)
            content = f"[[ ## review ## ]]\nReview number {number}\n\n[[ ## year ## ]]\n{2024}\n"
            _ = [{"role": "system", "content": "…"}, *rendered, {"role": "user", "content": content}]

        return per_call(side, one)

    return measure


for _demos, _factor in ((0, 15), (16, 50), (64, 50)):
    case(
        f"format.{_demos}",
        f"ChatAdapter.format, {_demos} demos",
        target=Times(_factor),
        floor=_concatenated(_demos),
        floor_title="one f-string, demos already rendered",
    )(_format(_demos))
