"""One connection of the test server: HTTP/1.1 with keep-alive, one request at a time."""

from __future__ import annotations

import asyncio
import re
import socket
import struct
from collections.abc import Awaitable
from typing import Any, cast

from dspx.testing.server.service import Reply, Service, http_head

_MOST_HEAD = 64 * 1024
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:[ \t]*chunked", re.IGNORECASE)
_CONTINUE = re.compile(rb"\r\nexpect:[ \t]*100-continue", re.IGNORECASE)
_CLOSE = re.compile(rb"\r\nconnection:[ \t]*close", re.IGNORECASE)
_RESET_AFTER = 0.01


class Connection(asyncio.Protocol):
    """Reads requests, has them served, writes the replies."""

    def __init__(self, service: Service, loop: asyncio.AbstractEventLoop, open_ones: set[Connection]) -> None:
        self.service = service
        self.loop = loop
        self.open_ones = open_ones
        self.transport: asyncio.Transport | None = None
        self.buffer = bytearray()
        self.busy: Reply | None = None
        self.waiting = False
        self.timer: asyncio.TimerHandle | None = None
        self.close_after = False
        self.continued = False

    # ------------------------------------------------------------ asyncio calls these

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.open_ones.add(self)
        self.service.stats.connections += 1
        self.service.stats.open_connections += 1

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if self.busy is None and not self.waiting:
            self.advance()

    def connection_lost(self, exc: Exception | None) -> None:
        self.open_ones.discard(self)
        self.service.stats.open_connections -= 1
        self.transport = None
        if self.timer is not None:
            self.timer.cancel()
        if self.busy is not None:
            self.service.finished(self.busy.logged, abandoned=True)
            self.busy = None

    # ------------------------------------------------------------ reading

    def advance(self) -> None:
        """Serve the requests that are whole in the buffer."""
        while self.busy is None and not self.waiting and self.transport is not None:
            taken = self.take()
            if taken is None:
                return
            head, body = taken
            line = head.partition(b"\r\n")[0].split(b" ")
            if len(line) != 3:
                self.refuse()
                return
            self.close_after = _CLOSE.search(head) is not None or line[2] == b"HTTP/1.0"
            served = self.service.serve(line[0].decode("latin-1"), line[1].decode("latin-1"), head, body)
            if isinstance(served, Reply):
                self.begin(served)
            else:
                self.waiting = True
                self.loop.create_task(self.begin_later(served))

    def take(self) -> tuple[bytes, bytes] | None:
        """Head and body of the next request; None while it is not whole."""
        buffer = self.buffer
        end = buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(buffer) > _MOST_HEAD:
                self.refuse()
            return None
        head = bytes(buffer[:end])
        start = end + 4
        if _CHUNKED.search(head):
            return self.take_chunked(head, start)
        found = _LENGTH.search(head)
        length = int(found[1]) if found else 0
        if len(buffer) < start + length:
            self.say_continue(head)
            return None
        body = bytes(buffer[start : start + length])
        del buffer[: start + length]
        self.continued = False
        return head, body

    def take_chunked(self, head: bytes, at: int) -> tuple[bytes, bytes] | None:
        parts: list[bytes] = []
        while True:
            end = self.buffer.find(b"\r\n", at)
            if end < 0:
                self.say_continue(head)
                return None
            size = int(bytes(self.buffer[at:end]).partition(b";")[0] or b"0", 16)
            at = end + 2
            if len(self.buffer) < at + size + 2:
                return None
            parts.append(bytes(self.buffer[at : at + size]))
            at += size + 2
            if size == 0:
                del self.buffer[:at]
                self.continued = False
                return head, b"".join(parts)

    def say_continue(self, head: bytes) -> None:
        """A client that waits for leave to send its body gets it."""
        if not self.continued and self.transport is not None and _CONTINUE.search(head):
            self.continued = True
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def refuse(self) -> None:
        if self.transport is not None:
            self.transport.write(http_head(400, 0))
            self.transport.close()

    # ------------------------------------------------------------ replying

    async def begin_later(self, served: Awaitable[Reply]) -> None:
        try:
            reply = await served
        finally:
            self.waiting = False
        if self.transport is None:
            self.service.finished(reply.logged, abandoned=True)
            return
        self.begin(reply)
        self.advance()

    def begin(self, reply: Reply) -> None:
        self.busy = reply
        if reply.end == "never":
            return
        if reply.delay > 0:
            self.timer = self.loop.call_later(reply.delay, self.resume, reply, 0)
        else:
            self.send(reply, 0)

    def resume(self, reply: Reply, place: int) -> None:
        self.timer = None
        self.send(reply, place)
        self.advance()

    def send(self, reply: Reply, place: int) -> None:
        """Write the parts from `place` on; with a gap between them, one now and the others later."""
        transport = self.transport
        if transport is None:
            return
        if place + 1 < len(reply.parts):
            transport.write(reply.parts[place])
            self.timer = self.loop.call_later(reply.gap, self.resume, reply, place + 1)
            return
        # Counted before it is out, so that whoever has the answer finds it counted.
        self.busy = None
        self.service.finished(reply.logged)
        if reply.parts:
            transport.write(reply.parts[-1])
        self.finish(reply, transport)

    def finish(self, reply: Reply, transport: asyncio.Transport) -> None:
        if reply.end == "reset":
            # What was written must be on its way before the reset overtakes it.
            self.timer = self.loop.call_later(_RESET_AFTER if reply.parts else 0, reset, transport)
            self.waiting = True
        elif reply.end == "close" or self.close_after:
            transport.close()


def reset(transport: asyncio.Transport) -> None:
    """End the connection so that the other side sees a reset and not an end."""
    sock: Any = transport.get_extra_info("socket")
    if sock is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
