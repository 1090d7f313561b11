from __future__ import annotations

import asyncio
import json
import threading
from collections import defaultdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dspx
from dspx.core.streams import Delta
from dspx.errors import AdapterParseError
from dspx.streaming import FieldDelta, FieldDone, Final, Restart, StatusMessage, stream, stream_sync
from tests.loops import in_a_loop
from tests.streaming.scripted import Streamed, chat, pieces

ANSWER = chat(reasoning="because of it", answer="Lisbon, of course")


async def events_of(program: Any, **inputs: Any) -> list[Any]:
    return [event async for event in program.stream(**inputs)]


def said(events: list[Any]) -> dict[tuple[int, str], str]:
    """What the deltas say of each field, Restarts obeyed; checks every cut against the value that follows."""
    values = {(event.call, event.field): event.value for event in events if isinstance(event, FieldDone)}
    restarts = sum(isinstance(event, Restart) for event in events)
    texts: dict[tuple[int, str], str] = defaultdict(str)
    for event in events:
        if isinstance(event, FieldDelta):
            texts[event.call, event.field] += event.text
            if not restarts:
                assert str(values[event.call, event.field]).startswith(texts[event.call, event.field])
        elif isinstance(event, Restart):
            for key in [key for key in texts if key[0] == event.call and event.field in (None, key[1])]:
                del texts[key]
    return dict(texts)


class Twice(dspx.Module):
    def __init__(self) -> None:
        self.first = dspx.Predict("question -> answer")
        self.then = dspx.ChainOfThought("question -> answer")

    def forward(self, question: str) -> Any:
        return self.then(question=self.first(question=question).answer)


@in_a_loop
async def test_a_stream_gives_pieces_then_values_then_the_prediction():
    with dspx.context(lm=Streamed(pieces(ANSWER))):
        events = await events_of(dspx.Predict("question -> reasoning, answer"), question="q")
    assert [type(event) for event in events[-3:]] == [FieldDone, FieldDone, Final]
    assert said(events) == {(0, "reasoning"): "because of it", (0, "answer"): "Lisbon, of course"}
    assert events[-1].prediction.answer == "Lisbon, of course"
    assert len([event for event in events if isinstance(event, FieldDelta)]) > 5


def test_the_sync_stream_gives_the_same_events():
    program = dspx.Predict("question -> reasoning, answer")
    with dspx.context(lm=Streamed(pieces(ANSWER))):
        there = list(stream_sync(program, question="q"))
        here = asyncio.run(events_of(program, question="q"))
    assert said(there) == said(here)
    assert there[-1].prediction == here[-1].prediction


@in_a_loop
async def test_events_name_the_leaf_by_its_path_and_count_the_calls():
    lm = Streamed(pieces(chat(answer="one")), pieces(ANSWER))
    with dspx.context(lm=lm):
        events = await events_of(Twice(), question="q")
    named = {(event.predictor, event.call) for event in events if isinstance(event, FieldDelta)}
    assert named == {("first", 0), ("then.predict", 1)}


@in_a_loop
async def test_pieces_come_while_the_model_still_speaks():
    heard = asyncio.Event()

    async def between() -> None:
        if program_waits:
            await asyncio.wait_for(heard.wait(), 2)

    program_waits = False
    lm = Streamed(["[[ ## answer ## ]]\nfirst", " second", "\n\n[[ ## completed ## ]]"], between=between)
    with dspx.context(lm=lm):
        program_waits = True
        async for event in stream(dspx.Predict("question -> answer"), question="q"):
            if isinstance(event, FieldDelta):
                assert event.text == "first"
                heard.set()
                program_waits = False
                break


@in_a_loop
async def test_an_answer_that_comes_whole_is_one_piece_per_field():
    with dspx.context(lm=Streamed(ANSWER)):
        events = await events_of(dspx.Predict("question -> reasoning, answer"), question="q")
    assert [event.text for event in events if isinstance(event, FieldDelta)] == [
        "because of it",
        "Lisbon, of course",
    ]


