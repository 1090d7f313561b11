"""The protocols: each one file of pure functions, a request to JSON and JSON to a response."""

from __future__ import annotations

from dspx.lm.wire.anthropic import AnthropicMessages
from dspx.lm.wire.base import Wire
from dspx.lm.wire.gemini import GeminiGenerateContent
from dspx.lm.wire.openai_chat import OpenAIChat
from dspx.lm.wire.openai_responses import OpenAIResponses
from dspx.lm.wire.openai_text import OpenAIText

WIRES: dict[str, Wire] = {
    wire.name: wire
    for wire in (OpenAIChat(), OpenAIResponses(), OpenAIText(), AnthropicMessages(), GeminiGenerateContent())
}

__all__ = ["WIRES"]
