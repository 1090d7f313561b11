"""A switch that forbids the network: connections go to this machine or nowhere."""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from typing import Any

from dspx.errors import DSPxError
from dspx.runtime.locks import Lock


class NetworkForbidden(DSPxError, RuntimeError):
    """Something tried to reach another machine while that was forbidden. It is not retried."""


@contextmanager
def no_network(allow: Iterable[str] = ()) -> Generator[None]:
    """Inside, connecting to anything but the loopback and the hosts in `allow` raises `NetworkForbidden`.

    It holds for the whole process, in every thread and whatever library connects, as long as it does so through
    Python's sockets; looking up a name counts too. Unix sockets are allowed. Nested blocks add up: what any of
    them forbids is forbidden.
    """
    rule = frozenset(allow)
    _install()
    with _lock:
        _rules.append(rule)
    try:
        yield
    finally:
        with _lock:
            _rules.remove(rule)


def is_forbidden() -> bool:
    """Whether the network is forbidden right now."""
    return bool(_rules)


_lock = Lock()
_rules: list[frozenset[str]] = []
_installed = False

_LOCAL = frozenset({"", "localhost", "::1", "0.0.0.0", "::", "localhost.localdomain"})


def _install() -> None:
    """An audit hook cannot be taken out again, so there is one, which looks whether it is wanted."""
    global _installed
    with _lock:
        if not _installed:
            sys.addaudithook(_audit)
            _installed = True


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if not _rules or not event.startswith("socket."):
        return
    if event in ("socket.connect", "socket.sendto"):
        address = arguments[1]
        if isinstance(address, tuple):
            _check(address[0], f"connect to {address[0]}:{address[1]}")
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        # Before a socket is made: many callers close it for no other error than OSError.
        _check(arguments[0], f"reach {arguments[0]}")


def _check(host: Any, what: str) -> None:
    name = host.decode("latin-1") if isinstance(host, bytes) else str(host or "")
    if name in _LOCAL or name.startswith(("127.", "::ffff:127.")):
        return
    if any(name not in allowed for allowed in list(_rules)):
        raise NetworkForbidden(
            f"A test tried to {what}, but the network is forbidden here. Use a test LM or a cassette; to ask for real, "
            "run with --dspx-mode=live."
        )
