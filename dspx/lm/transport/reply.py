"""What goes out and what comes back: a call, a reply, a reply that arrives in pieces."""

from __future__ import annotations

import socket
import ssl
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlsplit

from dspx.errors import LMError, LMTimeoutError, LMTransportError
from dspx.lm.transport.timeouts import Timeout


class Outgoing(Protocol):
    """A call to send: `dspx.lm.wire.base.Call`, a POST, or `Question`, a GET."""

    @property
    def method(self) -> str: ...
    @property
    def url(self) -> str: ...
    @property
    def headers(self) -> dict[str, str]: ...
    @property
    def body(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Question:
    """A GET: all that it says is in its address."""

    url: str
    headers: dict[str, str] = field(default_factory=dict[str, str], repr=False)
    body: bytes = b""
    method: str = "GET"


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, whatever its status. Header names are lower-case."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Arriving:
    """The head of a reply, and its body as pieces that arrive."""

    status: int
    headers: Mapping[str, str]
    pieces: AsyncIterator[bytes]

    async def whole(self) -> Reply:
        return Reply(self.status, self.headers, b"".join([piece async for piece in self.pieces]))


class StatusError(LMError):
    """A stream was refused: `reply` is the answer that came instead (not 2xx)."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(f"The answer to a stream was HTTP {reply.status}.", status=reply.status)
        self.reply = reply


def no_answer(url: str, error: BaseException) -> LMTransportError:
    """The error for an answer that did not arrive: what happened, at which host, never with a key."""
    ours = LMTransportError(f"No answer from {host_of(url)}: {_why(error)}.")
    ours.retryable = not isinstance(_root(error), ssl.SSLCertVerificationError)
    return ours


def too_late(url: str, limits: Timeout) -> LMTimeoutError:
    """The error for an answer that did not arrive in time."""
    if limits.total is None and limits.read is not None:
        return LMTimeoutError(
            f"No answer from {host_of(url)} within {limits.read:g} s (waiting for the next piece)."
        )
    allowed = f"{limits.total:g} s" if limits.total is not None else "the time allowed"
    return LMTimeoutError(f"No answer from {host_of(url)} within {allowed}.")


def host_of(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2]


def _why(error: BaseException) -> str:
    root = _root(error)
    if isinstance(root, ConnectionRefusedError):
        return "it refused the connection; is the server running?"
    if isinstance(root, socket.gaierror):
        return "its name cannot be looked up"
    if isinstance(root, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({root.verify_message})"
    if isinstance(root, (ConnectionResetError, BrokenPipeError)):
        return "it reset the connection"
    return str(error) or type(error).__name__


def _root(error: BaseException) -> BaseException:
    """The socket's own error, where one is behind it."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, OSError) and not hasattr(seen, "os_error"):
            return seen
        seen = (
            getattr(seen, "os_error", None)
            or getattr(seen, "certificate_error", None)
            or seen.__cause__
            or seen.__context__
        )
    return error
