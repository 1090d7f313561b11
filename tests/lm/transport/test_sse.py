from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dspx.lm.transport.sse import EventParser, ServerEvent

STREAM = (
    "\ufeff: a comment\n"
    "data: one\n\n"
    "event: delta\ndata: two\ndata:  lines\ndata\n\n"
    "id: 7\nretry: 10\n\n"
    "event: unused\n\n"
    "data:thrée 🎉\n\n"
    "data: {not cut}"
)
EVENTS = [
    ServerEvent(None, "one"),
    ServerEvent("delta", "two\n lines\n"),
    ServerEvent(None, "thrée 🎉"),
    ServerEvent(None, "{not cut}"),
]


def parse(data: bytes, cuts: list[int]) -> list[ServerEvent]:
    parser = EventParser()
    edges = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    events: list[ServerEvent] = []
    for start, stop in pairwise(edges):
        events += parser.feed(data[start:stop])
    return events + parser.finish()


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@given(cuts=st.lists(st.integers(0, 400)))
def test_events_are_the_same_however_the_bytes_are_cut(line_end: str, cuts: list[int]) -> None:
    assert parse(STREAM.replace("\n", line_end).encode(), cuts) == EVENTS


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_events_are_the_same_byte_by_byte(line_end: str) -> None:
    data = STREAM.replace("\n", line_end).encode()
    assert parse(data, list(range(len(data)))) == EVENTS


def test_an_event_is_given_as_soon_as_its_empty_line_is_there() -> None:
    parser = EventParser()
    assert parser.feed(b"data: x\r\n\r") == [ServerEvent(None, "x")]
    assert parser.feed(b"\ndata: y\n\n") == [ServerEvent(None, "y")]


def test_broken_utf8_does_not_stop_a_stream() -> None:
    assert EventParser().feed(b"data: a\xff\n\n") == [ServerEvent(None, "a\ufffd")]
