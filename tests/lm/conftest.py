"""A small HTTP server on the loopback, told by each test what to answer."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field

import pytest

from dspx.lm import transport


@dataclass
class Asked:
    target: str
    headers: dict[str, str]
    body: bytes


Answer = Callable[[Asked, asyncio.StreamWriter], Awaitable[None]]


def raw_reply(
    body: bytes = b"{}", status: int = 200, headers: dict[str, str] | None = None, *, length: bool = True
) -> bytes:
    lines = {"content-type": "application/json", **(headers or {})}
    if length:
        lines["content-length"] = str(len(body))
    head = f"HTTP/1.1 {status} Whatever\r\n" + "".join(f"{k}: {v}\r\n" for k, v in lines.items())
    return head.encode() + b"\r\n" + body


@dataclass
class Loopback:
    """Answers every request with `answer`; counts connections and keeps what it was asked."""

    answer: Answer
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    open: int = 0
    port: int = 0

    def url(self, path: str = "/v1/chat/completions") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open += 1
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                first, *lines = head.strip().split("\r\n")
                headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                asked = Asked(first.split(" ")[1], headers, body)
                self.asked.append(asked)
                await self.answer(asked, writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.open -= 1
            writer.close()


async def ok(asked: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(raw_reply(b'{"ok": true}'))


@pytest.fixture
def server() -> Iterator[Loopback]:
    loopback = Loopback(ok)
    loop = asyncio.new_event_loop()
    ready = threading.Event()
    stopped: asyncio.Event = asyncio.Event()

    async def main() -> None:
        running = await asyncio.start_server(loopback.serve, "127.0.0.1", 0, backlog=2048)
        loopback.port = running.sockets[0].getsockname()[1]
        ready.set()
        await stopped.wait()
        running.close()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    thread = threading.Thread(target=lambda: loop.run_until_complete(main()))
    thread.start()
    assert ready.wait(5)
    yield loopback
    transport.close()
    loop.call_soon_threadsafe(stopped.set)
    thread.join(5)
    loop.close()


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    transport.close()
    yield
    transport.close()
