"""Which proxy leads to a host: what the environment says (HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY), looked up once."""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from dspx.errors import LMConfigurationError


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
