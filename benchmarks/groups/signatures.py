"""Signatures: made from a string, edited, read."""

from __future__ import annotations

from itertools import count

from benchmarks.cases import Times, case
from benchmarks.material import STRING, signature
from benchmarks.side import Side
from benchmarks.timing import per_call

_number = count()


@case("signature.string", "Signature from a string", target=Times(10))
def from_string(side: Side) -> float:
    make = side.api.Signature
    return per_call(side, lambda: make(STRING, f"Instructions number {next(_number)}."))


@case(
    "signature.with_instructions",
    "  with_instructions",
    full_title="Signature.with_instructions",
    target=Times(30),
)
def with_instructions(side: Side) -> float:
    answer = side.once("signature", lambda: signature(side.api))
    return per_call(side, lambda: answer.with_instructions(f"Instructions number {next(_number)}."))


class _Plain:
    input_fields = {"question": str}


@case(
    "signature.input_fields",
    "  reading input_fields",
    target=Times(8),
    floor=lambda side: per_call(side, lambda: _Plain.input_fields),
    floor_title="a class attribute",
)
def input_fields(side: Side) -> float:
    answer = side.once("signature", lambda: signature(side.api))
    return per_call(side, lambda: answer.input_fields)
