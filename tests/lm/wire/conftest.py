from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dspx.lm.request import Request
from dspx.lm.resolve import resolve
from dspx.lm.wire.base import Call

ENVIRON = {
    "OPENAI_API_KEY": "sk-openai-secret",
    "ANTHROPIC_API_KEY": "sk-ant-secret",
    "GEMINI_API_KEY": "gm-secret",
    "DEEPSEEK_API_KEY": "sk-deepseek",
    "MISTRAL_API_KEY": "sk-mistral",
    "OPENROUTER_API_KEY": "sk-router",
    "GROQ_API_KEY": "sk-groq",
}


@pytest.fixture
def encode():
    """Encode a request and give the call; `call.json` is not there, so the body comes parsed beside it."""

    def run(
        model: str,
        messages: list[dict[str, Any]] | None = None,
        *,
        model_type: str = "chat",
        stream: bool = False,
        prompt_cache: Any = None,
        **params: Any,
    ) -> tuple[Call, dict[str, Any]]:
        endpoint = resolve(model, model_type=model_type, environ=ENVIRON)
        asked = messages if messages is not None else [{"role": "user", "content": "hi"}]
        request = Request(model, asked, params, stream=stream, prompt_cache=prompt_cache)
        call = endpoint.wire.encode(request, endpoint)
        return call, json.loads(call.body)

    return run


@pytest.fixture
def golden():
    """Compare a body with the file of this name."""

    def compare(name: str, body: dict[str, Any]) -> None:
        path = Path(__file__).parent / "golden" / f"{name}.json"
        assert body == json.loads(path.read_text())

    return compare


@pytest.fixture
def conversation() -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """One request with everything in it that every protocol can say: the same for all golden files."""
    path = Path(__file__).parent / "golden" / "request.json"
    asked = json.loads(path.read_text())
    return asked["messages"], asked["params"]
