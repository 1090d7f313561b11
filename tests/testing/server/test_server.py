from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import dspx
from dspx.lm.request import Request
from dspx.testing import Server
from dspx.testing.server import Fault
from tests.testing.server.raw import ask, chat


def test_it_listens_on_the_loopback_while_it_is_open() -> None:
    with Server() as server:
        assert server.url == f"http://127.0.0.1:{server.port}"
        assert server.api_base == f"{server.url}/v1"
        assert ask(server.port, "/v1/chat/completions", chat()).status == 200
        assert "127.0.0.1" in repr(server)
    with pytest.raises(ConnectionRefusedError):
        ask(server.port, "/v1/chat/completions", chat())
    assert server.stats.requests == 1
    assert repr(server) == "Server(stopped)"


def test_it_can_be_started_and_stopped_by_hand() -> None:
    server = Server().start()
    with pytest.raises(dspx.UsageError, match="runs already"):
        server.start()
    server.stop()
    server.stop()
    with server:
        assert ask(server.port, "/v1/models", method="GET").status == 200


def test_before_the_start_there_is_no_address() -> None:
    with pytest.raises(dspx.UsageError, match="not been started"):
        _ = Server().url


def test_a_port_that_is_taken_is_an_error_that_says_so() -> None:
    with Server() as server, pytest.raises(dspx.UsageError, match=f"Port {server.port}"):
        Server(port=server.port).start()


@pytest.mark.parametrize("provider", ["openai", "anthropic", "gemini"])
def test_its_lm_asks_it_in_each_protocol(provider: str) -> None:
    with Server() as server:
        lm = server.lm("echo", provider=provider, cache=False)
        assert lm("Hello there") == ["Hello there"]
        assert lm.history[-1]["usage"]["total_tokens"] == 6
        assert asyncio.run(lm.acall("Hello again")) == ["Hello again"]


def test_it_knows_no_other_protocol() -> None:
    with Server() as server, pytest.raises(dspx.UsageError, match="speaks openai"):
        server.lm(provider="cohere")


@pytest.mark.parametrize("model_type", ["responses", "text"])
def test_openai_has_two_more_protocols(model_type: str) -> None:
    with Server() as server:
        assert server.lm("echo", model_type=model_type, cache=False)("Hello there")[0].startswith(
            "Hello there"
        )


def test_the_request_names_the_model_and_the_rest_goes_to_the_default() -> None:
    with Server(["from the list"], models={"mine": lambda request: "mine"}) as server:
        assert server.lm("echo", cache=False)("a") == ["a"]
        assert server.lm("mine", cache=False)("a") == ["mine"]
        assert server.lm("gpt-4o-mini", cache=False)("a") == ["from the list"]


def test_a_function_may_be_async() -> None:
    async def answer(request: Request) -> str:
        await asyncio.sleep(0.01)
        return f"heard {request.messages[-1]['content']}"

    with Server(answer) as server:
        assert server.lm("any", cache=False)("x") == ["heard x"]


def test_an_async_function_may_fail_or_ask_for_a_fault() -> None:
    async def answer(request: Request) -> Any:
        if request.messages[-1]["content"] == "raise":
            raise ValueError("on purpose")
        return Fault("server_error", status=503)

    with Server(answer) as server:
        failed = ask(server.port, "/v1/chat/completions", chat("raise", model="any"))
        assert failed.status == 500
        assert "ValueError: on purpose" in failed.json["error"]["message"]
        assert ask(server.port, "/v1/chat/completions", chat("fault", model="any")).status == 503


def test_a_hundred_clients_at_once_are_in_flight_together() -> None:
    with Server("echo", latency=0.1) as server:
        with ThreadPoolExecutor(100) as pool:
            answers = list(
                pool.map(lambda i: ask(server.port, "/v1/chat/completions", chat(str(i))).json, range(100))
            )
        assert [answer["choices"][0]["message"]["content"] for answer in answers] == [
            str(i) for i in range(100)
        ]
        assert server.stats.peak >= 50
        assert server.stats.in_flight == 0
        assert server.stats.outcomes == {"ok": 100}


def test_a_thousand_connections_are_held() -> None:
    async def one(port: int, gate: asyncio.Event) -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        await gate.wait()
        writer.write(b"GET /v1/models HTTP/1.1\r\n\r\n")
        line = await reader.readline()
        writer.close()
        return int(line.split()[1])

    async def crowd(server: Server) -> list[int]:
        gate = asyncio.Event()
        tasks = [asyncio.create_task(one(server.port, gate)) for _ in range(1000)]
        for _ in range(200):
            if server.stats.open_connections == 1000:
                break
            await asyncio.sleep(0.01)
        assert server.stats.open_connections == 1000
        gate.set()
        return await asyncio.gather(*tasks)

    with Server() as server:
        assert asyncio.run(crowd(server)) == [200] * 1000


def test_latency_may_be_a_range_or_a_function() -> None:
    with Server("echo", latency=(0.01, 0.02)) as server:
        ask(server.port, "/v1/chat/completions", chat())
        assert server.requests[-1].seconds is not None
        assert server.requests[-1].seconds >= 0.01
    with Server("echo", latency=lambda number: 0.02 if number == 2 else 0.0) as server:
        for _ in range(2):
            ask(server.port, "/v1/chat/completions", chat())
        assert (server.requests[0].seconds or 0) < 0.02 <= (server.requests[1].seconds or 0)


def test_a_key_may_be_required() -> None:
    with Server("echo", api_key="sesame") as server:
        assert ask(server.port, "/v1/chat/completions", chat()).status == 401
        assert ask(server.port, "/v1/messages", chat()).json["error"]["type"] == "authentication_error"
        assert server.lm("echo", cache=False)("hello") == ["hello"]
        with pytest.raises(dspx.LMAuthError):
            server.lm("echo", cache=False, api_key="wrong")("hello")


def test_what_was_asked_is_kept_without_keys() -> None:
    with Server("echo", log_size=2) as server:
        for text in ("one", "two", "three"):
            ask(server.port, "/v1/chat/completions", chat(text), {"Authorization": "Bearer secret"})
        logged = server.requests
        assert [each.messages[-1]["content"] for each in logged] == ["two", "three"]
        assert logged[-1].path == "/v1/chat/completions"
        assert logged[-1].headers["authorization"] == "***"
        assert (logged[-1].outcome, logged[-1].status, logged[-1].number) == ("ok", 200, 3)
