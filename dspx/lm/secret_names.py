"""Which settings and headers are secrets, as `dspx.core.secret_names` tells."""

from __future__ import annotations

from dspx.core.secret_names import is_secret, is_secret_header

__all__ = ["is_secret", "is_secret_header"]
