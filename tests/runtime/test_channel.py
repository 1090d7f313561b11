from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from dspx.runtime.bridge import run
from dspx.runtime.channel import Channel, ReaderGone, start, start_on_background_loop
from tests.loops import in_a_loop


@in_a_loop
async def test_items_put_before_the_reader_comes_are_taken_at_once_in_order() -> None:
    channel: Channel[int] = Channel()
    channel.put(1)
    channel.put(2)
    assert await channel.take() == [1, 2]


@in_a_loop
async def test_a_reader_wakes_when_another_thread_puts() -> None:
    channel: Channel[int] = Channel()
    reading = asyncio.ensure_future(channel.take())
    await asyncio.sleep(0)
    thread = threading.Thread(target=channel.put, args=(7,))
    thread.start()
    assert await reading == [7]
    thread.join()


def test_a_blocking_reader_wakes_when_a_thread_puts() -> None:
    channel: Channel[int] = Channel()
    thread = threading.Timer(0.02, channel.put, (7,))
    thread.start()
    assert run(channel.take()) == [7]
    thread.join()


@in_a_loop
async def test_the_reader_gets_what_is_there_and_then_the_error() -> None:
    channel: Channel[int] = Channel()
    channel.put(1)
    channel.end(KeyError("boom"))
    assert await channel.take() == [1]
    with pytest.raises(KeyError, match="boom"):
        await channel.take()


@in_a_loop
async def test_after_the_end_nothing_comes() -> None:
    channel: Channel[int] = Channel()
    channel.end()
    assert await channel.take() == []
    assert await channel.take() == []


@in_a_loop
async def test_unread_items_that_can_be_joined_do_not_pile_up() -> None:
    channel: Channel[str] = Channel(limit=10, merge=lambda last, new: last + new)
    for _ in range(10_000):
        channel.put("x")
    items = await channel.take()
    assert len(items) == 10
    assert "".join(items) == "x" * 10_000


@in_a_loop
async def test_send_waits_for_the_reader_when_much_is_unread() -> None:
    channel: Channel[int] = Channel(limit=2)
    sent: list[int] = []

    async def work() -> None:
        for number in range(6):
            await channel.send(number)
            sent.append(number)

    working = asyncio.ensure_future(work())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert sent == [0, 1]
    read: list[int] = []
    while len(read) < 6:
        read += await channel.take()
        await asyncio.sleep(0)
    await working
    assert read == list(range(6))


@in_a_loop
async def test_who_waits_to_send_learns_that_the_reader_is_gone() -> None:
    channel: Channel[int] = Channel(limit=1)
    channel.put(1)
    sending = asyncio.ensure_future(channel.send(2))
    await asyncio.sleep(0)
    channel.close()
    with pytest.raises(ReaderGone):
        await sending


def test_put_on_a_closed_channel_ends_the_work_through_any_except_exception() -> None:
    channel: Channel[int] = Channel()
    channel.close()

    def work() -> None:
        try:
            channel.put(1)
        except Exception:
            pytest.fail("ReaderGone must not be taken for an error of the program")

    with pytest.raises(ReaderGone):
        work()


def test_a_reader_whose_loop_is_closed_does_not_trouble_who_puts() -> None:
    channel: Channel[int] = Channel()

    async def give_up() -> None:
        reading = asyncio.ensure_future(channel.take())
        await asyncio.sleep(0)
        reading.cancel()

    asyncio.run(give_up())
    channel.put(1)
    assert run(channel.take()) == [1]


@in_a_loop
async def test_work_in_an_async_call_is_a_task_and_cancelling_waits_for_its_end() -> None:
    channel: Channel[str] = Channel()
    ended: list[str] = []

    async def work() -> None:
        channel.put("begun")
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("tidied")

    job = start(work, channel)
    assert await channel.take() == ["begun"]
    channel.close()
    await job.cancel()
    assert ended == ["tidied"]
    with pytest.raises(asyncio.CancelledError):
        await channel.take()


def test_work_in_a_sync_call_runs_on_another_thread_with_its_context() -> None:
    channel: Channel[Any] = Channel()

    async def work() -> None:
        channel.put(threading.current_thread())

    async def begin() -> None:
        start(work, channel)

    run(begin())
    assert run(channel.take()) != [threading.current_thread()]
    assert run(channel.take()) == []


def test_work_on_the_background_loop_may_really_await() -> None:
    channel: Channel[int] = Channel()

    async def work() -> None:
        await asyncio.sleep(0.001)
        channel.put(5)

    start_on_background_loop(work, channel)
    assert run(channel.take()) == [5]
    assert run(channel.take()) == []
