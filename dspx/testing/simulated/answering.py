"""The model at the task: reads what of the prompt matters, is right with the chance that `truth` gives, says why.

A request is the task's if one of its inputs is a message of the task, or if it asks for the team. The output named
`team` gets one; `reasoning` says whether the message was understood; any other text output is a note about the
message, for a later step: it names what the message is about, or says that this is hard to say. Values that are no
text are valid and mean nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from random import Random
from typing import Any

from dspx.testing.jsonvalues import value_for
from dspx.testing.prompt.reading import Asking, Shown
from dspx.testing.prompt.writing import as_text
from dspx.testing.simulated.draws import decide
from dspx.testing.simulated.messages import TEAMS, TOPICS, Item, mentions
from dspx.testing.simulated.rules import Rule, rules_in
from dspx.testing.simulated.truth import FLAWED, SOUND, WRONG, Circumstances, Demo, chance

TEAM = "team"
THOUGHTS = frozenset({"reasoning", "rationale"})
FOG = "It is hard to say what the customer wants."


class Answering:
    """What the model knows of the task's messages and rules."""

    def __init__(self, items: Mapping[int, Item], rules: Sequence[Rule], effect: float, ease: float) -> None:
        self.items = items
        self.rules = rules
        self.effect = effect
        self.ease = ease
        self.rules_of = lru_cache(maxsize=512)(lambda text: rules_in(text, rules))

    def is_for(self, asking: Asking) -> bool:
        """Whether the request is the task's."""
        return TEAM in asking.outputs or self.item_of(asking.inputs) is not None

    def fill(self, asking: Asking, rng: Random) -> dict[str, Any]:
        """A value for each output."""
        item = self.item_of(asking.inputs)
        right = decide(self.chance(asking), rng)
        team = _team(item, right, rng)
        return {
            name: team
            if name == TEAM
            else thought(item, right and rng.random() < 0.8, team)
            if name in THOUGHTS
            else _note(item, right)
            if wanted.is_text
            else value_for(wanted.schema, name)
            for name, wanted in asking.outputs.items()
        }

    def chance(self, asking: Asking) -> float:
        """How likely this request is answered rightly."""
        item = self.item_of(asking.inputs)
        return chance(item, self.circumstances(asking), self.rules, self.effect, self.ease)

    def circumstances(self, asking: Asking) -> Circumstances:
        """What of the prompt matters."""
        item = self.item_of(asking.inputs)
        return Circumstances(
            self.rules_of(asking.instructions),
            tuple(self.demo(shown) for shown in asking.shown),
            bool(THOUGHTS & asking.outputs.keys()),
            _noted(item, asking.inputs.values()) if item is not None else 0,
        )

    def demo(self, shown: Shown) -> Demo:
        """A demo as the model takes it."""
        item = self.item_of(shown.inputs)
        teaches = 0.5 if item is None else item.teaches
        quality = _quality(item, shown.outputs)
        return Demo(item, teaches * quality, _HOW.get(quality, 0))

    def item_of(self, inputs: Mapping[str, str]) -> Item | None:
        """The message that is one of these inputs, whole."""
        for value in inputs.values():
            for number, _ in mentions(value):
                item = self.items.get(number)
                if item is not None and item.text == value:
                    return item
        return None


def thought(item: Item | None, sound: bool, team: str) -> str:
    """A line of reasoning: one that understood the message, or one that did not."""
    if item is None or not sound:
        return f"{FOG} Messages like this are often for {team}."
    return f"The message is about {TOPICS[item.topic].cue}, which is for {team}."


_HOW = {SOUND: 1, FLAWED: -1, WRONG: -1}


def _quality(item: Item | None, outputs: Mapping[str, Any]) -> float:
    """How much a demo's answer counts, next to a plain right one."""
    values = {name: as_text(value) for name, value in outputs.items()}
    team = values.pop(TEAM, None)
    if item is None:
        return 1.0
    if team is not None and team != item.team:
        return WRONG
    if not values:
        return 1.0
    cue = TOPICS[item.topic].cue
    return SOUND if any(cue in value for value in values.values()) else FLAWED


def _team(item: Item | None, right: bool, rng: Random) -> str:
    """The right team, or one of the others."""
    if item is None:
        return rng.choice(TEAMS)
    others = [team for team in TEAMS if team != item.team]
    other = rng.choice(others)
    return item.team if right else other


def _note(item: Item | None, right: bool) -> str:
    return f"The customer writes about {TOPICS[item.topic].cue}." if right and item is not None else FOG


def _noted(item: Item, inputs: Any) -> int:
    """What an earlier step's note says: 1 the right topic, -1 a wrong one or none, 0 where there is no note."""
    text = " ".join(inputs)
    if TOPICS[item.topic].cue in text:
        return 1
    return -1 if FOG in text or any(topic.cue in text for topic in TOPICS) else 0
