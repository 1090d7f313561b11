"""A small HTTP server on the loopback, told by each test what to answer."""

from __future__ import annotations

import asyncio
import select
import shutil
import socket
import socketserver
import ssl
import subprocess
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

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
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
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
        running = await asyncio.start_server(
            lambda reader, writer: loopback.serve(reader, writer), "127.0.0.1", 0, backlog=2048
        )
        loopback.port = running.sockets[0].getsockname()[1]
        ready.set()
        await stopped.wait()
        running.close()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0.005)  # closed writers close their sockets in the loop's next rounds

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


# ---------------------------------------------------------------- TLS, a proxy


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A self-signed certificate for localhost, and its key."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs the openssl program")
    folder = tmp_path_factory.mktemp("tls")
    paths = (str(folder / "cert.pem"), str(folder / "key.pem"))
    options = ["-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    names = ["-addext", "subjectAltName=DNS:localhost", "-out", paths[0], "-keyout", paths[1]]
    subprocess.run([openssl, "req", *options, *names], check=True, capture_output=True)
    return paths


class Reversing(BaseHTTPRequestHandler):
    """Answers with the body reversed."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))[::-1]
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


class Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that end the handshake are what is being tested."""


@pytest.fixture
def tls_server(certificate: tuple[str, str]) -> Iterator[int]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    running = Quiet(("127.0.0.1", 0), Reversing)
    running.socket = context.wrap_socket(running.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=running.serve_forever, args=(0.01,))
    thread.start()
    yield running.server_address[1]
    transport.close()
    running.shutdown()
    thread.join()
    running.server_close()


class Tunnel(socketserver.BaseRequestHandler):
    """CONNECT, then bytes both ways."""

    def handle(self) -> None:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.request.recv(1)
        host, _, port = head.split(b" ")[1].decode().rpartition(":")
        with socket.create_connection((host, int(port))) as there:
            self.request.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
            pairs = {self.request: there, there: self.request}
            while True:
                ready, _, _ = select.select(list(pairs), [], [], 5)
                for end in ready:
                    data = end.recv(65536)
                    if not data:
                        return
                    pairs[end].sendall(data)
                if not ready:
                    return


class TunnelServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


@contextmanager
def tunnel(context: ssl.SSLContext | None = None) -> Iterator[int]:
    running = TunnelServer(("127.0.0.1", 0), Tunnel)
    if context is not None:
        running.socket = context.wrap_socket(running.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=running.serve_forever, args=(0.01,))
    thread.start()
    yield running.server_address[1]
    transport.close()
    running.shutdown()
    thread.join()
    running.server_close()


@pytest.fixture
def proxy() -> Iterator[int]:
    with tunnel() as port:
        yield port


@pytest.fixture
def tls_proxy(certificate: tuple[str, str]) -> Iterator[int]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    with tunnel(context) as port:
        yield port
