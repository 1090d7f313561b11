"""Streaming from the local server, through sockets, server-sent events and the cache."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

import dspx
from dspx.streaming import FieldDelta, Final, StreamListener, StreamResponse, stream_sync, streamify
from dspx.testing.server import Server
from tests.streaming.scripted import chat

TEXT = "one two three four five six seven"


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(model=lambda request: chat(reasoning="counting", answer=TEXT)) as running:
        yield running


def answer_in(events: list[Any]) -> list[str]:
    return [event.text for event in events if isinstance(event, FieldDelta) and event.field == "answer"]


async def events_of(program: Any) -> list[Any]:
    return [event async for event in program.stream(question="count")]


@pytest.mark.parametrize("sync", [True, False])
def test_an_answer_streams_in_pieces_and_from_the_cache_in_one(server: Server, sync: bool, tmp_path: Any):
    program = dspx.ChainOfThought("question -> answer")
    question = {"rollout_id": int(sync) + 1, "temperature": 1.0}  # not the other case's cache entry
    program.predict.update_config(**question)
    with dspx.context(lm=server.lm("anything")):
        first, second = (
            list(stream_sync(program, question="count")) if sync else asyncio.run(events_of(program))
            for _ in range(2)
        )
    assert "".join(answer_in(first)) == "".join(answer_in(second)) == TEXT
    assert len(answer_in(first)) > 3
    assert len(answer_in(second)) == 1
    assert isinstance(first[-1], Final)
    assert len(server.requests) == 1


def test_listeners_hear_it_too(server: Server):
    streamed = streamify(
        dspx.ChainOfThought("question -> answer"),
        stream_listeners=[StreamListener("answer")],
        async_streaming=False,
    )
    with dspx.context(lm=server.lm("anything", cache=False)):
        items = list(streamed(question="count"))
    heard = [item for item in items if isinstance(item, StreamResponse)]
    assert "".join(item.chunk for item in heard) == TEXT
    assert heard[-1].is_last_chunk


def test_closing_a_stream_closes_its_connection():
    with Server(model=lambda request: chat(answer="word " * 2_000), token_delay=0.005) as server:

        async def read_a_little() -> None:
            events = dspx.Predict("question -> answer").stream(question="count")
            async for event in events:
                if isinstance(event, FieldDelta):
                    break
            await events.aclose()

        with dspx.context(lm=server.lm("anything", cache=False)):
            asyncio.run(asyncio.wait_for(read_a_little(), 5))
