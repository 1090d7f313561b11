"""A web server on asyncio whose requests bring LMs of their own, in sync and in async programs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import dspx
from dspx.lm.request import Request
from dspx.testing.server import Server

REQUESTS = 120
WORST_PAUSE = 0.25


class Greeter(dspx.Module):
    """Two leaves; what it answers says which LM and which temperature it was asked with."""

    def __init__(self) -> None:
        super().__init__()
        self.first = dspx.Predict("name -> hint")
        self.second = dspx.Predict("name, hint -> answer")

    def forward(self, name: str) -> dspx.Prediction:
        return self.second(name=name, hint=self.first(name=name).hint)


greeter = Greeter()
in_thread = dspx.asyncify(greeter)


def tell_model(request: Request) -> str:
    """The caller's model and temperature, whatever is asked."""
    told = f"{request.model} at {request.params['temperature']}"
    name = "answer" if "`[[ ## answer ## ]]`" in str(request.messages[-1]) else "hint"
    return f"[[ ## {name} ## ]]\n{told}\n\n[[ ## completed ## ]]"


async def by_hand(name: str) -> Any:
    return await asyncio.to_thread(greeter, name=name)


WAYS: dict[str, Callable[..., Awaitable[Any]]] = {
    "acall": greeter.acall,
    "asyncify": in_thread,
    "to_thread": by_hand,
}


class Site:
    """GET /<way>/<user>: an answer by that user's LM."""

    def __init__(self, server: Server) -> None:
        self.server = server

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        _, way, user = head.split(" ")[1].split("/")
        lm = self.server.lm(f"model-{user}", temperature=int(user) / 1000, cache=False)
        with dspx.context(lm=lm), dspx.track_usage() as usage:
            prediction = await WAYS[way](name=user)
        leaked = dspx.settings.lm is not None
        body = f"{prediction.answer} | {usage.calls} calls | {leaked}"
        writer.write(f"HTTP/1.0 200 OK\r\n\r\n{body}".encode())
        await writer.drain()
        writer.close()


async def get(port: int, path: str) -> str:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.0\r\n\r\n".encode())
    answer = (await reader.read()).decode()
    writer.close()
    return answer.partition("\r\n\r\n")[2]


class Pauses:
    """`async with Pauses() as pauses`: the longest time for which the loop attended to nothing else.

    `worst` is in seconds of the clock; `worst_at_work` in seconds of this thread's work, which does not count what
    the machine gave to others.
    """

    worst = worst_at_work = 0.0

    async def __aenter__(self) -> Pauses:
        self.watch = asyncio.ensure_future(self._watch())
        await asyncio.sleep(0.01)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.watch.cancel()
        await asyncio.gather(self.watch, return_exceptions=True)

    async def _watch(self) -> None:
        while True:
            clock, work = time.perf_counter(), time.thread_time()
            await asyncio.sleep(0.001)
            self.worst = max(self.worst, time.perf_counter() - clock - 0.001)
            self.worst_at_work = max(self.worst_at_work, time.thread_time() - work)

    def __str__(self) -> str:
        return f"{1000 * self.worst:.0f} ms, {1000 * self.worst_at_work:.0f} ms of them at work"


async def visit(server: Server) -> tuple[dict[str, str], Pauses]:
    site = await asyncio.start_server(Site(server).serve, "127.0.0.1", 0, backlog=512)
    port = site.sockets[0].getsockname()[1]
    await get(port, "/acall/0")
    await get(port, "/asyncify/0")
    paths = [f"/{list(WAYS)[i % len(WAYS)]}/{i}" for i in range(REQUESTS)]
    async with Pauses() as pauses:
        bodies = await asyncio.gather(*(get(port, path) for path in paths))
    site.close()
    await site.wait_closed()
    return dict(zip(paths, bodies, strict=True)), pauses


def test_the_settings_of_one_request_never_reach_another() -> None:
    with Server(model=tell_model, latency=(0.005, 0.05)) as server:
        with dspx.context(async_max_workers=32):
            answers, pauses = asyncio.run(visit(server))
        assert server.stats.requests == 2 * REQUESTS + 4
    for path, body in answers.items():
        user = int(path.rpartition("/")[2])
        assert body == f"model-{user} at {user / 1000} | 2 calls | False", path
    assert dspx.settings.lm is None
    print(f"\nworst pause of the web server's loop: {pauses}")
    assert pauses.worst_at_work < WORST_PAUSE


def test_the_loop_goes_on_while_200_async_calls_are_answered() -> None:
    async def ask(program: dspx.Module) -> Pauses:
        await program.acall(name="warm")
        async with Pauses() as pauses:
            await asyncio.gather(*(program.acall(name=f"{i}") for i in range(200)))
        return pauses

    with Server(model=tell_model, latency=0.02) as server, dspx.context(lm=server.lm("m", temperature=0.0)):
        pauses = asyncio.run(ask(greeter))
    print(f"\nworst pause of the loop: {pauses}")
    assert pauses.worst_at_work < WORST_PAUSE
