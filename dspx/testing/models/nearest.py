"""A model that learns in context: nearest neighbours over the examples in the prompt, and nothing else.

It is no language model. It reads the demonstrations (the user and assistant turns before the question), compares
their inputs with the question's, and answers with what the nearest of them say. It has no knowledge of the
world, no weights, and does not read the instructions. So a prompt without examples scores as guessing does, more
and better examples score better, and wrong ones worse: enough to see an evaluation or an optimizer work.

What it compares, input by input: numbers (and lists of numbers) by distance, each in units of its spread over the
examples; anything else by the words it shares, rare ones counting more (tf-idf, cosine).

What it answers, output by output: labels, booleans and short texts by a vote of the nearest three, weighted by
nearness; numbers by their weighted mean; anything else as the nearest example has it. `reasoning` names the examples
it went by. Without examples: the first label that the prompt allows, 0, or that it does not know.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from dspx.testing.models.schema import Schematic
from dspx.testing.prompt.reading import Asking, Shown
from dspx.testing.prompt.wanted import Wanted
from dspx.testing.prompt.writing import Verbatim, as_text

_THOUGHTS = frozenset({"reasoning", "rationale"})
_UNKNOWN = "unknown"
_LONG = 80


@dataclass(frozen=True, slots=True)
class Neighbour:
    """An example of the prompt, counted from 1, and how far it is from the question."""

    number: int
    shown: Shown
    distance: float


class Nearest(Schematic):
    """See the module's page. `k`: how many neighbours have a vote."""

    plain = "I answer by the examples in the prompt, and there are none here that I can read."

    def __init__(self, k: int = 3) -> None:
        self.k = k

    def fill(self, asking: Asking) -> dict[str, Any]:
        neighbours = ranked(asking.inputs, asking.shown)
        answered = [name for name in asking.outputs if name not in _THOUGHTS]
        values: dict[str, Any] = {}
        for name in answered:
            with_it = [each for each in neighbours if name in each.shown.outputs][: self.k]
            value = _answer(asking.outputs[name], with_it)
            if value is not None:
                values[name] = value
        for name in _THOUGHTS & asking.outputs.keys():
            values[name] = _reasoning(neighbours[: self.k], answered)
        return values


# ---------------------------------------------------------------- the answer


def _answer(wanted: Wanted, neighbours: Sequence[Neighbour]) -> Any:
    """What the neighbours say; None where anything valid will do."""
    if not neighbours:
        return _UNKNOWN if wanted.is_text and wanted.type == "str" else None
    values = [each.shown.outputs[wanted.name] for each in neighbours]
    if wanted.is_number:
        number = _mean(wanted, neighbours, values)
        if number is not None:
            return number
    return _vote(neighbours, values) if _can_vote(wanted, values[0]) else _as_shown(values[0])


def _mean(wanted: Wanted, neighbours: Sequence[Neighbour], values: Sequence[Any]) -> float | None:
    numbers = [_number(as_text(value)) for value in values]
    pairs = [(each, number) for each, number in zip(neighbours, numbers, strict=True) if number is not None]
    if not pairs:
        return None
    weights = [_weight(each) for each, _ in pairs]
    mean = sum(weight * number for weight, (_, number) in zip(weights, pairs, strict=True)) / sum(weights)
    return round(mean) if wanted.schema.get("type") == "integer" else round(mean, 6)


def _vote(neighbours: Sequence[Neighbour], values: Sequence[Any]) -> Any:
    """The value with the most weight behind it; of equals, that of the nearest."""
    weights: dict[str, float] = {}
    as_given: dict[str, Any] = {}
    for each, value in zip(neighbours, values, strict=True):
        text = as_text(value)
        weights[text] = weights.get(text, 0.0) + _weight(each)
        as_given.setdefault(text, value)
    return _as_shown(as_given[max(weights, key=lambda text: weights[text])])


def _can_vote(wanted: Wanted, value: Any) -> bool:
    return bool(wanted.options) or wanted.schema.get("type") == "boolean" or len(as_text(value)) <= _LONG


def _as_shown(value: Any) -> Any:
    return Verbatim(value) if isinstance(value, str) else value


