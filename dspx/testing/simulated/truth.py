"""How likely an answer is right, given what stands in the prompt.

    p = low + (high - low) · σ(z),      z = base - difficulty + effect · (demos + rules)

*demos*: a part for how many there are, `DEMOS · (1 - exp(-n / 5))`, and a part for how many are near the question,
`NEAR · (1 - exp(-m / 1.2))`. A demo counts as much as its message teaches; `n` counts all of them, `m` those of the
question's topic fully and those of another topic of the same team by 0.4. With reasoning that understood the
message a demo counts 1.3 times, with reasoning that did not 0.4 times. A demo with a wrong answer counts
negatively, `-1.5` times. Demos with reasoning also show how to reason: `HOW · (1 - exp(-k / 2))`, `k` being how many
understood their message, less those that did not. Where the question itself is among the demos, its answer is copied.

*rules*: the good rules that cover the question's topic give `RULES · (1 - exp(-0.8 · s))`, `s` the sum of their
strengths; each bad rule that covers it takes `BAD` times its strength; each rule beyond `ROOM` takes `CROWDING`.

*effect* = 0 is the A/A task: neither demos nor rules matter, and every candidate is as good as every other.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dspx.testing.simulated.messages import TOPICS, Item
from dspx.testing.simulated.rules import Rule

LOW, HIGH = 0.04, 0.94
COPIED = 0.97
BASE = -1.75
DEMOS, NEAR, HOW = 0.9, 1.7, 0.7
RULES, BAD = 2.4, 0.8
ROOM, CROWDING = 8, 0.2
REASONED = 0.2
NOTED = 0.8
SOUND, FLAWED, WRONG = 1.3, 0.4, -1.5


@dataclass(frozen=True, slots=True)
class Demo:
    """A demo as the model takes it: whose message it shows, how much it counts (negative: it misleads), and
    whether its reasoning understood the message (1), did not (-1), or is not there (0)."""

    item: Item | None
    weight: float
    how: int = 0


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What of a prompt matters. `noted`: a note of an earlier step that understood (1) or did not (-1)."""

    rules: tuple[int, ...] = ()
    demos: tuple[Demo, ...] = ()
    reasons: bool = False
    noted: int = 0


def chance(
    item: Item | None, said: Circumstances, rules: Sequence[Rule], effect: float = 1.0, ease: float = 0.0
) -> float:
    """The probability that the answer for this message is right. `ease` makes the task easier, in logits."""
    if effect and item is not None:
        copied = [demo for demo in said.demos if demo.item is not None and demo.item.number == item.number]
        if copied:
            return COPIED if copied[-1].weight > 0 else 1 - COPIED
    topic = None if item is None else item.topic
    helped = (
        demos_help(topic, said.demos)
        + rules_help(topic, said.rules, rules)
        + REASONED * said.reasons
        + NOTED * said.noted
    )
    logit = BASE + ease - (item.difficulty if item is not None else 0.0) + effect * helped
    return LOW + (HIGH - LOW) * _sigmoid(logit)


def demos_help(topic: int | None, demos: Iterable[Demo]) -> float:
    """What the demos add for a question of this topic, in logits."""
    everything, near, how = 0.0, 0.0, 0
    for demo in demos:
        how += demo.how
        everything += demo.weight
        near += demo.weight * _nearness(topic, demo.item)
    shown_how = HOW * _saturating(max(how, 0) / 2)
    return DEMOS * _saturating(everything / 5) + NEAR * _saturating(near / 1.2) + shown_how


def rules_help(topic: int | None, present: Iterable[int], rules: Sequence[Rule]) -> float:
    """What the rules add for a question of this topic, in logits."""
    said = [rules[place] for place in present]
    covering = [rule for rule in said if topic in rule.topics]
    good = sum(rule.strength for rule in covering if rule.kind == "good")
    bad = sum(rule.strength for rule in covering if rule.kind == "bad")
    return RULES * _saturating(0.8 * good) - BAD * bad - CROWDING * max(0, len(said) - ROOM)


def _nearness(topic: int | None, item: Item | None) -> float:
    if topic is None or item is None:
        return 0.0
    if item.topic == topic:
        return 1.0
    return 0.4 if TOPICS[item.topic].team == TOPICS[topic].team else 0.0


def _saturating(x: float) -> float:
    """Less and less for more; below zero, as it is."""
    return 1 - math.exp(-x) if x > 0 else max(x, -2.0)


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))
