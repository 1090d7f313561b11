"""The locks of the standard library, for packages that do not deal in threads themselves."""

from __future__ import annotations

from threading import Lock, RLock, local

__all__ = ["Lock", "RLock", "local"]