@in_a_loop
async def test_the_values_are_typed():
    with dspx.context(lm=Streamed(pieces("[[ ## scores ## ]]\n[1, 2]\n\n[[ ## completed ## ]]"))):
        events = await events_of(dspx.Predict("question -> scores: list[int]"), question="q")
    assert FieldDone("self", "scores", [1, 2], 0) in events
    assert said(events)[0, "scores"] == "[1, 2]"


@in_a_loop
async def test_only_the_first_of_several_completions_is_followed():
    answer = [Delta(piece, index=index) for piece in pieces(ANSWER) for index in (1, 0)]
    with dspx.context(lm=Streamed(answer)):
        events = await events_of(dspx.Predict("question -> reasoning, answer"), question="q")
    texts = "".join(e.text for e in events if isinstance(e, FieldDelta) and e.field == "answer")
    assert texts.count("Lisbon") == 1


class Thinking(Streamed):
    supports_reasoning = True  # pyright: ignore[reportAssignmentType]


@in_a_loop
async def test_reasoning_of_the_model_itself_streams_as_the_reasoning_field():
    answer = [Delta("I think", "reasoning"), Delta(" so", "reasoning"), *pieces(chat(answer="yes"))]
    signature = dspx.Signature("question -> answer").prepend("thoughts", dspx.OutputField(), dspx.Reasoning)
    with dspx.context(lm=Thinking(answer)):
        events = await events_of(dspx.Predict(signature), question="q")
    assert said(events) == {(0, "thoughts"): "I think so", (0, "answer"): "yes"}


# ---------------------------------------------------------------- the pieces are the value


@st.composite
def chunked(draw: Any, text: str) -> list[str]:
    cuts = draw(st.lists(st.integers(0, len(text)), max_size=30).map(sorted))
    return [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]


VALUES = st.text(alphabet=st.sampled_from('ab [#]{}<>"\\&\n\t,:é😀'), max_size=40)
PLAIN = st.text(alphabet=st.sampled_from("ab []{}\"'\n\t,:é😀"), max_size=40)


@given(data=st.data(), answer=VALUES, more=VALUES)
def test_the_pieces_of_a_chat_answer_are_the_value_at_every_cut(data: Any, answer: str, more: str):
    check(data, dspx.ChatAdapter(), chat(answer=answer, more=more), once=True)


@given(data=st.data(), answer=VALUES, more=VALUES, ascii=st.booleans())
def test_the_pieces_of_a_json_answer_are_the_value_at_every_cut(
    data: Any, answer: str, more: str, ascii: bool
):
    text = json.dumps({"answer": answer, "more": more}, ensure_ascii=ascii)
    check(data, dspx.JSONAdapter(), text, once=True)


@given(data=st.data(), answer=PLAIN, more=PLAIN)
def test_the_pieces_of_an_xml_answer_are_the_value_at_every_cut(data: Any, answer: str, more: str):
    check(data, dspx.XMLAdapter(), xml(answer, more), once=True)


@given(data=st.data(), answer=VALUES, more=VALUES)
def test_whatever_the_answer_looks_like_the_pieces_come_to_be_the_value(data: Any, answer: str, more: str):
    check(data, dspx.XMLAdapter(), xml(answer, more), once=False)


def xml(answer: str, more: str) -> str:
    return f"<answer>\n{answer}\n</answer>\n<more>\n{more}\n</more>"


def check(data: Any, adapter: Any, text: str, once: bool) -> None:
    """`once`: nothing is ever taken back."""
    program = dspx.Predict("question -> answer, more")
    with dspx.context(lm=Streamed(data.draw(chunked(text))), adapter=adapter):
        try:
            expected = program(question="q")
        except AdapterParseError:
            return
        events = list(stream_sync(program, question="q"))
    texts = said(events)
    assert texts.get((0, "answer"), "") == expected.answer
    assert texts.get((0, "more"), "") == expected.more
    assert events[-1] == Final(expected)
    assert not (once and any(isinstance(event, Restart) for event in events))


# ---------------------------------------------------------------- asked again


