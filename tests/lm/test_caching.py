from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from dspx.cache import configured
from dspx.cache.configured import configure_cache
from dspx.cache.disk import DiskCache
from dspx.cache.layered import LayeredCache
from dspx.cache.memory import MemoryCache
from dspx.errors import LMServerError
from dspx.lm.caching import Caching
from dspx.lm.request import Request
from dspx.lm.response import Output, Response, ToolCall
from dspx.lm.usage import Usage
from dspx.runtime.bridge import run
from tests.lm.layers import Script, answer, asked

Run = Callable[[Coroutine[Any, Any, Any]], Any]
both = pytest.mark.parametrize("run", [run, asyncio.run], ids=["sync", "async"])


def caching(inner: Any = None, endpoint: Any = "https://api.test/v1") -> Caching:
    return Caching(inner or Script(), endpoint, MemoryCache())


RICH = Response(
    "m",
    (
        Output(
            "text",
            "thought",
            (ToolCall("1", "f", "{}"),),
            {"content": [{"token": "a"}]},
            ({"url": "u"},),
            "stop",
            ({"type": "thinking", "signature": "s"},),
        ),
    ),
    Usage(5, 2, 7, 1, 1, {"prompt_tokens_details": {"audio_tokens": 0}}),
    id="r1",
    cost=0.25,
)


@both
def test_the_second_time_the_answer_comes_from_the_cache(run: Run) -> None:
    inner = Script(RICH)
    layer = caching(inner)
    assert run(layer.ask(asked())) == RICH
    assert run(layer.ask(asked())) == replace(RICH, cache_hit=True)
    assert inner.calls == 1


def test_sync_and_async_calls_share_entries() -> None:
    inner = Script()
    layer = caching(inner)
    run(layer.ask(asked()))
    assert asyncio.run(layer.ask(asked())).cache_hit
    assert inner.calls == 1


@both
def test_it_works_over_memory_and_disk(run: Run, tmp_path: Path) -> None:
    inner = Script(RICH)
    disk = DiskCache(tmp_path)
    run(Caching(inner, None, LayeredCache(MemoryCache(), disk)).ask(asked()))
    assert run(Caching(inner, None, LayeredCache(None, disk)).ask(asked())) == replace(RICH, cache_hit=True)
    assert inner.calls == 1
    disk.close()


@pytest.mark.parametrize(
    "other",
    [
        asked("other"),
        asked(params={"temperature": 0.5}),
        asked(rollout_id=1),
        replace(asked(), model="test/other"),
        asked(params={"response_format": {"type": "json_object"}}),
        asked(params={"extra_headers": {"x-beta": "on"}}),
    ],
)
def test_what_changes_the_answer_changes_the_key(other: Request) -> None:
    assert caching().key(asked()) != caching().key(other)


def test_the_endpoint_is_in_the_key() -> None:
    assert caching(endpoint="https://a/v1").key(asked()) != caching(endpoint="https://b/v1").key(asked())


@pytest.mark.parametrize(
    "same",
    [
        asked(params={"api_key": "k", "timeout": 5, "headers": {"a": "b"}}),
        asked(params={"extra_headers": {"Authorization": "Bearer x", "X-API-Key": "k"}}),
        asked(stream=True),
        asked(prompt="hi"),
        asked(prompt_cache="1h"),
    ],
)
def test_what_does_not_change_the_answer_is_not_in_the_key(same: Request) -> None:
    assert caching().key(asked()) == caching().key(same)


def test_a_class_as_response_format_has_a_key() -> None:
    class Small(BaseModel):
        a: int

    class Large(BaseModel):
        a: int
        b: int

    keys = {caching().key(asked(params={"response_format": cls})) for cls in (Small, Large)}
    assert len(keys) == 2


@both
def test_a_request_without_a_stable_form_is_passed_on(run: Run) -> None:
    inner = Script()
    layer = caching(inner)
    for _ in range(2):
        assert not run(layer.ask(asked(params={"callback": lambda: 1}))).cache_hit
    assert inner.calls == 2


