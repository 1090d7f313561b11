from __future__ import annotations

import asyncio
from typing import Any

import pytest

import dspx
from dspx.core.streams import Delta
from dspx.streaming import StreamListener, StreamResponse, streamify
from dspx.streaming.streaming_listener import find_predictor_for_stream_listeners
from tests.streaming.scripted import Streamed, chat, pieces

ONE = pieces(chat(answer="one one"))
TWO = pieces(chat(reasoning="since", answer="two two"))


class Program(dspx.Module):
    def __init__(self) -> None:
        self.a = dspx.Predict("question -> answer")
        self.b = dspx.ChainOfThought("question -> answer")

    def forward(self, question: str) -> Any:
        self.a(question=question)
        return self.b(question=question)


class Loop(dspx.Module):
    def __init__(self) -> None:
        self.a = dspx.Predict("question -> answer")

    def forward(self, question: str) -> Any:
        self.a(question=question)
        return self.a(question=question)


def heard(program: Any, lm: Streamed, *listeners: StreamListener, adapter: Any = None) -> list[Any]:
    async def read() -> list[Any]:
        streamed = streamify(program, stream_listeners=list(listeners))
        return [item async for item in streamed(question="q") if isinstance(item, StreamResponse)]

    with dspx.context(lm=lm, adapter=adapter):
        return asyncio.run(read())


def texts(responses: list[Any]) -> dict[tuple[Any, str], str]:
    found: dict[tuple[Any, str], str] = {}
    for response in responses:
        key = (response.predict_name, response.signature_field_name)
        found[key] = found.get(key, "") + response.chunk + ("|" if response.is_last_chunk else "")
    return found


def test_a_field_of_one_predictor_needs_no_more_than_its_name():
    assert texts(heard(Program(), Streamed(ONE, TWO), StreamListener("reasoning"))) == {
        ("b.predict", "reasoning"): "since|"
    }


def test_a_field_of_several_predictors_needs_to_be_told_which():
    with pytest.raises(ValueError, match=r"answer is not unique.*'a' or 'b.predict'"):
        heard(Program(), Streamed(ONE, TWO), StreamListener("answer"))


def test_the_predictor_is_given_by_itself_or_by_its_path():
    program = Program()
    listeners = [
        StreamListener("answer", predict=program.b.predict),
        StreamListener("answer", predict_name="a"),
    ]
    assert texts(heard(program, Streamed(ONE, TWO), *listeners)) == {
        ("a", "answer"): "one one|",
        ("b.predict", "answer"): "two two|",
    }


def test_a_module_that_is_no_predictor_is_refused():
    program = Program()
    with pytest.raises(ValueError, match=r"ChainOfThought, which is not a predictor"):
        heard(program, Streamed(ONE), StreamListener("answer", predict=program.b))


def test_a_name_that_no_predictor_has_is_an_error_that_lists_them():
    with pytest.raises(ValueError, match=r"called 'c'.*'a': \['answer'\]"):
        heard(Program(), Streamed(ONE), StreamListener("answer", predict_name="c"))


@pytest.mark.parametrize(("reuse", "said"), [(False, "one one|"), (True, "one one|one one|")])
def test_a_listener_hears_one_call_or_with_reuse_every_call(reuse: bool, said: str):
    listener = StreamListener("answer", allow_reuse=reuse)
    assert texts(heard(Loop(), Streamed(ONE), listener)) == {("a", "answer"): said}


def test_a_listener_hears_again_when_the_program_is_called_again():
    listener = StreamListener("answer")
    for _ in range(2):
        assert texts(heard(Loop(), Streamed(ONE), listener)) == {("a", "answer"): "one one|"}


def test_an_answer_in_one_piece_is_not_streamed():
    assert heard(Loop(), Streamed("".join(ONE)), StreamListener("answer")) == []


def test_the_first_piece_is_not_lost_when_there_is_a_second():
    first, second = "[[ ## answer ## ]]\nall of", " it\n\n[[ ## completed ## ]]"
    assert texts(heard(Loop(), Streamed([first, second]), StreamListener("answer"))) == {
        ("a", "answer"): "all of it|"
    }


def test_neighbouring_fields_each_end_with_a_last_chunk():
    responses = heard(
        dspx.Predict("question -> reasoning, answer"),
        Streamed(TWO),
        StreamListener("reasoning"),
        StreamListener("answer"),
    )
    fields = [response.signature_field_name for response in responses]
    assert fields == sorted(fields, reverse=True)
    assert texts(responses) == {("self", "reasoning"): "since|", ("self", "answer"): "two two|"}


@pytest.mark.parametrize(
    ("adapter", "answer"),
    [
        (dspx.JSONAdapter(), '{"reasoning": "be\\ncause", "answer": "Lis\\u0062on"}'),
        (dspx.XMLAdapter(), "<reasoning>\nbe\ncause\n</reasoning>\n<answer>Lisbon</answer>"),
        (dspx.ChatAdapter(), chat(reasoning="be\ncause", answer="Lisbon")),
    ],
)
def test_chunks_are_the_value_whatever_the_layout(adapter: Any, answer: str):
    responses = heard(
        dspx.Predict("question -> reasoning, answer"),
        Streamed(pieces(answer, 3)),
        StreamListener("reasoning"),
        StreamListener("answer"),
        adapter=adapter,
    )
    assert texts(responses) == {("self", "reasoning"): "be\ncause|", ("self", "answer"): "Lisbon|"}


def test_an_answer_asked_for_again_streams_again_after_a_last_chunk():
    bad = pieces("[[ ## answer ## ]]\nall wrong\n\n[[ ## completed ## ]]")
    good = pieces('{"answer": "right", "count": 3}')
    responses = heard(
        dspx.Predict("question -> answer, count: int"), Streamed(bad, good), StreamListener("answer")
    )
    assert texts(responses) == {("self", "answer"): "all wrong|right|"}


def test_pieces_that_are_not_text_come_as_they_are():
    citation = {
        "type": "char_location",
        "cited_text": "so",
        "document_index": 0,
        "start_char_index": 0,
        "end_char_index": 2,
    }
    text = chat(answer="yes", sources="[]")
    answer = [Delta("", "text", 0, {"citation": citation}), *pieces(text)]
    signature = dspx.Signature("question -> answer").append("sources", dspx.OutputField(), dspx.Citations)
    responses = heard(dspx.Predict(signature), Streamed(answer), StreamListener("sources"))
    assert responses[0].chunk.citations[0].cited_text == "so"


def test_resolving_finds_the_predictor_and_leaves_the_listener_as_it_is():
    program = Program()
    listener = StreamListener("reasoning")
    ((key, (listened,)),) = find_predictor_for_stream_listeners(program, [listener]).items()
    assert key == id(program.b.predict) == id(listened.predict)
    assert listened.predict_name == "b.predict"
    assert repr(listener) == "StreamListener('reasoning', predict_name=None)"
