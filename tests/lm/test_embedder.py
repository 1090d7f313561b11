from __future__ import annotations

import asyncio
import base64
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dspx.cache import configured
from dspx.cache.configured import configure_cache
from dspx.errors import LMAuthError, LMServerError, LMUnexpectedError, UsageError
from dspx.lm.embedder import Embedder
from dspx.runtime import clock
from dspx.runtime.clock import FakeClock
from tests.lm.conftest import Asked, Loopback, raw_reply


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path) -> Iterator[None]:
    before = configured._current
    configured._current = None
    configure_cache(disk_cache_dir=tmp_path)
    yield
    configure_cache(enable_disk_cache=False)
    configured._current = before


def vector(text: str) -> list[float]:
    return [float(len(text)), float(ord(text[0])), 0.5]


async def embed_texts(asked: Asked, writer: asyncio.StreamWriter) -> None:
    question = json.loads(asked.body)
    rows = [{"index": i, "embedding": vector(text)} for i, text in enumerate(question["input"])]
    if question.get("encoding_format") == "base64":
        for row in rows:
            row["embedding"] = base64.b64encode(np.asarray(row["embedding"], "<f4").tobytes()).decode()
    writer.write(raw_reply(json.dumps({"object": "list", "data": rows[::-1], "model": "e"}).encode()))


@pytest.fixture
def hosted(server: Loopback) -> Embedder:
    server.answer = embed_texts
    return Embedder("openai/text-embedding-3-small", api_base=server.url("/v1"), api_key="k", num_retries=2)


def ask_async(embedder: Embedder, *args: Any, **kwargs: Any) -> Any:
    return asyncio.run(embedder.acall(*args, **kwargs))


def ask_sync(embedder: Embedder, *args: Any, **kwargs: Any) -> Any:
    return embedder(*args, **kwargs)


both = pytest.mark.parametrize("ask", [ask_sync, ask_async], ids=["sync", "async"])
Ask = Callable[..., Any]


# ---------------------------------------------------------------- a provider's model


@both
def test_a_list_gives_a_matrix_and_a_text_gives_a_vector(
    hosted: Embedder, server: Loopback, ask: Ask
) -> None:
    matrix = ask(hosted, ["a", "bb"])
    assert matrix.dtype == np.float32
    assert matrix.tolist() == [vector("a"), vector("bb")]
    assert ask(hosted, "ccc").tolist() == vector("ccc")
    assert server.asked[0].target == "/v1/embeddings"
    assert json.loads(server.asked[0].body) == {"model": "text-embedding-3-small", "input": ["a", "bb"]}
    assert server.asked[0].headers["authorization"] == "Bearer k"


@both
def test_texts_go_in_batches_and_come_back_in_order(hosted: Embedder, server: Loopback, ask: Ask) -> None:
    texts = [f"{i}" * (i % 7 + 1) for i in range(50)]
    assert ask(hosted, texts, batch_size=8).tolist() == [vector(text) for text in texts]
    assert sorted(len(json.loads(asked.body)["input"]) for asked in server.asked) == [2] + [8] * 6


@both
def test_batches_are_asked_for_at_once(hosted: Embedder, server: Loopback, ask: Ask) -> None:
    waiting: list[Any] = []
    arrived = asyncio.Event()

    async def together(asked: Asked, writer: asyncio.StreamWriter) -> None:
        waiting.append(asked)
        if len(waiting) == 4:
            arrived.set()
        await arrived.wait()
        await embed_texts(asked, writer)

    server.answer = together
    assert ask(hosted, list("abcd"), batch_size=1).shape == (4, 3)


@both
def test_a_text_is_embedded_once(hosted: Embedder, server: Loopback, ask: Ask) -> None:
    ask(hosted, ["a", "b", "a"])
    assert json.loads(server.asked[0].body)["input"] == ["a", "b"]
    assert ask(hosted, ["b", "c"]).tolist() == [vector("b"), vector("c")]
    assert json.loads(server.asked[1].body)["input"] == ["c"]
    ask(hosted, ["a"], caching=False)
    assert len(server.asked) == 3


def test_vectors_outlive_the_process_on_disk(hosted: Embedder, server: Loopback, tmp_path: Path) -> None:
    hosted("a")
    configure_cache(disk_cache_dir=tmp_path)
    assert hosted("a").tolist() == vector("a")
    assert len(server.asked) == 1


def test_settings_reach_the_request_and_tell_vectors_apart(hosted: Embedder, server: Loopback) -> None:
    hosted("a")
    hosted("a", dimensions=2)
    hosted("a", dimensions=2, timeout=5)
    assert [json.loads(asked.body).get("dimensions") for asked in server.asked] == [None, 2]


def test_vectors_may_come_as_bytes(hosted: Embedder) -> None:
    assert hosted("a", encoding_format="base64").tolist() == vector("a")


@both
def test_a_failing_server_is_asked_again(hosted: Embedder, server: Loopback, ask: Ask) -> None:
    async def twice(asked: Asked, writer: asyncio.StreamWriter) -> None:
        if len(server.asked) < 3:
            writer.write(raw_reply(b'{"error": {"message": "busy"}}', 503))
        else:
            await embed_texts(asked, writer)

    server.answer = twice
    with clock.use(FakeClock()):
        assert ask(hosted, "a").tolist() == vector("a")
        server.asked.clear()
        with pytest.raises(LMServerError, match="busy"):
            ask(hosted, "b", num_retries=1)


