"""The sockets of sync calls: a request leaves in one piece, and a time limit that did not change is not set again.

At every system call a thread hands the interpreter to another one. With hundreds of threads that is most of what a
call costs, so it makes as few as it can: httpcore's own streams make three times as many.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from typing import Any

import httpcore


class Sockets(httpcore.SyncBackend):
    """httpcore's sockets, with streams that wait for the end of a request before they send it."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        return Stream(super().connect_tcp(host, port, timeout, local_address, socket_options))


class Stream(httpcore.NetworkStream):
    """A connection on which whoever writes reads next, as in HTTP: what was written goes out then."""

    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner
        self._socket: Any = inner.get_extra_info("socket")
        self._unsent: list[bytes] = []
        self._limit: float | None = -1.0  # none that was set

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        try:
            if timeout != self._limit:
                self._socket.settimeout(timeout)
                self._limit = timeout
            if self._unsent:
                self._send()
            return self._socket.recv(max_bytes)
        except TimeoutError as error:
            raise httpcore.ReadTimeout(error) from error
        except OSError as error:
            raise httpcore.ReadError(error) from error

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        if buffer:
            self._unsent.append(buffer)

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return Stream(self._inner.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)

    def _send(self) -> None:
        unsent, self._unsent = b"".join(self._unsent), []
        try:
            self._socket.sendall(unsent)
        except TimeoutError as error:
            raise httpcore.WriteTimeout(error) from error
        except OSError:
            return  # the server ended it early: what it said before that is read next
