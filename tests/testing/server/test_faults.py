from __future__ import annotations

from http.client import HTTPException
from typing import Any

import pytest

import dspx
from dspx.testing import Server
from dspx.testing.server.faults import KINDS, Fault, Faults, fault_source, named
from tests.testing.server.raw import ask, chat, open_socket, post_bytes

PATH = "/v1/chat/completions"


def drawn(faults: Any, count: int) -> list[str | None]:
    source = fault_source(faults)
    assert source is not None
    made = [source.next() for _ in range(count)]
    return [None if fault is None else fault.kind for fault in made]


def test_the_same_seed_gives_the_same_faults() -> None:
    faults = Faults(rate_limit=0.2, reset=0.1, seed=7)
    assert drawn(faults, 50) == drawn(faults, 50) != drawn(Faults(rate_limit=0.2, reset=0.1, seed=8), 50)


def test_each_kind_has_its_share() -> None:
    kinds = drawn(Faults(rate_limit=0.2, server_error=0.1), 5000)
    assert 900 < kinds.count("rate_limit") < 1100
    assert 420 < kinds.count("server_error") < 580
    assert 3400 < kinds.count(None) < 3600


def test_a_share_is_mixed_of_what_answers_at_once() -> None:
    kinds = set(drawn(0.9, 500))
    assert kinds == {None, "rate_limit", "server_error", "reset", "reset_body", "truncated", "malformed"}
    assert Faults.mixed(0.3).share == pytest.approx(0.3)
    assert Faults.mixed(0.3, ["timeout"]).timeout == 0.3


def test_a_dict_of_shares_and_a_list_will_do() -> None:
    assert set(drawn({"reset": 1.0}, 3)) == {"reset"}
    assert drawn(["reset", None, 429, 503, Fault("late")], 7) == [
        "reset", None, "rate_limit", "server_error", "late", None, None,
    ]  # fmt: skip
    assert fault_source(None) is None


@pytest.mark.parametrize(
    "make",
    [
        lambda: fault_source({"earthquake": 1.0}),
        lambda: fault_source(["earthquake"]),
        lambda: Faults.mixed(0.1, ["earthquake"]),
        lambda: fault_source(1.5),
    ],
)
def test_what_is_no_fault_is_refused(make: Any) -> None:
    with pytest.raises(dspx.UsageError):
        make()


def test_a_late_fault_has_a_delay() -> None:
    assert named("late") == Fault("late", seconds=1.0)
    assert named(None) is None


# ---------------------------------------------------------------- as clients see them


def test_a_rate_limit_says_when_to_come_back() -> None:
    with Server("echo", faults=Faults(rate_limit=1.0, retry_after=2.5)) as server:
        answer = ask(server.port, PATH, chat())
    assert (answer.status, answer.headers["retry-after"]) == (429, "2.5")
    assert answer.json["error"]["code"] == "rate_limit_exceeded"
    assert server.stats.outcomes == {"rate_limit": 1}


def test_server_errors_have_the_statuses_asked_for() -> None:
    with Server("echo", faults=[500, 502, 503]) as server:
        assert [ask(server.port, PATH, chat()).status for _ in range(4)] == [500, 502, 503, 200]
    assert server.stats.outcomes == {"server_error": 3, "ok": 1}
    assert server.stats.failed == 3


def test_a_timeout_never_answers() -> None:
    with Server("echo", faults=["timeout"]) as server, open_socket(server.port) as sock:
        sock.settimeout(0.1)
        sock.sendall(post_bytes(chat()))
        with pytest.raises(TimeoutError):
            sock.recv(1)


def test_late_answers_come() -> None:
    with Server("echo", faults=[Fault("late", seconds=0.05)]) as server:
        assert ask(server.port, PATH, chat()).status == 200
        assert (server.requests[0].seconds or 0) >= 0.05
    assert server.stats.outcomes == {"late": 1}


def test_a_reset_is_a_reset() -> None:
    with Server("echo", faults=["reset"]) as server, pytest.raises(ConnectionResetError):
        ask(server.port, PATH, chat())


def test_a_reset_in_the_body_comes_after_some_of_it() -> None:
    with Server("echo", faults=["reset_body"]) as server, open_socket(server.port) as sock:
        sock.sendall(post_bytes(chat()))
        assert sock.recv(65536).startswith(b"HTTP/1.1 200")
        with pytest.raises(ConnectionResetError):
            sock.recv(65536)


def test_a_truncated_body_ends_too_soon() -> None:
    with Server("echo", faults=["truncated"]) as server, pytest.raises(HTTPException):
        ask(server.port, PATH, chat())


def test_a_malformed_body_is_whole_and_no_json() -> None:
    with Server("echo", faults=["malformed"]) as server:
        answer = ask(server.port, PATH, chat())
    assert answer.status == 200
    with pytest.raises(ValueError):
        _ = answer.json


def test_a_broken_stream_ends_before_its_answer() -> None:
    with Server("echo", faults=["broken_stream", None]) as server:
        broken = ask(server.port, PATH, chat("one two three", stream=True))
        whole = ask(server.port, PATH, chat("one two three", stream=True))
    assert 0 < len(broken.events) < len(whole.events)
    assert "[DONE]" not in broken.events


def test_a_garbled_stream_has_an_event_that_is_no_json() -> None:
    with Server("echo", faults=["garbled_stream"]) as server:
        answer = ask(server.port, PATH, chat("one two three", stream=True))
    assert b"<html>" in answer.body
    assert answer.body.endswith(b"data: [DONE]\n\n")


@pytest.mark.parametrize("kind", ["reset_body", "truncated"])
def test_streams_can_break_off_too(kind: str) -> None:
    with Server("echo", faults=[kind]) as server, pytest.raises((ConnectionResetError, HTTPException)):
        ask(server.port, PATH, chat("one two three", stream=True))


@pytest.mark.parametrize("kind", ["broken_stream", "garbled_stream"])
def test_faults_of_streams_spoil_whole_answers_too(kind: str) -> None:
    with Server("echo", faults=[kind]) as server, pytest.raises((HTTPException, ValueError)):
        _ = ask(server.port, PATH, chat()).json


def test_a_script_may_ask_for_faults() -> None:
    with Server([Fault("rate_limit", seconds=1.0), Fault("malformed"), "fine"]) as server:
        first, second, third = (ask(server.port, PATH, chat(model="any")) for _ in range(3))
    assert first.headers["retry-after"] == "1"
    assert b"<html>" in second.body
    assert third.json["choices"][0]["message"]["content"] == "fine"


def test_lists_of_models_and_health_checks_do_not_fail() -> None:
    with Server("echo", faults=1.0) as server:
        assert ask(server.port, "/v1/models", method="GET").status == 200


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("timeout", "late")])
def test_the_lm_gets_over_each_kind_that_answers_at_once(kind: str) -> None:
    with Server("echo", faults=[Fault(kind, seconds=0.0) if kind == "rate_limit" else kind]) as server:
        with dspx.runtime.clock.use(dspx.runtime.clock.FakeClock()):
            assert server.lm("echo", cache=False)("hello") == ["hello"]
        assert server.stats.requests == 2