@both
def test_a_wrong_key_is_said_so(hosted: Embedder, server: Loopback, ask: Ask) -> None:
    async def no(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(raw_reply(b'{"error": {"message": "bad key"}}', 401))

    server.answer = no
    with pytest.raises(LMAuthError, match="bad key"):
        ask(hosted, "a")
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "body", [b'{"data": []}', b'{"data": [{"embedding": "@@@"}]}', b'{"data": [5]}', b'{"data": 5}', b"{}"]
)
def test_an_answer_without_a_vector_for_each_text_is_an_error(
    hosted: Embedder, server: Loopback, body: bytes
) -> None:
    async def odd(asked: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(raw_reply(body))

    server.answer = odd
    with pytest.raises(LMUnexpectedError):
        hosted("a")


# ---------------------------------------------------------------- a function


def lengths(texts: list[str], scale: float = 1.0) -> list[list[float]]:
    return [[len(text) * scale] for text in texts]


async def lengths_async(texts: list[str], scale: float = 1.0) -> np.ndarray[Any, Any]:
    await clock.sleep(0)
    return np.asarray(lengths(texts, scale))


@both
@pytest.mark.parametrize("function", [lengths, lengths_async])
def test_a_function_sync_or_async_embeds_too(ask: Ask, function: Callable[..., Any]) -> None:
    embedder = Embedder(function, batch_size=2, scale=2.0)
    assert ask(embedder, ["a", "bb", "ccc"]).tolist() == [[2], [4], [6]]
    assert ask(embedder, "a", scale=3.0).tolist() == [3]
    assert ask(embedder, "a").dtype == np.float32


def test_functions_that_look_alike_never_share_vectors() -> None:
    def model(factor: float) -> Callable[[list[str]], Any]:
        return lambda texts: [[factor] for _ in texts]

    class Encoder:
        def __init__(self, factor: float) -> None:
            self.factor = factor

        def encode(self, texts: list[str]) -> Any:
            return [[self.factor] for _ in texts]

    assert [Embedder(model(f))("a").tolist() for f in (1, 2)] == [[1], [2]]
    assert [Embedder(Encoder(f).encode)("a").tolist() for f in (1, 2)] == [[1], [2]]


def test_a_function_is_called_once_for_a_text_and_its_vectors_stay_in_its_embedder() -> None:
    calls: list[list[str]] = []

    def count(texts: list[str]) -> Any:
        calls.append(texts)
        return lengths(texts)

    embedder = Embedder(count)
    embedder(["a", "b"])
    embedder(["b", "c"])
    assert calls == [["a", "b"], ["c"]]
    Embedder(count)("a")
    assert calls[2:] == [["a"]]


def test_a_cache_key_shares_a_functions_vectors() -> None:
    calls: list[list[str]] = []

    def count(texts: list[str]) -> Any:
        calls.append(texts)
        return lengths(texts)

    Embedder(count, cache_key="count-v1")("a")
    Embedder(lambda texts: count(texts), cache_key="count-v1")("a")
    assert len(calls) == 1
    Embedder(count, cache_key="count-v2")("a")
    assert len(calls) == 2


def test_a_sync_function_is_called_once_at_a_time() -> None:
    inside = threading.Lock()

    def alone(texts: list[str]) -> Any:
        assert inside.acquire(blocking=False)
        inside.release()
        return lengths(texts)

    assert Embedder(alone, batch_size=1)([str(i) for i in range(20)]).shape == (20, 1)


@both
def test_an_error_of_the_function_arrives(ask: Ask) -> None:
    def broken(texts: list[str]) -> Any:
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        ask(Embedder(broken), "a")


@pytest.mark.parametrize("rows", [[[1.0]], [1.0, 2.0], [[1.0], [2.0], [3.0]]])
def test_a_function_has_to_return_one_vector_for_each(rows: Any) -> None:
    with pytest.raises(UsageError, match="one vector for each"):
        Embedder(lambda texts: rows)(["a", "b"])


def test_settings_without_a_stable_form_are_not_cached() -> None:
    calls: list[Any] = []

    def count(texts: list[str], hook: Any) -> Any:
        calls.append(texts)
        return lengths(texts)

    embedder = Embedder(count, hook=lambda: 1)
    embedder("a")
    embedder("a")
    assert len(calls) == 2


# ---------------------------------------------------------------- arguments


def test_no_texts_give_no_vectors() -> None:
    assert Embedder(lengths)([]).shape == (0, 0)


def test_arguments_that_mean_nothing_are_refused() -> None:
    with pytest.raises(UsageError, match="model string or a function"):
        Embedder(5)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="batch_size"):
        Embedder(lengths, batch_size=0)
    with pytest.raises(UsageError, match="list of strings"):
        Embedder(lengths)([1])  # type: ignore[list-item]


@pytest.mark.parametrize("value", ["text", {"f32": 5}, {"f32": "@@"}, {"f32": "YWI="}])
def test_an_entry_that_is_no_vector_is_a_miss(value: Any) -> None:
    embedder = Embedder(lengths)
    embedder("abc")
    store = embedder._source.store
    for key, _ in store.items():  # type: ignore[attr-defined]
        store.put(key, value)
    assert embedder("abc").tolist() == [3]
