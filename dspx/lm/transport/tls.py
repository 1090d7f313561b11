"""Which certificates are trusted: httpx's choice, made once (it takes tens of milliseconds)."""

from __future__ import annotations

import ssl
from functools import lru_cache


@lru_cache(maxsize=1)
def context() -> ssl.SSLContext:
    """SSL_CERT_FILE and SSL_CERT_DIR where they are set, else certifi's bundle."""
    import httpx

    trusted = httpx.create_ssl_context()
    trusted.set_alpn_protocols(["http/1.1"])
    return trusted
