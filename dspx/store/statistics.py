"""Statistics of a dataset: which fields there are, of what type, how long, and which values are labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from dspx.store.jsontext import encode

_MOST_LABELS = 20
_LONGEST_LABEL = 60


def describe(examples: Sequence[Any]) -> dict[str, Any]:
    """`{"size": …, "fields": {name: {"present", "types", "distinct", "length"?, "values"?}}}` as JSON data.

    `length` counts a text's characters or a list's items; `values` counts each value of a field that takes few.
    """
    rows = [example if isinstance(example, dict) else {"value": example} for example in examples]
    names = list(dict.fromkeys(name for row in rows for name in row))
    return {"size": len(rows), "fields": {n: _field([row[n] for row in rows if n in row]) for n in names}}


def _field(values: Sequence[Any]) -> dict[str, Any]:
    counts = Counter(value if isinstance(value, str) else encode(value) for value in values)
    described: dict[str, Any] = {
        "present": len(values),
        "types": dict(Counter(_type_name(value) for value in values).most_common()),
        "distinct": len(counts),
    }
    lengths = [len(value) for value in values if isinstance(value, (str, list))]
    if lengths:
        described["length"] = {
            "min": min(lengths),
            "mean": round(sum(lengths) / len(lengths), 2),
            "max": max(lengths),
        }
    if len(counts) <= min(_MOST_LABELS, len(values) / 2) and max(map(len, counts)) <= _LONGEST_LABEL:
        described["values"] = dict(counts.most_common())
    return described


def _type_name(value: Any) -> str:
    return "null" if value is None else type(value).__name__
