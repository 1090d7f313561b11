"""Times as people write and read them: `2h`, `7d`, `2026-01-31`; `3 min ago`."""

from __future__ import annotations

import re
from datetime import datetime

from dspx.errors import UsageError
from dspx.runtime import clock

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_AGO = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw])")


def moment(text: str | None) -> float | None:
    """Seconds since 1970 of `2h` (ago), `2026-01-31`, `2026-01-31T12:00` or such; None of None."""
    if text is None:
        return None
    ago = _AGO.fullmatch(text.strip().lower())
    if ago is not None:
        return clock.time() - float(ago[1]) * _SECONDS[ago[2]]
    try:
        return datetime.fromisoformat(text.strip().replace("Z", "+00:00")).timestamp()
    except ValueError:
        raise UsageError(
            f"{text!r} is no time. Write how long ago (30m, 2h, 7d) or when (2026-01-31, 2026-01-31T12:00)."
        ) from None


def ago(seconds: float | None) -> str | None:
    """`20 s ago`, `3 min ago`, `5 h ago`, `12 d ago`; the date from a hundred days on; None of None."""
    if not seconds:
        return None
    passed = max(0.0, clock.time() - seconds)
    for unit, length, most in (("s", 1, 60), ("min", 60, 60), ("h", 3600, 48), ("d", 86_400, 100)):
        if passed < length * most:
            return f"{passed // length:.0f} {unit} ago"
    return datetime.fromtimestamp(seconds).strftime("%Y-%m-%d")


def date(seconds: float | None) -> str | None:
    """The local date and time, to the minute; None of None."""
    return datetime.fromtimestamp(seconds).strftime("%Y-%m-%d %H:%M") if seconds else None


def duration(seconds: float | None) -> str | None:
    """`0.4 s`, `12 s`, `3 min 20 s`, `2 h 5 min`; None of None."""
    if seconds is None:
        return None
    if seconds < 10:
        return f"{seconds:.2g} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
