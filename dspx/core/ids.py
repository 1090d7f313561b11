"""Names for calls: unique in every process, and cheap (random bytes cost a system call each)."""

from __future__ import annotations

import os
from itertools import count

_prefix = os.urandom(8).hex()
_count = count()


def new_id() -> str:
    """32 hexadecimal digits: half drawn once per process, half counted."""
    return f"{_prefix}{next(_count):016x}"


def _draw_again() -> None:
    """A forked child must not go on counting under its parent's name."""
    global _prefix
    _prefix = os.urandom(8).hex()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_draw_again)
