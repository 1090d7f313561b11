from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

import dspx
from dspx.core.streams import Delta, sink
from dspx.lm import transport
from dspx.testing import Cassette, CassetteMiss, ScriptedLM, Server, check_lm


class Kept:
    def __init__(self) -> None:
        self.text = ""

    def on_call(self) -> None: ...
    def on_delta(self, delta: Delta) -> None:
        self.text += delta.text

    def on_prediction(self, prediction: Any) -> None: ...


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cassettes" / "test.json"


# ---------------------------------------------------------------- one LM


def test_a_wrapped_lm_is_asked_once_and_replayed_after(path: Path) -> None:
    lm = ScriptedLM([{"text": "one", "reasoning_content": "r"}])
    first = Cassette(path).lm(lm)("q")
    second = Cassette(path, "replay").lm(ScriptedLM([]))("q")
    assert first == second == [{"text": "one", "reasoning_content": "r"}]
    assert len(lm.requests) == 1


def test_replaying_what_was_not_recorded_says_what_was_asked(path: Path) -> None:
    lm = Cassette(path, "replay").lm(ScriptedLM(["x"]))
    with pytest.raises(CassetteMiss, match=r"no such file.*Is it\?"):
        lm("Is it?")


def test_other_settings_are_another_request(path: Path) -> None:
    recorded = Cassette(path).lm(ScriptedLM(["cold", "hot", "again"]))
    assert [recorded("q"), recorded("q", temperature=1.0), recorded("q", rollout_id=1)] == [
        ["cold"],
        ["hot"],
        ["again"],
    ]
    replayed = Cassette(path, "replay").lm(ScriptedLM([]))
    assert [replayed("q", rollout_id=1), replayed("q"), replayed("q", temperature=1.0)] == [
        ["again"],
        ["cold"],
        ["hot"],
    ]


def test_equal_requests_get_their_answers_in_order(path: Path) -> None:
    recorded = Cassette(path, "record").lm(ScriptedLM(["one", "two"]))
    assert [recorded("q"), recorded("q")] == [["one"], ["two"]]
    replayed = Cassette(path, "replay")
    lm = replayed.lm(ScriptedLM([]))
    assert [lm("q"), lm("q"), lm("q")] == [["one"], ["two"], ["two"]]
    assert (replayed.replayed, replayed.recorded, len(replayed)) == (3, 0, 2)


def test_recording_writes_the_file_anew(path: Path) -> None:
    Cassette(path, "record").lm(ScriptedLM(["old"]))("q")
    Cassette(path, "record").lm(ScriptedLM(["new"]))("q")
    assert Cassette(path, "replay").lm(ScriptedLM([]))("q") == ["new"]


def test_a_recorded_lm_keeps_the_contract_of_lms(path: Path) -> None:
    check_lm(Cassette(path, "record").lm(ScriptedLM(["hello"], repeat=True)))


# ---------------------------------------------------------------- all of HTTP


def test_everything_in_the_block_is_recorded_and_replayed(path: Path) -> None:
    with Server() as server, Cassette(path):
        lm = server.lm("echo")
        embedder = dspx.Embedder("openai/x", api_base=server.api_base, api_key="none")
        said, vectors = lm("hello"), embedder(["a b"])
        assert server.stats.requests == 2
    with Cassette(path, "replay"):
        assert lm("hello") == said == ["hello"]
        assert asyncio.run(lm.acall("hello")) == said
        assert embedder(["a b"]).tolist() == vectors.tolist()
        with pytest.raises(CassetteMiss, match="something new"):
            lm("something new")


def test_the_cache_is_left_aside_meanwhile(path: Path) -> None:
    with Server() as server:
        lm = server.lm("echo")
        with dspx.track_usage():
            with Cassette(path, "record"):
                lm("cassettes and caches")
                lm("cassettes and caches")
            assert server.stats.requests == 2
        lm("cassettes and caches")
        assert server.stats.requests == 3


def test_streams_are_recorded_and_replayed(path: Path) -> None:
    def streamed(lm: dspx.LM) -> str:
        kept = Kept()
        with sink.using(kept):
            lm("one two three")
        return kept.text

    with Server() as server, Cassette(path):
        lm = server.lm("echo", cache=False)
        assert streamed(lm) == "one two three"
    with Cassette(path, "replay"):
        assert streamed(lm) == "one two three"


@pytest.mark.parametrize("stream", [False, True])
def test_refusals_are_recorded_too(path: Path, stream: bool) -> None:
    def ask(lm: dspx.LM) -> None:
        with sink.using(Kept() if stream else None):
            lm("q")

    with Server("echo", api_key="sesame") as server, Cassette(path):
        lm = server.lm("echo", cache=False, api_key="wrong")
        with pytest.raises(dspx.LMAuthError):
            ask(lm)
    with Cassette(path, "replay"), pytest.raises(dspx.LMAuthError):
        ask(lm)


def test_no_secrets_are_in_the_file(path: Path) -> None:
    with Server() as server, Cassette(path):
        lm = server.lm("echo", api_key="sk-very-secret", cache=False, headers={"x-token": "hidden-too"})
        lm("hello", extra_body={"nested": {"api_key": "third-secret"}})
    text = path.read_text()
    assert "hello" in text
    for secret in ("sk-very-secret", "hidden-too", "third-secret"):
        assert secret not in text


def test_afterwards_all_is_as_before(path: Path) -> None:
    before = transport.post, transport.stream

    def fail() -> None:
        with Cassette(path):
            assert transport.post is not before[0]
            raise ValueError("on purpose")

    with pytest.raises(ValueError, match="on purpose"):
        fail()
    assert (transport.post, transport.stream) == before


def test_nothing_recorded_writes_nothing(path: Path) -> None:
    with Cassette(path):
        pass
    assert not path.exists()


@pytest.mark.parametrize("content", ["not json", "[]", json.dumps({"version": 99})])
def test_what_is_no_cassette_is_refused(path: Path, content: str) -> None:
    path.parent.mkdir()
    path.write_text(content)
    with pytest.raises(dspx.UsageError, match="record again"):
        Cassette(path)


def test_modes_have_names() -> None:
    with pytest.raises(dspx.UsageError, match="auto, record, replay"):
        Cassette("x", "rewind")  # type: ignore[arg-type]