@in_a_loop
async def test_an_answer_that_is_asked_for_again_takes_back_what_was_said():
    bad = pieces("[[ ## answer ## ]]\nall wrong\n\n[[ ## completed ## ]]")
    with dspx.context(lm=Streamed(bad, pieces('{"answer": "right", "count": 3}'))):
        events = await events_of(dspx.Predict("question -> answer, count: int"), question="q")
    kinds = [type(event) for event in events]
    assert kinds.index(FieldDelta) < kinds.index(Restart)
    assert said(events)[0, "answer"] == "right"
    assert said(events)[0, "count"] == "3"


class Shouting(dspx.ChatAdapter):
    """Its values are not the text that streams."""

    def parse(self, signature: Any, completion: str) -> dict[str, Any]:
        return {name: value.upper() for name, value in super().parse(signature, completion).items()}

    def field_stream(self, signature: Any) -> Any:
        return dspx.ChatAdapter().field_stream(signature)


@in_a_loop
async def test_a_value_that_differs_from_what_was_said_is_said_again():
    with dspx.context(lm=Streamed(pieces(chat(answer="quiet"))), adapter=Shouting()):
        events = await events_of(dspx.Predict("question -> answer"), question="q")
    assert Restart("self", "answer", 0) in events
    assert said(events) == {(0, "answer"): "QUIET"}


class Whole(dspx.ChatAdapter):
    def field_stream(self, signature: Any) -> None:
        return None


@in_a_loop
async def test_an_adapter_that_reads_answers_only_whole_gives_each_field_in_one_piece():
    with dspx.context(lm=Streamed(pieces(ANSWER)), adapter=Whole()):
        events = await events_of(dspx.Predict("question -> reasoning, answer"), question="q")
    assert said(events) == {(0, "reasoning"): "because of it", (0, "answer"): "Lisbon, of course"}
    assert sum(isinstance(event, FieldDelta) for event in events) == 2


# ---------------------------------------------------------------- threads, errors, cancelling


class Both(dspx.Module):
    def __init__(self) -> None:
        self.ask = dspx.Predict("question -> answer")

    def forward(self) -> Any:
        results = dspx.Parallel(num_threads=4, disable_progress_bar=True)(
            [(self.ask, {"question": f"{number}"}) for number in range(8)]
        )
        return dspx.Prediction(answers=[result.answer for result in results])


@pytest.mark.parametrize("sync", [True, False])
def test_events_of_parallel_calls_of_one_leaf_are_told_apart(sync: bool):
    with dspx.context(lm=Streamed(pieces(chat(answer="same answer")))):
        events = list(stream_sync(Both())) if sync else asyncio.run(events_of(Both()))
    assert said(events) == {(call, "answer"): "same answer" for call in range(8)}
    assert len(events[-1].prediction.answers) == 8


class Fails(dspx.Module):
    def __init__(self) -> None:
        self.ask = dspx.Predict("question -> answer")

    def forward(self, question: str) -> Any:
        self.ask(question=question)
        raise KeyError("boom")


def test_an_error_of_the_program_comes_after_the_events_before_it():
    async def read(events: list[Any]) -> None:
        async for event in Fails().stream(question="q"):
            events.append(event)

    for attempt in (lambda events: asyncio.run(read(events)), _read_sync):
        events: list[Any] = []
        with (
            dspx.context(lm=Streamed(pieces(chat(answer="x")))),
            pytest.raises(KeyError, match="boom"),
        ):
            attempt(events)
        assert said(events) == {(0, "answer"): "x"}


def _read_sync(events: list[Any]) -> None:
    for event in stream_sync(Fails(), question="q"):
        events.append(event)


class Slow(dspx.Module):
    def __init__(self) -> None:
        self.ask = dspx.Predict("question -> answer")
        self.ended = threading.Event()

    async def aforward(self, question: str) -> Any:
        await self.ask.acall(question=question)
        try:
            await asyncio.sleep(60)
        finally:
            self.ended.set()


@in_a_loop
async def test_closing_the_generator_cancels_the_program():
    program = Slow()
    with dspx.context(lm=Streamed(pieces(chat(answer="x")))):
        events = program.stream(question="q")
        async for _ in events:
            break
        await events.aclose()
    assert program.ended.is_set()


