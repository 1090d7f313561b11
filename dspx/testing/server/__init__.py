"""A local server that speaks the protocols of language models, for tests and demos without a key.

    with Server(model="schema", faults=0.2) as server: ...
    python -m dspx.testing.server --port 8000 --model nearest

It answers /v1/chat/completions, /v1/completions, /v1/responses, /v1/embeddings and /v1/models as OpenAI does, /v1/messages
as Anthropic, and /v1beta/models/…:generateContent as Google; whole or as a stream, with tools, JSON schemas, `n`, `stop`
and log probabilities. It can be slow, and it can fail in every way that servers fail.
"""

from __future__ import annotations

from dspx.testing.models import Fault
from dspx.testing.server.faults import Faults
from dspx.testing.server.server import Server
from dspx.testing.server.stats import Logged, Stats

__all__ = ["Fault", "Faults", "Logged", "Server", "Stats"]
