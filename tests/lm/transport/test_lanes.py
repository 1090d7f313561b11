"""Connections that wait for their next call."""

from __future__ import annotations

import socket
import time
from collections.abc import Generator

import pytest

from dspx.lm.transport import lanes
from dspx.lm.transport.lanes import Lane, Lanes

ORIGIN = ("http", "127.0.0.1:9")


@pytest.fixture
def kept() -> Generator[Lanes]:
    all_lanes = Lanes()
    yield all_lanes
    all_lanes.close()


def connected(lane: Lane) -> socket.socket:
    """Connect the lane; its other end."""
    lane.connection.sock, there = socket.socketpair()
    return there


def test_the_last_that_was_given_is_taken_first(kept: Lanes) -> None:
    first, second = kept.take(ORIGIN), kept.take(ORIGIN)
    with connected(first), connected(second):
        assert kept.busy == 2
        kept.give(first)
        kept.give(second)
        assert (kept.busy, kept.count()) == (0, 2)
        assert kept.take(("http", "elsewhere:9")).origin[1] == "elsewhere:9"
        assert kept.take(ORIGIN) is second
        assert (kept.busy, kept.count(), second.used) == (2, 1, True)
        kept.drop(second)


def test_a_lane_that_the_server_ended_is_not_kept(kept: Lanes) -> None:
    lane = kept.take(ORIGIN)
    kept.give(lane)  # http.client closed it: the server said that it would
    assert (kept.busy, kept.count()) == (0, 0)


def test_a_dropped_lane_is_closed(kept: Lanes) -> None:
    lane = kept.take(ORIGIN)
    with connected(lane) as there:
        kept.drop(lane)
        assert there.recv(1) == b""
    assert kept.busy == 0


def test_a_lane_that_died_while_it_waited_is_replaced(kept: Lanes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "FRESH_SECONDS", 0.0)
    lane = kept.take(ORIGIN)
    connected(lane).close()
    kept.give(lane)
    assert kept.take(ORIGIN) is not lane
    assert kept.busy == 1


def test_a_lane_is_not_kept_for_longer_than_servers_do(kept: Lanes) -> None:
    lane = kept.take(ORIGIN)
    with connected(lane):
        kept.give(lane)
        lane.idle_since = time.monotonic() - lanes.KEPT_SECONDS - 1
        assert kept.take(ORIGIN) is not lane


def test_an_address_that_cannot_be_had_leaves_nobody_busy(
    kept: Lanes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*origin: str) -> None:
        raise ValueError

    monkeypatch.setattr(lanes, "connection_to", refuse)
    with pytest.raises(ValueError):
        kept.take(ORIGIN)
    assert kept.busy == 0
