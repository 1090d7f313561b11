"""The answer that most completions agree on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dspx.core.prediction import Completions, Prediction
from dspx.core.text import normalize_text
from dspx.errors import UsageError


def default_normalize(value: Any) -> Any:
    """Texts without case, punctuation and articles, None for an empty one; other values as they are."""
    return (normalize_text(value) or None) if isinstance(value, str) else value


def majority(
    prediction_or_completions: Any,
    normalize: Callable[[Any], Any] | None = default_normalize,
    field: str | None = None,
) -> Prediction:
    """The first completion whose `field` has the most frequent value.

    Takes a prediction made with `n=…`, its completions, or a list of predictions or dicts. `field` is the
    last output unless given. Values that `normalize` makes None do not count, unless all are; of equally
    frequent values the one that came first wins.
    """
    source = prediction_or_completions
    completions: Any = source.completions if isinstance(source, Prediction) else source
    if not isinstance(completions, (Completions, list, tuple)) or not len(completions):
        raise UsageError(f"majority needs a prediction or a list of completions, not {source!r:.100}.")
    signature = getattr(completions, "signature", None)
    name = field or _last_field(signature, completions[0])
    values = [completion[name] for completion in completions]
    keys = [_key(normalize(value) if normalize else value) for value in values]
    winner = completions[keys.index(_most_frequent(keys))]
    return Prediction.from_completions([dict(winner.items())], signature)


def _last_field(signature: Any, completion: Any) -> str:
    return list(signature.output_fields if signature is not None else completion.keys())[-1]


def _most_frequent(keys: list[Any]) -> Any:
    counted = [key for key in keys if key is not None] or keys
    counts: dict[Any, int] = {}
    for key in counted:
        counts[key] = counts.get(key, 0) + 1
    return max(counts, key=lambda key: counts[key])


def _key(value: Any) -> Any:
    """Something hashable that is equal for equal values."""
    try:
        hash(value)
    except TypeError:
        return repr(value)
    return value
