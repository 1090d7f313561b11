"""Which proxy leads to a host: what the environment says (HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY), looked up once.

A proxy of plain HTTP is spoken to by the transports themselves; one of SOCKS, or behind TLS, by httpx.
"""

from __future__ import annotations

import os
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from dspx.errors import LMConfigurationError
from dspx.runtime.locks import Lock

if TYPE_CHECKING:
    import httpx


@lru_cache(maxsize=1024)
def origin_of(url: str) -> tuple[str, str]:
    """Scheme and network location of an address. LMConfigurationError where it is no http or https one."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises where it is no number
    except ValueError as error:
        raise LMConfigurationError(f"{url} is no http or https address: {error}.") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise LMConfigurationError(f"{url} is no http or https address.")
    return parts.scheme, parts.netloc


@lru_cache(maxsize=256)
def proxy_for(scheme: str, netloc: str) -> str | None:
    """The proxy's address, or None where the way is direct."""
    host = urlsplit(f"//{netloc}").hostname or ""
    proxies = getproxies()
    address = proxies.get(scheme) or proxies.get("all")
    if address is None or proxy_bypass(host):
        return None
    return address if "://" in address else f"http://{address}"


def needs_httpx(url: str) -> bool:
    """Whether this address is reached through a proxy that only httpx speaks to."""
    proxy = proxy_for(*origin_of(url))
    return proxy is not None and not proxy.lower().startswith("http://")


def client_for(url: str) -> httpx.Client | None:
    """The httpx client that speaks to the proxy of this address; None where there is none, or httpx is not needed."""
    proxy = proxy_for(*origin_of(url))
    if proxy is None or not needs_httpx(url):
        return None
    with _lock:
        client = _clients.get(proxy)
        if client is None:
            client = _clients[proxy] = _client_through(proxy)
        return client


def close() -> None:
    """Look proxies up again; close the connections through those that httpx speaks to."""
    proxy_for.cache_clear()
    with _lock:
        closing = list(_clients.values())
        _clients.clear()
    for client in closing:
        client.close()


_lock = Lock()
_clients: dict[str, httpx.Client] = {}


def _client_through(proxy: str) -> httpx.Client:
    import httpx

    from dspx.lm.transport import tls

    context = tls.context()
    over_tls = context if proxy.lower().startswith("https://") else None
    try:
        return httpx.Client(
            proxy=httpx.Proxy(proxy, ssl_context=over_tls),
            verify=context,
            trust_env=False,
            limits=httpx.Limits(max_keepalive_connections=4, keepalive_expiry=60),
        )
    except (ImportError, ValueError) as error:
        host = urlsplit(proxy).hostname
        raise LMConfigurationError(f"The proxy {host} cannot be used: {error}") from error


def _forget_after_fork() -> None:
    """The connections are the parent's."""
    global _lock
    _lock = Lock()
    _clients.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)
