"""Sentences that an instruction may hold: good rules, neutral ones, and bad ones.

A rule acts when its sentence stands in the instructions; case and spacing do not matter. A good one helps with the
messages of the topics it covers, a bad one harms with those of its own, a neutral one does neither, and each counts
towards an instruction that says too much. A good rule covers the two topics that it speaks of and two others, for
which it is a lucky hint; which others, and how much each rule does, is drawn by the task's seed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from random import Random
from typing import Literal

from dspx.testing.simulated.messages import TOPICS

Kind = Literal["good", "neutral", "bad"]


@dataclass(frozen=True, slots=True)
class Rule:
    """A sentence, the topics it acts on (places in `TOPICS`), and how strongly (1 is average)."""

    kind: Kind
    text: str
    topics: frozenset[int] = frozenset()
    strength: float = 1.0


_PLACE = {topic.name: place for place, topic in enumerate(TOPICS)}

_GOOD: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "Where money left the customer's card, billing has it, whatever was bought.",
        ("double charge", "invoice"),
    ),
    (
        "Ask who holds the money: if a parcel came back to us, it is returns and not billing.",
        ("refund", "invoice"),
    ),
    ("A thing that has not reached the customer yet is always for shipping.", ("late parcel", "address")),
    (
        "What arrived in a bad state belongs to returns, even if the courier is blamed.",
        ("damage", "late parcel"),
    ),
    ("Anything about who somebody is (name, e-mail, password) goes to accounts.", ("sign-in", "details")),
    ("Where to send a parcel is for shipping; who the customer is, for accounts.", ("address", "details")),
    (
        "If software or a device misbehaves after it was delivered whole, choose technical.",
        ("crash", "pairing"),
    ),
    ("A password that fails is for accounts, a screen that fails is technical.", ("sign-in", "crash")),
    (
        "Somebody who wants to buy more than now is for sales, however the message begins.",
        ("bulk order", "upgrade"),
    ),
    ("A broken case is for returns; a dead connection is technical.", ("damage", "pairing")),
    ("Money going out twice is billing, money that comes back late is returns.", ("double charge", "refund")),
    ("A question about a price or a plan is for sales and never for billing.", ("upgrade", "bulk order")),
)

_NEUTRAL: tuple[str, ...] = (
    "Read the whole message before you answer.",
    "Be concise and professional.",
    "This is very important for our customers, so take care.",
    "Do not mention the order number in your answer.",
    "You are an experienced support agent.",
    "Think about what the customer would want.",
    "Answer with one team only.",
    "Stay polite even if the customer is not.",
)

_BAD: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "When an order number is given, it is most likely for shipping.",
        ("invoice", "refund", "details", "upgrade"),
    ),
    ("If in doubt, choose billing.", ("refund", "upgrade", "bulk order", "sign-in")),
    ("Anything sent from a phone is for technical.", ("pairing", "sign-in", "late parcel", "details")),
    ("Messages of angry customers go to returns.", ("late parcel", "double charge", "crash", "damage")),
    ("Greetings tell most: formal ones are for sales.", ("invoice", "bulk order", "address", "crash")),
    ("Decide by the product that is named and by nothing else.", ("damage", "pairing", "crash", "address")),
    ("Every change that a customer asks for goes to accounts.", ("address", "upgrade", "invoice", "details")),
    ("Short messages are for accounts.", ("double charge", "late parcel", "refund", "pairing")),
    ("Where money is mentioned, choose sales.", ("double charge", "refund", "bulk order", "invoice")),
    ("Only the last sentence of a message counts.", ("sign-in", "damage", "address", "upgrade")),
)


def make_rules(rng: Random) -> tuple[Rule, ...]:
    """All rules; the lucky topics of the good ones, and how strong each one is, are drawn."""
    sentences: list[Rule] = []
    for text, topics in _GOOD:
        named = _places(topics)
        others = [place for place in range(len(TOPICS)) if place not in named]
        sentences.append(Rule("good", text, named | frozenset(rng.sample(others, 2))))
    sentences += [Rule("neutral", text) for text in _NEUTRAL]
    sentences += [Rule("bad", text, _places(topics)) for text, topics in _BAD]
    return tuple(replace(rule, strength=rng.uniform(0.6, 1.4)) for rule in sentences)


def _places(topics: Iterable[str]) -> frozenset[int]:
    return frozenset(_PLACE[topic] for topic in topics)


def rules_in(text: str, rules: Sequence[Rule]) -> tuple[int, ...]:
    """Which rules stand in a text: their places, in the order of their last mention."""
    flat = squeezed(text)
    last = {place: flat.rfind(squeezed(rule.text)) for place, rule in enumerate(rules)}
    return tuple(sorted((place for place, at in last.items() if at >= 0), key=lambda place: last[place]))


@lru_cache(maxsize=1024)
def squeezed(text: str) -> str:
    """Lower case, and one space where there are several."""
    return re.sub(r"\s+", " ", text).lower()
