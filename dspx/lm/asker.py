"""What the layers of an LM have in common: they answer requests, most of them by asking the next layer."""

from __future__ import annotations

from typing import Protocol

from dspx.lm.request import Request
from dspx.lm.response import Response


class Asker(Protocol):
    """Something that answers requests."""

    async def ask(self, request: Request) -> Response:
        """The whole response, or an LMError."""
        ...
