from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from dspx.testing import Server
from tests.testing.server.raw import Answer, ask, chat

PATH = "/v1/chat/completions"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server("echo") as running:
        yield running


def post(server: Server, body: Any, path: str = PATH) -> Answer:
    return ask(server.port, path, body)


def texts(answer: Answer) -> list[str]:
    return [choice["message"]["content"] for choice in answer.json["choices"]]


def test_n_gives_n_completions(server: Server) -> None:
    assert texts(post(server, chat("a", n=3))) == ["a", "a", "a"]


def test_a_list_may_say_each_completion() -> None:
    with Server([["a", "b"]]) as server:
        assert texts(post(server, chat(model="any", n=2))) == ["a", "b"]


@pytest.mark.parametrize("stop", ["two", ["zero", "two"]])
def test_stop_ends_the_text(server: Server, stop: Any) -> None:
    answer = post(server, chat("one two three", stop=stop))
    assert texts(answer) == ["one "]
    assert answer.json["choices"][0]["finish_reason"] == "stop"


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_the_limit_cuts_the_text_and_says_so(server: Server, name: str) -> None:
    answer = post(server, chat("one two three", **{name: 2}))
    assert texts(answer) == ["one two"]
    assert answer.json["choices"][0]["finish_reason"] == "length"


def test_usage_is_reported(server: Server) -> None:
    assert post(server, chat("12345678")).json["usage"] == {
        "prompt_tokens": 2,
        "completion_tokens": 2,
        "total_tokens": 4,
    }


def test_the_models_are_listed(server: Server) -> None:
    names = [each["id"] for each in ask(server.port, "/v1/models", method="GET").json["data"]]
    assert {"echo", "schema", "nearest"} <= set(names)


@pytest.mark.parametrize(
    ("path", "body", "status", "says"),
    [
        (PATH, b"{not json", 400, "not JSON"),
        (PATH, [1], 400, "not a JSON object"),
        (PATH, {"model": "echo"}, 400, "messages"),
        (PATH, {"model": "echo", "messages": []}, 400, "messages"),
        (PATH, {"model": "echo", "messages": "hi"}, 400, "messages"),
        ("/v1/responses", {"model": "echo", "input": 3}, 400, "protocol"),
        ("/v1/embeddings", {"model": "echo"}, 400, "embeddings"),
        ("/v1/nothing", {}, 404, "/v1/nothing"),
    ],
)
def test_what_cannot_be_answered_is_refused(
    server: Server, path: str, body: Any, status: int, says: str
) -> None:
    answer = post(server, body, path)
    assert answer.status == status
    assert says in answer.json["error"]["message"]


def test_questions_are_posted(server: Server) -> None:
    assert ask(server.port, PATH, method="GET").status == 405


def test_the_end_of_a_script_is_an_error_that_is_not_retried() -> None:
    with Server(["only"]) as server:
        post(server, chat(model="any"))
        answer = post(server, chat(model="any"))
    assert answer.status == 400
    assert "no more answers" in answer.json["error"]["message"]


def test_a_model_that_raises_is_a_server_error() -> None:
    def broken(request: Any) -> str:
        raise ValueError("on purpose")

    with Server(broken) as server:
        answer = post(server, chat(model="any"))
    assert answer.status == 500
    assert "ValueError: on purpose" in answer.json["error"]["message"]


def test_addresses_work_with_and_without_the_version(server: Server) -> None:
    assert texts(post(server, chat("a"), "/chat/completions")) == ["a"]


def test_streams_may_take_their_time() -> None:
    with Server("echo", token_delay=0.01) as server:
        answer = post(server, chat("one two", stream=True))
        assert (server.requests[0].seconds or 0) >= 0.04
    assert answer.events[-1] == "[DONE]"
