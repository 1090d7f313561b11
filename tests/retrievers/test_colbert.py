from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

import dspx
from dspx.errors import LMServerError, LMTransportError, LMUnexpectedError, UsageError
from dspx.lm import transport
from dspx.runtime import clock
from dspx.runtime.clock import FakeClock
from dspx.testing.retriever_conformance import check_retriever

PASSAGES = [
    {
        "text": f"Passage {number} | of several",
        "pid": number,
        "rank": number,
        "score": 9.0 - number,
        "prob": 0.1,
    }
    for number in range(1, 7)
]


class ColBERTServer(ThreadingHTTPServer):
    """Answers as ColBERT's own server does: whatever it is asked, the same passages. `replies` go first."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answering)
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.replies: list[tuple[int, bytes]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/api/search"


class _Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ColBERTServer

    def do_GET(self) -> None:
        asked = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        self._answer("GET", {**asked, "k": int(asked["k"])})

    def do_POST(self) -> None:
        self._answer("POST", json.loads(self.rfile.read(int(self.headers["content-length"]))))

    def _answer(self, method: str, asked: dict[str, Any]) -> None:
        self.server.asked.append((method, asked))
        whole = json.dumps({"query": asked["query"], "topk": PASSAGES}).encode()
        status, body = self.server.replies.pop(0) if self.server.replies else (200, whole)
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None: ...


@pytest.fixture
def server() -> Iterator[ColBERTServer]:
    with ColBERTServer() as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        transport.close()
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def _fresh_cache(tmp_path: Path) -> Iterator[None]:
    dspx.configure_cache(disk_cache_dir=tmp_path / "cache")
    yield
    dspx.configure_cache(enable_disk_cache=False, enable_memory_cache=False)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_it_asks_as_dspy_does_and_gives_passages_with_long_text(server: ColBERTServer, method: str):
    search = dspx.ColBERTv2(server.url, post_requests=method == "POST")
    first, second = search("who & when?", k=2)
    assert (first.long_text, first.pid, first["score"]) == ("Passage 1 | of several", 1, 8.0)
    assert second == {**PASSAGES[1], "long_text": PASSAGES[1]["text"]}
    assert search("who & when?", k=2, simplify=True) == [PASSAGES[0]["text"], PASSAGES[1]["text"]]
    assert server.asked == [(method, {"query": "who & when?", "k": 2})]


def test_a_port_may_be_apart_from_the_address(server: ColBERTServer):
    search = dspx.ColBERTv2("http://127.0.0.1", port=server.server_port)
    assert search.url == f"http://127.0.0.1:{server.server_port}"
    assert len(search("q", k=3)) == 3


def test_it_keeps_a_retrievers_contract(server: ColBERTServer):
    check_retriever(dspx.ColBERTv2(server.url))


def test_answers_are_cached_by_question_and_number(server: ColBERTServer, tmp_path: Path):
    search = dspx.ColBERTv2(server.url)
    search("a", k=2)
    search("a", k=2)[0]["long_text"] = "spoiled by its caller"
    dspx.configure_cache(disk_cache_dir=tmp_path / "cache")  # what the disk has
    assert search("a", k=2)[0].long_text == PASSAGES[0]["text"]
    assert len(server.asked) == 1
    search("a", k=3)
    search("b", k=2)
    assert len(server.asked) == 3
    assert len(dspx.ColBERTv2(server.url, cache=False)("a", k=2)) == 2
    assert len(server.asked) == 4


def test_equal_questions_at_once_are_asked_once(server: ColBERTServer):
    search = dspx.ColBERTv2(server.url)

    async def main() -> Any:
        return await asyncio.gather(*(search.acall("a", k=1) for _ in range(10)))

    assert asyncio.run(main()) == [search("a", k=1)] * 10
    assert len(server.asked) == 1


def test_a_server_that_fails_for_a_moment_is_asked_again(server: ColBERTServer):
    server.replies += [(503, b"busy"), (500, b'{"message": "worker died"}')]
    with clock.use(FakeClock()) as fake:
        assert len(dspx.ColBERTv2(server.url)("q", k=1)) == 1
    assert len(server.asked) == 3
    assert len(fake.slept) == 2


def test_a_server_that_goes_on_failing_is_an_error_with_its_words(server: ColBERTServer):
    server.replies += [(500, b'{"message": "worker died"}')] * 2
    with clock.use(FakeClock()), pytest.raises(LMServerError, match="answered 500: worker died"):
        dspx.ColBERTv2(server.url, num_retries=1)("q")
    assert len(server.asked) == 2


def test_what_the_server_reports_inside_a_200_is_raised_at_once_and_not_cached(server: ColBERTServer):
    server.replies.append((200, b'{"error": true, "message": "bad index"}'))
    search = dspx.ColBERTv2(server.url)
    with pytest.raises(LMServerError, match="The ColBERTv2 server reported an error: bad index"):
        search("q", k=1)
    assert len(search("q", k=1)) == 1


@pytest.mark.parametrize(
    "body", [b"<html>welcome</html>", b'{"topk": [{"pid": 1}]}', b"[]", b'{"topk": null}']
)
def test_what_is_no_list_of_passages_is_said(server: ColBERTServer, body: bytes):
    server.replies.append((200, body))
    with pytest.raises(LMUnexpectedError, match="no list of passages"):
        dspx.ColBERTv2(server.url)("q")


def test_nobody_there_is_said():
    with pytest.raises(LMTransportError, match=r"127.0.0.1:9.*refused"):
        dspx.ColBERTv2("http://127.0.0.1:9", num_retries=0)("q")


@pytest.mark.parametrize("k", [0, 101])
def test_a_server_gives_1_to_100(k: int):
    with pytest.raises(UsageError, match=f"k={k}: a ColBERTv2 server gives 1 to 100"):
        dspx.ColBERTv2()("q", k=k)
