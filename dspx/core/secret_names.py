"""Which settings and headers are secrets: their names tell. Their values are never kept, shown or hashed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_WORDS = ("api_key", "token_provider", "authorization", "secret", "password", "credential", "headers")
_HEADER_WORDS = ("authorization", "key", "token", "cookie", "secret")
_USER_OF_ADDRESS = re.compile(r"(\b[a-z][a-z0-9+.-]*://)[^/\s@]+@", re.IGNORECASE)


def is_secret(name: str) -> bool:
    """Whether a setting of this name is one (`api_key`, `azure_ad_token`; `max_tokens` is none)."""
    lowered = name.lower()
    return lowered.endswith("token") or any(word in lowered for word in _WORDS)


def is_secret_header(name: str) -> bool:
    """Whether an HTTP header, or a part of a query, of this name is one."""
    lowered = name.lower()
    return any(word in lowered for word in _HEADER_WORDS)


def without_secrets(value: Any) -> Any:
    """JSON data without settings that are secrets, at any depth, and without the user and password of addresses."""
    if isinstance(value, Mapping):
        return {name: without_secrets(item) for name, item in value.items() if not is_secret(str(name))}
    if isinstance(value, (list, tuple)):
        return [without_secrets(item) for item in value]
    return _USER_OF_ADDRESS.sub(r"\1", value) if isinstance(value, str) else value
