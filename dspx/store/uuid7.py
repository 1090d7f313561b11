"""Identifiers that sort by the time they were made (RFC 9562, version 7)."""

from __future__ import annotations

import os

from dspx.runtime import clock
from dspx.runtime.locks import Lock

_RANDOM_BITS = 74
_lock = Lock()
_last = (-1, 0)  # milliseconds and random bits of the one before


def uuid7() -> str:
    """A new identifier. Within a process each sorts after the one before, while the clock goes on."""
    milliseconds = max(0, int(clock.time() * 1000)) & (2**48 - 1)
    random = _random_after(milliseconds)
    value = milliseconds << 80 | 0x7 << 76 | random >> 62 << 64 | 0b10 << 62 | random & (2**62 - 1)
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _random_after(milliseconds: int) -> int:
    """74 random bits; larger than the last ones within the same millisecond."""
    global _last
    fresh = int.from_bytes(os.urandom(10), "big") >> 6
    with _lock:
        before, bits = _last
        if milliseconds == before:
            fresh = (bits + 1 + (fresh & 0xFFFFFFFF)) % 2**_RANDOM_BITS
        _last = (milliseconds, fresh)
    return fresh
