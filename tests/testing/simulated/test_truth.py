"""The chance of a right answer is what the module's page says."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import pytest

from dspx.testing.simulated.messages import TOPICS, make_items
from dspx.testing.simulated.rules import make_rules, rules_in
from dspx.testing.simulated.truth import (
    COPIED,
    CROWDING,
    HIGH,
    LOW,
    ROOM,
    Circumstances,
    Demo,
    chance,
    rules_help,
)

RULES = make_rules(Random(0))
ITEMS = make_items(Random(0), 48, 0.0)


def _places(kind: str) -> list[int]:
    return [place for place, rule in enumerate(RULES) if rule.kind == kind]


def _of_topic(topic: int) -> list[Demo]:
    return [Demo(item, item.teaches) for item in ITEMS if item.topic == topic]


def test_a_good_rule_helps_the_topics_that_it_covers_and_no_other() -> None:
    good = _places("good")[0]
    for item in ITEMS:
        bare = chance(item, Circumstances(), RULES)
        ruled = chance(item, Circumstances(rules=(good,)), RULES)
        assert (ruled > bare) is (item.topic in RULES[good].topics)


def test_a_bad_rule_harms_the_topics_that_it_covers_and_no_other() -> None:
    bad = _places("bad")[0]
    for item in ITEMS:
        bare = chance(item, Circumstances(), RULES)
        ruled = chance(item, Circumstances(rules=(bad,)), RULES)
        assert (ruled < bare) is (item.topic in RULES[bad].topics)


def test_a_neutral_rule_changes_nothing_until_there_are_too_many() -> None:
    neutral = _places("neutral")
    assert rules_help(0, neutral[:ROOM], RULES) == 0
    crowded = [*neutral, *(place for place in _places("bad") if 0 not in RULES[place].topics)][: ROOM + 2]
    assert rules_help(0, crowded, RULES) == pytest.approx(-2 * CROWDING)


def test_more_demos_help_less_and_less() -> None:
    item = next(item for item in ITEMS if item.topic == 0)
    demos = [demo for demo in _of_topic(0) if demo.item is not item]
    scores = [chance(item, Circumstances(demos=tuple(demos[:n])), RULES) for n in range(4)]
    assert scores[0] < scores[1] < scores[2] < scores[3]
    gains = [after - before for before, after in pairwise(scores)]
    assert gains[2] < gains[1]


def test_a_demo_of_the_topic_helps_more_than_one_of_another_team() -> None:
    item = next(item for item in ITEMS if item.topic == 0)
    near = next(other for other in ITEMS if other.topic == 0 and other is not item)
    far = next(other for other in ITEMS if TOPICS[other.topic].team != item.team)
    helped = [chance(item, Circumstances(demos=(Demo(shown, 1.0),)), RULES) for shown in (near, far)]
    assert helped[0] > helped[1] > chance(item, Circumstances(), RULES)


def test_a_demo_with_a_wrong_answer_hurts() -> None:
    item, near = _of_topic(0)[0].item, _of_topic(0)[1].item
    assert chance(item, Circumstances(demos=(Demo(near, -1.5, -1),)), RULES) < chance(
        item, Circumstances(), RULES
    )


def test_reasoning_that_understood_helps_beyond_the_answer() -> None:
    item, near = _of_topic(0)[0].item, _of_topic(0)[1].item
    plain = chance(item, Circumstances(demos=(Demo(near, 1.0),)), RULES)
    assert chance(item, Circumstances(demos=(Demo(near, 1.0, 1),)), RULES) > plain


def test_the_answer_of_a_demo_that_is_the_question_is_copied() -> None:
    item = ITEMS[0]
    assert chance(item, Circumstances(demos=(Demo(item, 1.0),)), RULES) == COPIED
    assert chance(item, Circumstances(demos=(Demo(item, -1.5),)), RULES) == pytest.approx(1 - COPIED)


def test_nothing_matters_without_effect() -> None:
    item = ITEMS[0]
    everything = Circumstances(tuple(_places("good")), tuple(_of_topic(item.topic)), reasons=True, noted=1)
    assert chance(item, everything, RULES, effect=0) == chance(item, Circumstances(), RULES, effect=0)


def test_no_answer_is_certain() -> None:
    hardest = Circumstances(tuple(_places("bad")), (Demo(None, -50.0),))
    assert all(
        LOW <= chance(item, hardest, RULES, ease=-9) <= chance(item, hardest, RULES, ease=99) <= HIGH
        for item in ITEMS
    )


def test_rules_are_found_whatever_their_case_and_spacing_the_last_mentioned_last() -> None:
    first, second = RULES[0].text, RULES[3].text
    text = f"Do this:\n- {second.upper()}\n- {first.replace(' ', '  ')}"
    assert rules_in(text, RULES) == (3, 0)
