"""Which settings and headers are secrets: their names tell. Their values are never kept, shown or hashed."""

from __future__ import annotations

_WORDS = ("api_key", "token_provider", "authorization", "secret", "password", "credential", "headers")
_HEADER_WORDS = ("authorization", "key", "token", "cookie", "secret")


def is_secret(name: str) -> bool:
    """Whether a setting of this name is one (`api_key`, `azure_ad_token`; `max_tokens` is none)."""
    lowered = name.lower()
    return lowered.endswith("token") or any(word in lowered for word in _WORDS)


def is_secret_header(name: str) -> bool:
    """Whether an HTTP header, or a part of a query, of this name is one."""
    lowered = name.lower()
    return any(word in lowered for word in _HEADER_WORDS)
