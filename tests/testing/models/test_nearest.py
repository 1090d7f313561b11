from __future__ import annotations

from typing import Any, Literal

import pytest

import dspx
from dspx.testing import NearestLM
from dspx.testing.models.nearest import Nearest, ranked
from dspx.testing.prompt.reading import Shown

ADAPTERS = ["ChatAdapter", "JSONAdapter", "XMLAdapter", "BAMLAdapter"]


class Point(dspx.Signature):
    """Which side is it on?"""

    x: float = dspx.InputField()
    y: float = dspx.InputField()
    side: Literal["left", "right"] = dspx.OutputField()


DEMOS = [
    dspx.Example(x=1.0, y=500.0, side="left"),
    dspx.Example(x=1.2, y=100.0, side="left"),
    dspx.Example(x=0.8, y=300.0, side="left"),
    dspx.Example(x=9.0, y=500.0, side="right"),
    dspx.Example(x=9.5, y=100.0, side="right"),
    dspx.Example(x=8.7, y=300.0, side="right"),
]


def ask(
    signature: Any, demos: list[Any], adapter: str = "ChatAdapter", module: Any = dspx.Predict, **inputs: Any
) -> Any:
    program = module(signature)
    for predictor in program.predictors():
        predictor.demos = demos
    with dspx.context(lm=NearestLM(), adapter=getattr(dspx, adapter)()):
        return program(**inputs)


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_labels_are_those_of_the_nearest_examples(adapter: str) -> None:
    assert ask(Point, DEMOS, adapter, x=2.0, y=500.0).side == "left"
    assert ask(Point, DEMOS, adapter, x=8.0, y=100.0).side == "right"


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_without_examples_it_guesses_the_first_label(adapter: str) -> None:
    assert ask(Point, [], adapter, x=8.0, y=100.0).side == "left"


def test_wrong_examples_make_it_wrong() -> None:
    wrong = [
        dspx.Example(x=demo.x, y=demo.y, side="right" if demo.side == "left" else "left") for demo in DEMOS
    ]
    assert ask(Point, wrong, x=8.0, y=100.0).side == "left"


def test_each_number_counts_in_units_of_its_spread() -> None:
    near_in_x = ask(Point, DEMOS, x=1.0, y=499.0).side
    assert near_in_x == "left"
    first = ranked({"x": "9.4", "y": "130"}, [Shown({"x": str(d.x), "y": str(d.y)}, {}) for d in DEMOS])[0]
    assert first.number == 5


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_texts_are_compared_by_their_rare_words(adapter: str) -> None:
    signature = dspx.Signature("message -> team")
    demos = [
        dspx.Example(message="please help me with my card", team="cards"),
        dspx.Example(message="please help me with my mortgage", team="loans"),
        dspx.Example(message="please help me with my account", team="accounts"),
    ]
    assert ask(signature, demos, adapter, message="a mortgage, please").team == "loans"


def test_numbers_are_the_mean_of_the_nearest() -> None:
    signature = dspx.Signature("x: float -> y: float, n: int, maybe: bool")
    demos = [dspx.Example(x=float(x), y=10.0 * x, n=x, maybe=x > 5) for x in range(0, 10, 2)]
    exact = ask(signature, demos, x=4.0)
    assert (round(exact.y), exact.n, exact.maybe) == (40, 4, False)
    between = ask(signature, demos, x=5.0)
    assert 30 < between.y < 70


def test_without_examples_numbers_are_zero_and_texts_unknown() -> None:
    answer = ask(dspx.Signature("x -> n: int, share: float, text, tags: list[str]"), [], x="1")
    assert (answer.n, answer.share, answer.text) == (0, 0.0, "unknown")
    assert isinstance(answer.tags, list)


@pytest.mark.parametrize("adapter", ["ChatAdapter", "JSONAdapter"])
def test_structured_answers_are_those_of_the_nearest_example(adapter: str) -> None:
    signature = dspx.Signature("text -> tags: list[str]")
    demos = [
        dspx.Example(text="red apple", tags=["fruit", "red"]),
        dspx.Example(text="blue car", tags=["car"]),
    ]
    assert ask(signature, demos, adapter, text="a red apple").tags == ["fruit", "red"]


def test_vectors_are_compared_number_by_number() -> None:
    signature = dspx.Signature("v: list[float] -> label")
    demos = [dspx.Example(v=[0.0, 0.0], label="origin"), dspx.Example(v=[9.0, 9.0], label="far")]
    assert ask(signature, demos, v=[1.0, 0.5]).label == "origin"


def test_the_reasoning_names_the_examples() -> None:
    answer = ask(Point, DEMOS, module=dspx.ChainOfThought, x=1.0, y=500.0)
    assert answer.reasoning.startswith("The nearest examples in the prompt: #1 (side: left, distance 0.00)")
    assert answer.side == "left"


def test_without_examples_the_reasoning_says_so() -> None:
    assert "guess" in ask(Point, [], module=dspx.ChainOfThought, x=1.0, y=500.0).reasoning


def test_examples_without_some_inputs_are_further_away() -> None:
    shown = [Shown({"a": "red"}, {}), Shown({"a": "red", "b": "1"}, {})]
    assert [each.number for each in ranked({"a": "red", "b": "1"}, shown)] == [2, 1]


def test_examples_without_an_answer_have_no_vote_on_it() -> None:
    signature = dspx.Signature("q -> a, b")
    demos = [dspx.Example(q="one", a="A"), dspx.Example(q="two", a="B", b="two's")]
    answer = ask(signature, demos, q="one")
    assert (answer.a, answer.b) == ("A", "two's")


def test_a_prompt_that_it_cannot_read_is_answered_honestly() -> None:
    assert "none here that I can read" in NearestLM()("Hello?")[0]


def test_k_is_how_many_have_a_vote() -> None:
    signature = dspx.Signature("x: float -> label")
    demos = [dspx.Example(x=1.0, label="a"), dspx.Example(x=1.1, label="b"), dspx.Example(x=1.12, label="b")]
    program = dspx.Predict(signature)
    program.demos = demos
    with dspx.context(lm=NearestLM(k=1)):
        assert program(x=1.04).label == "a"
    with dspx.context(lm=NearestLM(k=3)):
        assert program(x=1.04).label == "b"
    assert Nearest().k == 3
