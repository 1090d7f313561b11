"""Addresses of stores as they may be shown: without their secrets."""

from __future__ import annotations

import re

_PASSWORD = re.compile(r"(://[^:/@\s]*):.*@")  # up to the last @: rather too much than too little
_PARAMETER = re.compile(r"((?:passw|secret|token|key)[^=&\s]*=)[^&\s]*", re.IGNORECASE)


def masked(url: str) -> str:
    """`url`, or a text that quotes one, with its passwords as ***."""
    return _PARAMETER.sub(r"\1***", _PASSWORD.sub(r"\1:***@", url))
