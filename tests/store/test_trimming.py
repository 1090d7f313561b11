from __future__ import annotations

from dspx.store.jsontext import encode
from dspx.store.records import Execution
from dspx.store.trimming import trimmed

LARGE = Execution(inputs={"q": "i" * 5000}, outputs={"a": "o" * 5000}, trace=["t" * 5000], tags=("x",))


def size(execution: Execution) -> int:
    return len(encode(execution.to_json()).encode())


def test_what_fits_is_left_alone() -> None:
    assert trimmed(LARGE, size(LARGE)) is LARGE


def test_traces_go_first_then_outputs_then_inputs() -> None:
    without_trace = trimmed(LARGE, 12_000)
    assert without_trace.trace["left_out"]
    assert (without_trace.inputs, without_trace.outputs) == (LARGE.inputs, LARGE.outputs)
    smallest = trimmed(LARGE, 2048)
    assert smallest.inputs["begins"].startswith('{"q":"iii')
    assert smallest.inputs["bytes"] == 5008
    assert size(smallest) <= 2048


def test_bytes_are_counted_not_characters() -> None:
    wide = Execution(inputs={"q": "東" * 1000})
    assert size(trimmed(wide, 2048)) <= 2048
