from __future__ import annotations

import asyncio
import inspect
from typing import Any

import pytest

import dspx
from dspx.core.streams import Delta
from dspx.streaming import (
    StatusMessage,
    StreamChunk,
    StreamListener,
    StreamResponse,
    apply_sync_streaming,
    streamify,
)
from tests.loops import in_a_loop
from tests.streaming.scripted import Streamed, chat, pieces

ANSWER = pieces(chat(answer="one two"))


async def items_of(streamed: Any, **inputs: Any) -> list[Any]:
    return [item async for item in streamed(**inputs)]


@in_a_loop
async def test_listeners_hear_their_field_and_the_prediction_comes_last():
    program = dspx.Predict("question -> answer")
    with dspx.context(lm=Streamed(ANSWER)):
        items = await items_of(streamify(program, stream_listeners=[StreamListener("answer")]), question="q")
    *heard, last = items
    assert all(type(item) is StreamResponse for item in heard)
    assert "".join(item.chunk for item in heard) == "one two"
    assert [item.is_last_chunk for item in heard] == [*[False] * (len(heard) - 1), True]
    assert {(item.predict_name, item.signature_field_name) for item in heard} == {("self", "answer")}
    assert last == dspx.Prediction(answer="one two")


@in_a_loop
async def test_without_listeners_the_models_chunks_come_in_openais_shape():
    program = dspx.Predict("question -> answer")
    answer = [Delta("hm", "reasoning"), *ANSWER]
    with dspx.context(lm=Streamed(answer)):
        *chunks, prediction = await items_of(streamify(program), question="q")
    assert all(type(chunk) is StreamChunk for chunk in chunks)
    assert chunks[0].choices[0].delta.reasoning_content == "hm"
    assert [chunk.choices[0].delta.content for chunk in chunks[1:-1]] == ANSWER
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert {(chunk.model, chunk.predict_id) for chunk in chunks} == {("scripted", id(program))}
    assert prediction.answer == "one two"


@in_a_loop
async def test_the_prediction_can_be_left_out():
    streamed = streamify(
        dspx.Predict("question -> answer"),
        stream_listeners=[StreamListener("answer")],
        include_final_prediction_in_output_stream=False,
    )
    with dspx.context(lm=Streamed(ANSWER)):
        assert not any(isinstance(item, dspx.Prediction) for item in await items_of(streamed, question="q"))


@in_a_loop
async def test_the_prediction_comes_after_all_where_nothing_was_heard():
    streamed = streamify(
        dspx.Predict("question -> answer"),
        stream_listeners=[StreamListener("answer")],
        include_final_prediction_in_output_stream=False,
    )
    with dspx.context(lm=Streamed("".join(ANSWER))):
        assert await items_of(streamed, question="q") == [dspx.Prediction(answer="one two")]


def test_a_sync_stream_is_an_ordinary_generator():
    streamed = streamify(
        dspx.Predict("question -> answer"),
        stream_listeners=[StreamListener("answer")],
        async_streaming=False,
    )
    with dspx.context(lm=Streamed(ANSWER)):
        items = streamed(question="q")
        assert inspect.isgenerator(items)
        assert "".join(item.chunk for item in items if isinstance(item, StreamResponse)) == "one two"


class Errs(dspx.Module):
    async def aforward(self) -> Any:
        raise KeyError("boom")


@in_a_loop
async def test_an_error_of_the_program_is_raised_as_it_is():
    with pytest.raises(KeyError, match="boom"):
        await items_of(streamify(Errs(), is_async_program=True))


def test_a_listener_of_a_field_that_is_not_there_fails_at_once():
    with pytest.raises(ValueError, match=r"output field 'foo'.*answer"):
        streamify(dspx.Predict("question -> answer"), stream_listeners=[StreamListener("foo")])


class Searches(dspx.Module):
    """Says what it does, through a tool in all but name."""

    async def aforward(self) -> Any:
        from dspx.core.events import aobserve

        class Tool:
            def __init__(self, name: str) -> None:
                self.name = name

        async def work() -> int:
            return 3

        for name in ("search", "finish"):
            await aobserve("tool", Tool(name), lambda: {"kwargs": {}}, work)
        return dspx.Prediction(answer="x")


@in_a_loop
async def test_tools_are_announced_but_not_the_one_that_finishes():
    items = await items_of(streamify(Searches()))
    assert items[:-1] == [
        StatusMessage("Calling tool search..."),
        StatusMessage("Tool calling finished! Querying the LLM with tool calling results..."),
    ]


class Talkative(dspx.streaming.StatusMessageProvider):
    def module_start_status_message(self, instance: Any, inputs: dict[str, Any]) -> str:
        return f"{type(instance).__name__} starts with {inputs['kwargs']}"

    def module_end_status_message(self, outputs: Any) -> str:
        return f"module gave {outputs.answer}"

    def lm_start_status_message(self, instance: Any, inputs: dict[str, Any]) -> str:
        return f"{instance.model} is asked with {sorted(inputs)}"

    def lm_end_status_message(self, outputs: Any) -> str:
        return f"lm gave {len(outputs)}"

    def tool_start_status_message(self, instance: Any, inputs: dict[str, Any]) -> str:
        raise ValueError("a broken provider")


@in_a_loop
async def test_a_provider_says_where_the_program_is():
    program = dspx.Predict("question -> answer")
    streamed = streamify(program, Talkative(), [StreamListener("answer")])
    with dspx.context(lm=Streamed(ANSWER)):
        items = await items_of(streamed, question="q")
    assert [item.message for item in items if isinstance(item, StatusMessage)] == [
        "Predict starts with {'question': 'q'}",
        "scripted is asked with ['kwargs', 'messages', 'prompt']",
        "lm gave 1",
        "module gave one two",
    ]
    assert isinstance(items[2], StreamResponse)


@in_a_loop
async def test_a_provider_that_fails_does_not_stop_the_program():
    assert (await items_of(streamify(Searches(), Talkative())))[-1].answer == "x"


def test_any_async_generator_can_be_read_from_sync_code():
    closed: list[bool] = []

    async def numbers() -> Any:
        try:
            for number in range(5):
                await asyncio.sleep(0)
                yield number
        finally:
            closed.append(True)

    assert list(apply_sync_streaming(numbers())) == [0, 1, 2, 3, 4]
    assert closed == [True]


def test_an_error_of_an_async_generator_reaches_sync_code():
    async def fails() -> Any:
        yield 1
        raise KeyError("boom")

    items = apply_sync_streaming(fails())
    assert next(items) == 1
    with pytest.raises(KeyError, match="boom"):
        next(items)


def test_sync_reading_of_an_async_generator_works_inside_a_running_loop():
    async def one() -> Any:
        yield 1

    async def notebook() -> list[Any]:
        return list(apply_sync_streaming(one()))

    assert asyncio.run(notebook()) == [1]