class Endless(dspx.Module):
    """Streams on until it is stopped."""

    def __init__(self) -> None:
        self.stopped = threading.Event()

    def forward(self) -> Any:
        stream = dspx.settings.send_stream
        try:
            for number in range(10_000_000):
                stream.send_nowait(number)
                self.stopped.wait(0.0005)
        except BaseException:
            self.stopped.set()
            raise


def test_closing_a_sync_stream_stops_the_program_at_its_next_piece():
    program = Endless()
    events = stream_sync(program)
    assert next(events) == 0
    events.close()
    assert program.stopped.wait(2)


@in_a_loop
async def test_closing_an_async_stream_stops_a_sync_program_too():
    program = Endless()
    events = stream(program)
    assert await anext(events) == 0
    await events.aclose()
    assert await asyncio.to_thread(program.stopped.wait, 2)


def test_a_stream_that_is_not_read_stays_small():
    read = threading.Event()

    class Talks(dspx.Module):
        def __init__(self) -> None:
            self.ask = dspx.Predict("question -> answer")

        def forward(self) -> Any:
            answer = self.ask(question="q")
            read.set()
            return answer

    text = "word " * 20_000 + "end"
    with dspx.context(lm=Streamed(pieces(chat(answer=text), 5))):
        events = stream_sync(Talks())
        first = next(events)
        assert read.wait(10)
        rest = list(events)
    assert len(rest) < 5_000
    assert said([first, *rest]) == {(0, "answer"): text}


# ---------------------------------------------------------------- the program's own objects


class Tells(dspx.Module):
    async def aforward(self) -> Any:
        stream = dspx.settings.send_stream
        await stream.send({"step": 1})
        await stream.send(StatusMessage("searching"))
        return dspx.Prediction(answer="x")


def test_objects_that_the_program_sends_come_through_as_they_are():
    expected = [{"step": 1}, StatusMessage("searching"), Final(dspx.Prediction(answer="x"))]
    assert asyncio.run(events_of(Tells())) == expected
    assert list(stream_sync(Tells())) == expected


def test_outside_a_stream_there_is_nowhere_to_send():
    assert dspx.settings.send_stream is None


def test_a_streamed_call_is_a_normal_call():
    """Usage, history and trace are kept as in any other call."""
    lm = Streamed(pieces(chat(answer="x")))
    program = dspx.Predict("question -> answer")
    trace: list[Any] = []
    with dspx.context(lm=lm, trace=trace):
        list(stream_sync(program, question="q"))
    assert len(lm.history) == len(program.history) == len(trace) == 1


def test_streaming_inside_a_running_loop_with_the_sync_generator_works():
    async def notebook() -> list[Any]:
        return list(stream_sync(dspx.Predict("question -> answer"), question="q"))  # as a cell would

    with dspx.context(lm=Streamed(pieces(chat(answer="x")))):
        assert asyncio.run(notebook())[-1].prediction.answer == "x"


class Copies(dspx.Module):
    def __init__(self) -> None:
        self.ask = dspx.Predict("question -> answer")

    async def aforward(self) -> Any:
        await self.ask.deepcopy().acall(question="q")
        return await dspx.Predict("question -> answer").acall(question="q")


@in_a_loop
async def test_a_copy_of_a_leaf_has_its_path_and_a_leaf_made_on_the_way_the_name_of_its_class():
    with dspx.context(lm=Streamed(pieces(chat(answer="x")))):
        events = await events_of(Copies())
    assert [event.predictor for event in events if isinstance(event, FieldDone)] == ["ask", "Predict"]


@in_a_loop
async def test_a_plain_function_that_calls_modules_streams_too():
    leaf = dspx.Predict("question -> answer")

    def program(question: str) -> Any:
        return leaf(question=question)

    with dspx.context(lm=Streamed(pieces(chat(answer="x")))):
        events = [event async for event in stream(program, question="q")]
    assert said(events) == {(0, "answer"): "x"}
