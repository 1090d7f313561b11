"""Proposers get rules: whatever the fields are called, in both layouts, better ones where failures are shown."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import pytest

import dspx
from dspx.testing import SimulatedLM, SimulatedTask
from dspx.testing.simulated.proposing import module_names
from dspx.testing.simulated.rules import rules_in

TASK = SimulatedTask(0)
ADAPTERS = {"chat": dspx.ChatAdapter, "json": dspx.JSONAdapter}


def _ask(signature: Any, adapter: str = "chat", rollout: int = 0, **inputs: Any) -> dspx.Prediction:
    lm = SimulatedLM(TASK, temperature=1.0, rollout_id=rollout)
    with dspx.context(lm=lm, adapter=ADAPTERS[adapter]()):
        return dspx.Predict(signature)(**inputs)


def _kinds(text: str, times: int = 400) -> dict[str, float]:
    """The kinds of the new rules, as shares."""
    kinds: Counter[str] = Counter()
    for at in range(times):
        added, _ = TASK.core.proposing.sample(text, Random(at), 1)
        kinds.update(TASK.rules[place].kind for place in added)
    return {kind: count / kinds.total() for kind, count in kinds.items()}


@pytest.mark.parametrize("adapter", ADAPTERS)
@pytest.mark.parametrize(
    ("signature", "field"),
    [
        (
            "basic_instruction -> proposed_instruction, proposed_prefix_for_output_field",
            "proposed_instruction",
        ),
        ("attempted_instructions -> proposed_instruction", "proposed_instruction"),
        ("examples -> observations", "observations"),
        ("observations -> summary", "summary"),
        ("current_instruction, examples_with_feedback -> new_instruction", "new_instruction"),
        ("examples_text -> natural_language_rules", "natural_language_rules"),
    ],
)
def test_any_text_that_is_asked_for_holds_rules(signature: str, field: str, adapter: str) -> None:
    names = signature.partition(" -> ")[0].split(", ")
    answer = _ask(signature, adapter, **dict.fromkeys(names, "Given the fields `message`, produce `team`."))
    assert rules_in(answer[field], TASK.rules)


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_a_mapping_gets_advice_for_each_module_named(adapter: str) -> None:
    answer = _ask(
        "program_code, module_names: list[str] -> discussion, module_advice: dict[str, str]",
        adapter,
        program_code="class Router: …",
        module_names=["note", "route.predict"],
    )
    assert list(answer.module_advice) == ["note", "route.predict"]
    assert all(rules_in(advice, TASK.rules) for advice in answer.module_advice.values())
    assert not rules_in(answer.discussion, TASK.rules)


def test_a_list_of_texts_gets_one_rule_each() -> None:
    rules = _ask("examples -> rules: list[str]", examples="none").rules
    assert len(rules) == 4
    assert all(len(rules_in(rule, TASK.rules)) == 1 for rule in rules)


def test_a_prompt_in_no_layout_gets_a_fenced_block_where_it_shows_one() -> None:
    fenced = TASK.core.answer([{"role": "user", "content": "Write a better instruction within ``` blocks."}])
    assert fenced.startswith("```\n")
    assert fenced.endswith("\n```")
    assert rules_in(fenced, TASK.rules)
    assert "```" not in TASK.core.answer([{"role": "user", "content": "Write a better instruction."}])


def test_proposals_without_evidence_are_good_as_often_as_declared() -> None:
    kinds = _kinds("Write an instruction.")
    assert kinds["good"] == pytest.approx(0.55, abs=0.07)
    assert kinds["bad"] == pytest.approx(0.25, abs=0.07)


def test_failures_at_hand_make_proposals_better_and_fitting() -> None:
    item = TASK.items["train"][0]
    text = f"{item.text}\nAnswer: sales\nWrong: it should go to {item.team}."
    kinds = _kinds(text)
    assert kinds["good"] == pytest.approx(0.80, abs=0.06)
    fitting = 0
    for at in range(400):
        added, _ = TASK.core.proposing.sample(text, Random(at), 1)
        rule = TASK.rules[added[0]]
        fitting += rule.kind == "good" and item.topic in rule.topics
    assert fitting / 400 > 0.65


@pytest.mark.parametrize(
    "said", ["Wrong: sales.", "worse_reward_value: 0.0", "Score: 0", "should go to billing"]
)
def test_a_failure_is_a_word_or_a_score_of_zero(said: str) -> None:
    item = TASK.items["train"][0]
    assert TASK.core.proposing._evidence(f"{item.text}\n{said}")[1] == {item.topic}


@pytest.mark.parametrize("said", ["Right: sales.", "reward: 1.0", "Score: 0.5"])
def test_anything_else_is_no_failure(said: str) -> None:
    item = TASK.items["train"][0]
    assert TASK.core.proposing._evidence(f"{item.text}\n{said}") == ({item.topic}, frozenset())


def test_rules_of_the_request_are_mostly_kept_and_not_proposed_again() -> None:
    seen = (0, 2, 4)
    text = "\n".join(TASK.rules[place].text for place in seen)
    kept = 0
    for at in range(300):
        added, stayed = TASK.core.proposing.sample(text, Random(at), 2)
        kept += len(stayed)
        assert not set(added) & set(seen)
    assert kept / 900 == pytest.approx(0.9, abs=0.04)


def test_a_bad_rule_is_seen_through_where_it_failed() -> None:
    bad = next(place for place, rule in enumerate(TASK.rules) if rule.kind == "bad")
    item = next(item for item in TASK.items["train"] if item.topic in TASK.rules[bad].topics)
    shares = []
    for said in ("Right.", "Wrong."):
        text = f"{TASK.rules[bad].text}\n{item.text}\n{said}"
        shares.append(
            sum(bad in TASK.core.proposing.sample(text, Random(at), 1)[1] for at in range(300)) / 300
        )
    assert shares[0] == pytest.approx(0.9, abs=0.05)
    assert shares[1] == pytest.approx(0.36, abs=0.08)


def test_modules_are_named_in_an_input_or_in_their_definitions() -> None:
    assert module_names({"module_names": '["a", "b.predict"]'}) == ["a", "b.predict"]
    assert module_names({"modules_defn": "Module note\n…\nModule route\n…"}) == ["note", "route"]
    assert module_names({"anything": "else"}) == ["self"]