@both
def test_a_request_may_refuse_the_cache(run: Run) -> None:
    inner = Script()
    layer = caching(inner)
    for _ in range(2):
        assert not run(layer.ask(asked(cache=False))).cache_hit
    assert inner.calls == 2
    assert not run(layer.ask(asked())).cache_hit


@both
def test_errors_are_not_kept(run: Run) -> None:
    inner = Script(LMServerError("x"), answer())
    layer = caching(inner)
    with pytest.raises(LMServerError):
        run(layer.ask(asked()))
    assert run(layer.ask(asked())) == answer()


@pytest.mark.parametrize("value", ["text", 5, None, [], {}, {"model": 1}, {"model": "m", "outputs": 3}])
def test_an_entry_that_is_no_response_is_a_miss(value: Any) -> None:
    inner = Script()
    layer = caching(inner)
    layer.store.put(layer.key(asked()), value)
    assert run(layer.ask(asked())) == answer()
    assert run(layer.ask(asked())).cache_hit


def test_a_user_who_changes_an_answer_does_not_change_the_cache() -> None:
    layer = caching(Script(RICH))
    for _ in range(3):
        response = run(layer.ask(asked()))
        assert response.outputs[0].logprobs == {"content": [{"token": "a"}]}
        if response.cache_hit:
            response.outputs[0].logprobs["content"].clear()
            response.outputs[0].citations[0]["url"] = "changed"
            response.usage.details.clear()


# ---------------------------------------------------------------- single flight


def test_64_equal_calls_from_threads_are_one_request() -> None:
    gate = threading.Event()

    async def wait(request: Request) -> Response:
        gate.wait(5)
        return answer()

    inner = Script(wait)
    layer = caching(inner)
    with ThreadPoolExecutor(64) as pool:
        futures = [pool.submit(lambda: run(layer.ask(asked()))) for _ in range(64)]
        threading.Timer(0.1, gate.set).start()
        results = [future.result(10) for future in futures]
    assert inner.calls == 1
    assert sum(not result.cache_hit for result in results) == 1


def test_64_equal_calls_from_tasks_are_one_request(tmp_path: Path) -> None:
    async def wait(request: Request) -> Response:
        await asyncio.sleep(0.02)
        return answer()

    inner = Script(wait)
    disk = DiskCache(tmp_path)
    layer = Caching(inner, None, LayeredCache(MemoryCache(), disk))

    async def main() -> list[Response]:
        return await asyncio.gather(*(layer.ask(asked()) for _ in range(64)))

    results = asyncio.run(main())
    assert inner.calls == 1
    assert sum(not result.cache_hit for result in results) == 1
    disk.close()


def test_layers_of_one_endpoint_share_flights() -> None:
    async def wait(request: Request) -> Response:
        await asyncio.sleep(0.02)
        return answer()

    inner, store = Script(wait), MemoryCache()

    async def main() -> None:
        await asyncio.gather(*(Caching(inner, "e", store).ask(asked()) for _ in range(8)))

    asyncio.run(main())
    assert inner.calls == 1


def test_different_calls_do_not_wait_for_each_other() -> None:
    inner = Script()
    layer = caching(inner)

    async def main() -> None:
        await asyncio.gather(*(layer.ask(asked(str(i))) for i in range(8)))

    asyncio.run(main())
    assert inner.calls == 8


# ---------------------------------------------------------------- the process's cache


@pytest.fixture
def _restored() -> Iterator[None]:
    before = configured._current
    yield
    configured._current = before


@pytest.mark.usefixtures("_restored")
def test_without_a_store_of_its_own_it_uses_the_processs_cache_of_the_moment() -> None:
    inner = Script()
    layer = Caching(inner)
    configure_cache(enable_disk_cache=False)
    run(layer.ask(asked()))
    assert run(layer.ask(asked())).cache_hit
    configure_cache(enable_disk_cache=False)
    assert not run(layer.ask(asked())).cache_hit
