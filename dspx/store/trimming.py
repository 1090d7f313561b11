"""An execution cut to a size: what is too large is left out, and says so."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from dspx.store.jsontext import encode
from dspx.store.records import Execution

_FIRST_TO_GO = ("trace", "outputs", "inputs", "error", "configuration")
_PREVIEW = 200


def trimmed(execution: Execution, max_bytes: int) -> Execution:
    """`execution` in at most `max_bytes` of JSON, as far as leaving out its large parts gets it there."""
    size = len(encode(execution.to_json()).encode())
    for name in _FIRST_TO_GO:
        if size <= max_bytes:
            break
        text = encode(getattr(execution, name))
        left = _left_out(text)
        saved = len(text.encode()) - len(encode(left).encode())
        if saved > 0:
            execution = replace(execution, **{name: left})
            size -= saved
    return execution


def _left_out(text: str) -> dict[str, Any]:
    return {"left_out": True, "bytes": len(text.encode()), "begins": text[:_PREVIEW]}
