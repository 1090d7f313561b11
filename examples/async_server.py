"""A web service on one event loop that answers by sync and by async programs.

    python -m examples.async_server            # asks itself a few questions, then stops
    python -m examples.async_server --port 8000   # stays up: curl -d 'Where is my card?' localhost:8000/async

The three routes do what handlers of FastAPI, Starlette or aiohttp would do:

    /async    await program.acall(…)               an async program; the loop serves others meanwhile
    /thread   await dspx.asyncify(program)(…)      a sync program on a worker thread; so does the loop
    /sync     program(…)                           a sync call on the loop's own thread: it works, and blocks

Without OPENAI_API_KEY the LM is a stand-in that answers any signature.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
from collections.abc import Awaitable, Callable

import dspx
from dspx.testing import SchemaLM


class Triage(dspx.Signature):
    """Say what the customer wants, and how urgent it is."""

    message: str = dspx.InputField()
    intent: str = dspx.OutputField(desc="two or three words")
    urgent: bool = dspx.OutputField()


class Desk(dspx.Module):
    """A program whose body is sync."""

    def __init__(self) -> None:
        self.triage = dspx.Predict(Triage)

    def forward(self, message: str) -> dspx.Prediction:
        return self.triage(message=message)


class AsyncDesk(dspx.Module):
    """The same with an async body."""

    def __init__(self) -> None:
        self.triage = dspx.Predict(Triage)

    async def aforward(self, message: str) -> dspx.Prediction:
        return await self.triage.acall(message=message)


Handler = Callable[[str], Awaitable[dspx.Prediction]]


def routes() -> dict[str, Handler]:
    desk, async_desk = Desk(), AsyncDesk()
    in_thread = dspx.asyncify(desk)

    async def by_async(message: str) -> dspx.Prediction:
        return await async_desk.acall(message=message)

    async def by_thread(message: str) -> dspx.Prediction:
        return await in_thread(message=message)

    async def by_sync(message: str) -> dspx.Prediction:
        return desk(message=message)

    return {"/async": by_async, "/thread": by_thread, "/sync": by_sync}


# ---------------------------------------------------------------- as much HTTP as this needs


async def serve(handlers: dict[str, Handler], port: int) -> asyncio.Server:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        path = head.split(" ", 2)[1]
        message = (await reader.readexactly(_length(head))).decode()
        handler = handlers.get(path)
        status, answer = "404 Not Found", {"error": f"no {path}; there are {sorted(handlers)}"}
        if handler is not None:
            status, answer = "200 OK", (await handler(message)).toDict()
        body = json.dumps(answer).encode()
        writer.write(
            f"HTTP/1.1 {status}\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n".encode() + body
        )
        await writer.drain()
        writer.close()

    return await asyncio.start_server(connected, "127.0.0.1", port)


def _length(head: str) -> int:
    for line in head.lower().splitlines():
        if line.startswith("content-length:"):
            return int(line.partition(":")[2])
    return 0


async def post(port: int, path: str, message: str) -> dict[str, object]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"POST {path} HTTP/1.1\r\ncontent-length: {len(message.encode())}\r\n\r\n{message}".encode())
    reply = await reader.read()
    writer.close()
    return json.loads(reply.partition(b"\r\n\r\n")[2])


# ---------------------------------------------------------------- running


async def ask_myself(port: int) -> None:
    """Questions on every route, all at once."""
    asked = [(path, f"Message number {i}") for i in range(10) for path in routes()]
    answers = await asyncio.gather(*(post(port, path, message) for path, message in asked))
    for (path, message), answer in list(zip(asked, answers, strict=True))[:3]:
        print(f"{path:8} {message!r} → {answer}")
    print(f"{len(answers)} answers")


async def main(port: int | None) -> None:
    dspx.configure(lm=dspx.LM("openai/gpt-4o-mini") if os.environ.get("OPENAI_API_KEY") else SchemaLM())
    server = await serve(routes(), port or 0)
    bound = server.sockets[0].getsockname()[1]
    async with server:
        if port:
            print(f"http://127.0.0.1:{bound}", flush=True)
            await server.serve_forever()
        await ask_myself(bound)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int)
    asyncio.run(main(parser.parse_args().port))
