"""The protocols from the server's side: each reads a body as a request, and writes completions as body or stream."""

from __future__ import annotations
