"""A small, fast OpenAI-compatible server for measuring clients. Run as a process, it prints its URL.

The base URL says how it answers: `…/after/50/tokens/400/every/1/v1` waits 50 ms and has 400 words in the answer, one per
millisecond where it is streamed (`every/0`: as fast as they are read).
It speaks HTTP/1.1 with keep-alive and parses no more of a request than it must, so that on a machine with two
cores the client is what is measured.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from functools import lru_cache
from typing import Any

WORD = "word "


class Stats:
    requests = 0
    connections = 0


class Connection(asyncio.Protocol):
    """One client connection: reads requests one after the other, answers each in its time."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.buffer = b""
        self.open = False

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.open = True
        Stats.connections += 1

    def connection_lost(self, exc: Exception | None) -> None:
        self.open = False
        Stats.connections -= 1

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (request := self._next_request()) is not None:
            self._answer(*request)

    def _next_request(self) -> tuple[bytes, bytes] | None:
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return None
        head = self.buffer[:end]
        finish = end + 4 + _content_length(head)
        if len(self.buffer) < finish:
            return None
        body, self.buffer = self.buffer[end + 4 : finish], self.buffer[finish:]
        return head.split(b" ", 2)[1], body

    def _answer(self, path: bytes, body: bytes) -> None:
        if path == b"/stats":
            self._write(_reply(json.dumps(vars_of(Stats)).encode()))
            return
        if path == b"/reset":
            Stats.requests = 0
            self._write(_reply(b"{}"))
            return
        Stats.requests += 1
        milliseconds, tokens, pause, protocol = _route(path)
        delay = milliseconds / 1000
        if _wants_stream(body):
            self.loop.call_later(delay, self._stream, iter(stream_pieces(tokens, protocol)), pause / 1000)
        elif delay:
            self.loop.call_later(delay, self._write, whole_reply(tokens, protocol))
        else:
            self._write(whole_reply(tokens, protocol))

    def _stream(self, pieces: Any, pause: float) -> None:
        piece = next(pieces, None)
        if piece is not None and self.open:
            self._write(piece)
            self.loop.call_later(pause, self._stream, pieces, pause)

    def _write(self, data: bytes) -> None:
        if self.open:
            self.transport.write(data)


def vars_of(stats: type[Stats]) -> dict[str, int]:
    return {"requests": stats.requests, "connections": stats.connections}


# ---------------------------------------------------------------- reading


@lru_cache(maxsize=4096)
def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


@lru_cache(maxsize=256)
def _route(path: bytes) -> tuple[int, int, int, str]:
    parts = path.decode().split("/")
    protocol = "responses" if parts[-1] == "responses" else "chat"
    after, tokens, every = (int(parts[parts.index(name) + 1]) for name in ("after", "tokens", "every"))
    return after, tokens, every, protocol


def _wants_stream(body: bytes) -> bool:
    return b'"stream":true' in body or b'"stream": true' in body


# ---------------------------------------------------------------- answering


def text(tokens: int) -> str:
    """An answer to the benchmarks' signature: `answer` in words, `confidence` a number."""
    answer = WORD * tokens if tokens else "Lisbon"
    return f"[[ ## answer ## ]]\n{answer}\n\n[[ ## confidence ## ]]\n0.9\n\n[[ ## completed ## ]]\n"


@lru_cache(maxsize=64)
def whole_reply(tokens: int, protocol: str) -> bytes:
    body = _responses_body(tokens) if protocol == "responses" else _chat_body(tokens)
    return _reply(json.dumps(body).encode())


def _chat_body(tokens: int) -> dict[str, Any]:
    message = {"role": "assistant", "content": text(tokens)}
    return {
        "id": "chatcmpl-bench",
        "object": "chat.completion",
        "created": 1,
        "model": "bench",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
    }


def _responses_body(tokens: int) -> dict[str, Any]:
    content = [{"type": "output_text", "text": text(tokens), "annotations": []}]
    message = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed"}
    return {
        "id": "resp_bench",
        "object": "response",
        "created_at": 1,
        "model": "bench",
        "status": "completed",
        "output": [{**message, "content": content}],
        "usage": {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15},
    }


def _reply(body: bytes) -> bytes:
    return (
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body)
    ) + body


@lru_cache(maxsize=64)
def stream_pieces(tokens: int, protocol: str) -> list[bytes]:
    """The head, then one server-sent event per token, each written on its own."""
    events = _responses_events(tokens) if protocol == "responses" else _chat_events(tokens)
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    return [head, *[_chunk(event) for event in events], b"0\r\n\r\n"]


def _deltas(tokens: int) -> list[str]:
    return ["[[ ##", " answer", " ## ]]\n", *([WORD] * tokens), *_tail()]


def _tail() -> list[str]:
    return ["\n\n", "[[ ##", " confidence", " ## ]]\n", "0.9", "\n\n", "[[ ## completed ## ]]\n"]


def _chat_events(tokens: int) -> list[bytes]:
    base = {"id": "chatcmpl-bench", "object": "chat.completion.chunk", "created": 1, "model": "bench"}
    choices = [{"index": 0, "delta": {"content": piece}, "finish_reason": None} for piece in _deltas(tokens)]
    choices.append({"index": 0, "delta": {}, "finish_reason": "stop"})
    events = [{**base, "choices": [choice]} for choice in choices]
    usage = {"prompt_tokens": 10, "completion_tokens": tokens, "total_tokens": 10 + tokens}
    events.append({**base, "choices": [], "usage": usage})
    return [*[b"data: " + json.dumps(event).encode() + b"\n\n" for event in events], b"data: [DONE]\n\n"]


def _responses_events(tokens: int) -> list[bytes]:
    done = _responses_body(0)
    done["output"][0]["content"][0]["text"] = "".join(_deltas(tokens))
    begun = {**done, "output": [], "status": "in_progress", "usage": None}
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    events: list[dict[str, Any]] = [{"type": "response.created", "response": begun}]
    events += [{"type": "response.output_text.delta", **place, "delta": piece} for piece in _deltas(tokens)]
    events.append({"type": "response.completed", "response": done})
    for number, event in enumerate(events):
        event["sequence_number"] = number
    return [_named_event(event) for event in events]


def _named_event(event: dict[str, Any]) -> bytes:
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


# ---------------------------------------------------------------- running


async def serve() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Connection, "127.0.0.1", 0, backlog=4096)
    host, port = server.sockets[0].getsockname()[:2]
    print(f"http://{host}:{port}", flush=True)
    async with server:
        await loop.run_in_executor(None, sys.stdin.read)  # until whoever started it lets go
        os._exit(0)


if __name__ == "__main__":
    asyncio.run(serve())