def _weight(neighbour: Neighbour) -> float:
    return 1.0 / (neighbour.distance + 1e-6)


def _reasoning(neighbours: Sequence[Neighbour], names: Sequence[str]) -> str:
    if not neighbours:
        return "There are no examples in the prompt, so this is a guess."
    told = [
        f"#{each.number} ({', '.join([*_told(each, names), f'distance {each.distance:.2f}'])})"
        for each in neighbours
    ]
    return f"The nearest examples in the prompt: {'; '.join(told)}."


def _told(neighbour: Neighbour, names: Sequence[str]) -> list[str]:
    outputs = neighbour.shown.outputs
    return [f"{name}: {as_text(outputs[name])[:_LONG]}" for name in names if name in outputs]


# ---------------------------------------------------------------- who is near


def ranked(question: Mapping[str, str], shown: Sequence[Shown]) -> list[Neighbour]:
    """The examples, nearest first. Inputs that an example lacks count as one unit of distance."""
    squares = [0.0] * len(shown)
    for name, value in question.items():
        column = [example.inputs.get(name) for example in shown]
        for place, part in enumerate(_squared(value, column)):
            squares[place] += part
    neighbours = [
        Neighbour(place + 1, example, math.sqrt(square))
        for place, (example, square) in enumerate(zip(shown, squares, strict=True))
    ]
    return sorted(neighbours, key=lambda each: (each.distance, each.number))


def _squared(value: str, column: Sequence[str | None]) -> list[float]:
    """How far each example is in this input, squared."""
    asked = _vector(value)
    vectors = [None if text is None else _vector(text) for text in column]
    if asked and all(
        vector is not None and len(vector) == len(asked)
        for vector, text in zip(vectors, column, strict=True)
        if text is not None
    ):
        return _by_number(asked, vectors)
    return _by_words(value, column)


def _by_number(asked: Sequence[float], vectors: Sequence[Sequence[float] | None]) -> list[float]:
    known = [vector for vector in vectors if vector is not None]
    spreads = [_spread([vector[place] for vector in known]) for place in range(len(asked))]
    return [
        1.0
        if vector is None
        else sum(((a - b) / spread) ** 2 for a, b, spread in zip(asked, vector, spreads, strict=True))
        for vector in vectors
    ]


def _spread(values: Sequence[float]) -> float:
    """The standard deviation; 1 where all are the same."""
    if not values:
        return 1.0
    mean = sum(values) / len(values)
    return math.sqrt(sum((value - mean) ** 2 for value in values) / len(values)) or 1.0


def _by_words(value: str, column: Sequence[str | None]) -> list[float]:
    texts = [None if text is None else Counter(_words(text)) for text in column]
    count = sum(text is not None for text in texts)
    seen = Counter(word for text in texts if text is not None for word in text)
    rarity = {word: math.log((1 + count) / (1 + times)) + 1.0 for word, times in seen.items()}
    asked = _weighted(Counter(_words(value)), rarity, math.log(1 + count) + 1.0)
    return [1.0 if text is None else 1.0 - _cosine(asked, _weighted(text, rarity, 1.0)) for text in texts]


def _weighted(counts: Mapping[str, int], rarity: Mapping[str, float], unseen: float) -> dict[str, float]:
    weights = {word: times * rarity.get(word, unseen) for word, times in counts.items()}
    length = math.sqrt(sum(weight * weight for weight in weights.values())) or 1.0
    return {word: weight / length for word, weight in weights.items()}


def _cosine(a: Mapping[str, float], b: Mapping[str, float]) -> float:
    return min(1.0, sum(weight * b[word] for word, weight in a.items() if word in b))


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def _vector(text: str) -> list[float] | None:
    """A number, or a list or mapping of numbers, as a vector."""
    number = _number(text)
    if number is not None:
        return [number]
    if not text.startswith(("[", "{")):
        return None
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    items = [value[key] for key in sorted(value)] if isinstance(value, dict) else value
    numeric = all(isinstance(item, (int, float)) and not isinstance(item, bool) for item in items)
    return [float(item) for item in items] if items and numeric else None


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


__all__ = ["Nearest", "Neighbour", "ranked"]
