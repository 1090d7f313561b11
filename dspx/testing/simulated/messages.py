"""The data of the simulated task: messages of customers, each about one topic, each for one team."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class Topic:
    """What a message is about. `cue` names it; whoever says the cue has understood the message."""

    name: str
    team: str
    cue: str
    wordings: tuple[str, ...]


TOPICS: tuple[Topic, ...] = (
    Topic(
        "double charge",
        "billing",
        "a payment taken twice",
        ("my card shows the {thing} two times", "you took the money for the {thing} again this morning"),
    ),
    Topic(
        "invoice",
        "billing",
        "a missing or wrong invoice",
        ("our accountant needs the paper for the {thing}", "the VAT number for the {thing} is not ours"),
    ),
    Topic(
        "late parcel",
        "shipping",
        "a parcel that is late",
        ("the {thing} was due on Tuesday", "tracking for the {thing} has not moved for days"),
    ),
    Topic(
        "address",
        "shipping",
        "a delivery address to change",
        ("we moved since I bought the {thing}", "please bring the {thing} to my office instead"),
    ),
    Topic(
        "refund",
        "returns",
        "a refund that has not arrived",
        ("I sent the {thing} back three weeks ago", "still no money for the {thing} I returned"),
    ),
    Topic(
        "damage",
        "returns",
        "an item that came damaged",
        ("the {thing} has a crack along the side", "half of the {thing} was in pieces in the box"),
    ),
    Topic(
        "sign-in",
        "accounts",
        "somebody who cannot sign in",
        ("the code for the {thing} page never comes", "it says my password is wrong when I open the {thing}"),
    ),
    Topic(
        "details",
        "accounts",
        "account details to change",
        ("the {thing} is registered to my old name", "please use my new e-mail for the {thing}"),
    ),
    Topic(
        "crash",
        "technical",
        "an app that crashes",
        ("the {thing} screen closes as soon as it opens", "since the update the {thing} view goes black"),
    ),
    Topic(
        "pairing",
        "technical",
        "a device that will not connect",
        ("my phone does not see the {thing}", "the {thing} blinks red and then nothing"),
    ),
    Topic(
        "bulk order",
        "sales",
        "a price for many pieces",
        ("we would take forty of the {thing}", "what do you ask for a pallet of the {thing}"),
    ),
    Topic(
        "upgrade",
        "sales",
        "a change to a bigger plan",
        ("the {thing} has become too small for our team", "we want what comes after the {thing}"),
    ),
)

TEAMS: tuple[str, ...] = tuple(dict.fromkeys(topic.team for topic in TOPICS))

_THINGS = ("thermostat", "desk lamp", "router", "keyboard", "speaker", "camera", "coffee maker", "headset")
_OPENINGS = ("Hello,", "Hi there,", "Good morning,", "To whom it may concern,", "Hey,", "Dear team,")
_CLOSINGS = ("Can you look into it?", "Please get back to me.", "Thanks.", "What now?", "I am waiting.")
_NUMBER = re.compile(r"#(\d{5})")


@dataclass(frozen=True, slots=True)
class Item:
    """One message: `difficulty` in logits (0 is average), and how much is learned from it as a demo (1 is average)."""

    number: int
    text: str
    topic: int
    difficulty: float
    teaches: float

    @property
    def team(self) -> str:
        return TOPICS[self.topic].team


def make_items(rng: Random, count: int, spread: float) -> list[Item]:
    """So many messages, topics in turn and then mixed. Their numbers tell them apart."""
    numbers = rng.sample(range(10_000, 100_000), count)
    items = [_item(rng, number, place % len(TOPICS), spread) for place, number in enumerate(numbers)]
    rng.shuffle(items)
    return items


def _item(rng: Random, number: int, topic: int, spread: float) -> Item:
    wording = rng.choice(TOPICS[topic].wordings).format(thing=rng.choice(_THINGS))
    text = f"{rng.choice(_OPENINGS)} this is about order #{number}: {wording}. {rng.choice(_CLOSINGS)}"
    return Item(number, text, topic, rng.gauss(0.0, spread), rng.uniform(0.4, 1.6))


def mentions(text: str) -> Iterator[tuple[int, int]]:
    """The order numbers in a text, each with where it stands."""
    for match in _NUMBER.finditer(text):
        yield int(match[1]), match.start()
