from __future__ import annotations

import copy
from typing import Any

import pydantic
import pytest

import dspx
from dspx.testing import DummyLM


class Point(pydantic.BaseModel):
    x: int
    tags: list[str] = []


VALUES: dict[str, Any] = {
    "answer": "a",
    "n": 3,
    "ok": True,
    "xs": [1, "b"],
    "p": Point(x=1, tags=["é"]),
    "none": None,
}

# What DSPy 3.4.1's DummyLM says to these values.
CHAT = (
    '[[ ## answer ## ]]\na\n\n[[ ## n ## ]]\n3\n\n[[ ## ok ## ]]\nTrue\n\n[[ ## xs ## ]]\n[1, "b"]\n\n'
    '[[ ## p ## ]]\n{"x": 1, "tags": ["é"]}\n\n[[ ## none ## ]]\nNone'
)
JSON = (
    '{\n  "answer": "a",\n  "n": 3,\n  "ok": true,\n  "xs": [\n    1,\n    "b"\n  ],\n'
    '  "p": {\n    "x": 1,\n    "tags": [\n      "é"\n    ]\n  },\n  "none": null\n}'
)


def test_answers_are_laid_out_as_the_adapter_does() -> None:
    assert DummyLM([VALUES])("hi") == [CHAT]
    assert DummyLM([VALUES], adapter=dspx.JSONAdapter())("hi") == [JSON]
    simple = {"answer": "a", "n": 3}
    xml = "<answer>\na\n</answer>\n\n<n>\n3\n</n>"
    assert DummyLM([simple], adapter=dspx.XMLAdapter())("hi") == [xml]


@pytest.mark.parametrize("adapter", ["ChatAdapter", "JSONAdapter", "XMLAdapter"])
def test_the_adapter_reads_what_it_says(adapter: str) -> None:
    made = getattr(dspx, adapter)()
    lm = DummyLM([{"answer": "two\n\nparagraphs", "tags": ["a", "b"], "score": 0.5}], adapter=made)
    with dspx.context(lm=lm, adapter=made):
        answer = dspx.Predict("question -> answer, tags: list[str], score: float")(question="q")
    assert answer.toDict() == {"answer": "two\n\nparagraphs", "tags": ["a", "b"], "score": 0.5}


def test_a_list_ends_with_no_more_responses() -> None:
    lm = DummyLM([{"answer": "red"}, {"answer": "blue"}])
    dspx_answers = [lm("same")[0] for _ in range(3)]
    assert dspx_answers == [
        "[[ ## answer ## ]]\nred",
        "[[ ## answer ## ]]\nblue",
        "[[ ## answer ## ]]\nNo more responses",
    ]


def test_an_iterator_goes_on_for_ever() -> None:
    lm = DummyLM({"answer": str(i)} for i in iter(int, 1))
    with dspx.context(lm=lm):
        assert [dspx.Predict("q -> answer")(q="x").answer for _ in range(2)] == ["0", "0"]


def test_a_dict_answers_by_what_the_last_message_contains() -> None:
    lm = DummyLM({"sky": {"answer": "blue"}, "grass": {"answer": "green"}})
    with dspx.context(lm=lm):
        predict = dspx.Predict("question -> answer")
        assert predict(question="Is the grass red?").answer == "green"
    assert lm("nothing of it") == ["No more responses"]


def test_examples_in_the_prompt_are_followed() -> None:
    predict = dspx.Predict("input -> output")
    demos = [dspx.Example(input="What?", output="blue"), dspx.Example(input="Who?", output="me")]
    with dspx.context(lm=DummyLM([{"output": "red"}], follow_examples=True)):
        assert predict(input="What?", demos=demos).output == "blue"
        assert predict(input="Who?", demos=demos).output == "me"
        with pytest.raises(dspx.AdapterParseError):
            predict(input="Why?", demos=demos)


def test_reasoning_comes_beside_the_text() -> None:
    lm = DummyLM([{"answer": "z"}], reasoning=True)
    assert lm("q") == [{"text": "[[ ## answer ## ]]\nz", "reasoning_content": "Some reasoning"}]


def test_n_completions_take_n_answers() -> None:
    with dspx.context(lm=DummyLM([{"output": "1"}, {"output": "2"}, {"output": "3"}])):
        predicted = dspx.Predict("input -> output")(input="x", config={"n": 2, "temperature": 1.0})
        assert predicted.completions.output == ["1", "2"]
        assert dspx.Predict("input -> output")(input="x").output == "3"


async def _ask(lm: DummyLM) -> list[Any]:
    return await lm.acall("q")


def test_async_calls_take_the_next_answer() -> None:
    import asyncio

    lm = DummyLM([{"a": "1"}, {"a": "2"}])
    assert asyncio.run(_ask(lm)) == ["[[ ## a ## ]]\n1"]
    assert lm("q") == ["[[ ## a ## ]]\n2"]


def test_the_conversation_can_be_read() -> None:
    lm = DummyLM([{"a": "1"}])
    lm("q")
    assert lm.get_convo(0) == ([{"role": "user", "content": "q"}], ["[[ ## a ## ]]\n1"])


def test_copies_share_the_answers_and_not_the_history() -> None:
    lm = DummyLM([{"a": "1"}, {"a": "2"}, {"a": "3"}])
    assert lm("q") == ["[[ ## a ## ]]\n1"]
    assert lm.copy()("q") == ["[[ ## a ## ]]\n2"]
    deep = copy.deepcopy(lm)
    assert deep("q") == ["[[ ## a ## ]]\n3"]
    assert (len(lm.history), len(deep.history)) == (1, 1)


def test_an_adapter_of_ones_own_lays_the_answers_out() -> None:
    class Loud(dspx.ChatAdapter):
        def format_assistant_message_content(
            self, signature: Any, outputs: Any, missing_field_message: Any = None
        ) -> str:
            return " ".join(f"{name.upper()}={value}" for name, value in outputs.items())

    assert DummyLM([{"a": "1", "b": 2}], adapter=Loud())("q") == ["A=1 B=2"]
