"""A plain HTTP client, so that the server is tested by something other than dspx."""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def events(self) -> list[Any]:
        """The data of each server-sent event."""
        blocks = [block for block in self.body.decode().split("\n\n") if block]
        data = [line[6:] for block in blocks for line in block.split("\n") if line.startswith("data: ")]
        return [one if one == "[DONE]" else json.loads(one) for one in data]


def ask(
    port: int, path: str, body: Any = None, headers: dict[str, str] | None = None, method: str = "POST"
) -> Answer:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        content = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
        connection.request(method, path, content, headers or {})
        reply = connection.getresponse()
        return Answer(reply.status, {k.lower(): v for k, v in reply.getheaders()}, reply.read())
    finally:
        connection.close()


def chat(text: str = "Hello?", **more: Any) -> dict[str, Any]:
    return {"model": "echo", "messages": [{"role": "user", "content": text}], **more}


def open_socket(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=5)


def post_bytes(body: Any, path: str = "/v1/chat/completions", *more: str) -> bytes:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"POST {path} HTTP/1.1", "host: x", f"content-length: {len(content)}", *more]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content
