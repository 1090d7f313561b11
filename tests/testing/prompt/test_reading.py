from __future__ import annotations

from typing import Any, Literal

import pytest

import dspx
from dspx.testing.prompt.reading import read_prompt, sections

ADAPTERS = ["ChatAdapter", "JSONAdapter", "XMLAdapter", "BAMLAdapter"]


class Triage(dspx.Signature):
    """Route it."""

    message: str = dspx.InputField()
    size: float = dspx.InputField()
    team: Literal["cards", "loans"] = dspx.OutputField()
    score: int = dspx.OutputField(ge=3)
    why: str = dspx.OutputField()


DEMO = dspx.Example(message="My card\n\nis <gone>", size=1.5, team="cards", score=4, why="card")
PARTIAL = dspx.Example(message="A loan", size=2.0, team="loans")
INPUTS = {"message": "Hello? Respond with care.", "size": 3.25}


def prompt(adapter: str, demos: list[Any] | None = None) -> list[dict[str, Any]]:
    return getattr(dspx, adapter)().format(Triage, demos or [], INPUTS)


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_the_question_is_read(adapter: str) -> None:
    asking = read_prompt(prompt(adapter))
    assert asking is not None
    assert asking.inputs == {"message": "Hello? Respond with care.", "size": "3.25"}
    assert list(asking.outputs) == ["team", "score", "why"]
    assert asking.outputs["team"].options == ["cards", "loans"]
    assert asking.outputs["score"].schema["type"] == "integer"
    assert asking.outputs["score"].schema["minimum"] == 3
    assert asking.outputs["why"].is_text
    assert asking.instructions == "Route it."
    assert not asking.extracts


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_demos_are_read_without_their_gaps(adapter: str) -> None:
    asking = read_prompt(prompt(adapter, [DEMO, PARTIAL]))
    assert asking is not None
    partial, whole = asking.shown
    assert partial.inputs == {"message": "A loan", "size": "2.0"}
    assert partial.outputs == {"team": "loans"}
    assert {name: str(value) for name, value in whole.outputs.items()} == {
        "team": "cards",
        "score": "4",
        "why": "card",
    }
    assert whole.inputs["size"] == "1.5"
    assert whole.inputs["message"].startswith("My card\n\nis")


def test_two_step_prompts_are_read() -> None:
    adapter = dspx.TwoStepAdapter(extraction_model=dspx.BaseLM("unused"))
    asking = read_prompt(adapter.format(Triage, [DEMO], INPUTS))
    assert asking is not None
    assert asking.layout == "lines"
    assert asking.inputs["size"] == "3.25"
    assert asking.shown[0].outputs["team"] == "cards"


def test_history_turns_are_examples() -> None:
    signature = dspx.Signature("question, history: dspx.History -> answer")
    history = dspx.History(messages=[{"question": "One?", "answer": "1"}])
    messages = dspx.ChatAdapter().format(signature, [], {"question": "Two?", "history": history})
    asking = read_prompt(messages)
    assert asking is not None
    assert asking.shown[0].inputs == {"question": "One?"}
    assert asking.shown[0].outputs == {"answer": "1"}


def test_after_an_objection_the_question_is_still_the_question() -> None:
    messages = [
        *prompt("ChatAdapter"),
        {"role": "assistant", "content": "no"},
        {"role": "user", "content": "That answer could not be read. Why?\n\nRespond with a JSON object in …"},
    ]
    asking = read_prompt(messages)
    assert asking is not None
    assert asking.inputs["size"] == "3.25"
    assert asking.layout == "json"
    assert asking.shown == []


def test_blocks_of_content_count_by_their_text() -> None:
    messages = prompt("ChatAdapter")
    messages[-1]["content"] = [
        {"type": "text", "text": messages[-1]["content"]},
        {"type": "image_url", "image_url": {}},
    ]
    asking = read_prompt(messages)
    assert asking is not None
    assert asking.inputs["size"] == "3.25"


@pytest.mark.parametrize(
    "messages",
    [
        [],
        [{"role": "user", "content": "Hello"}],
        [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"}],
        [{"role": "system", "content": "Your input fields are:\nYour output fields are:\n"}],
    ],
)
def test_other_prompts_are_not_read(messages: list[dict[str, Any]]) -> None:
    assert read_prompt(messages) is None


def test_sections_end_where_the_next_begins() -> None:
    assert sections("before\n[[ ## a ## ]]\n1\n\n2\n[[ ## b ## ]] 3") == {"a": "1\n\n2", "b": "3"}
