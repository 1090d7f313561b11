"""What a streamified program says, in DSPy's terms: pieces of fields, and status messages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dspx.core.events import BaseCallback
from dspx.streaming.send import sync_send_to_stream as sync_send_to_stream  # where DSPy has it


@dataclass
class StreamResponse:
    """A piece of the output field that a `StreamListener` listens to.

    The last one of a field is marked by `is_last_chunk`; its text may be empty.
    """

    predict_name: str | None
    signature_field_name: str
    chunk: Any
    is_last_chunk: bool


@dataclass
class StatusMessage:
    """Where the program is, in words for its user."""

    message: str


class StatusMessageProvider:
    """Override a method to say something at that point; return None to say nothing there."""

    def tool_start_status_message(self, instance: Any, inputs: dict[str, Any]) -> str | None:
        return f"Calling tool {instance.name}..."

    def tool_end_status_message(self, outputs: Any) -> str | None:
        return "Tool calling finished! Querying the LLM with tool calling results..."

    def module_start_status_message(self, instance: Any, inputs: dict[str, Any]) -> str | None:
        return None

    def module_end_status_message(self, outputs: Any) -> str | None:
        return None

    def lm_start_status_message(self, instance: Any, inputs: dict[str, Any]) -> str | None:
        return None

    def lm_end_status_message(self, outputs: Any) -> str | None:
        return None


class StatusStreamingCallback(BaseCallback):
    """Says a provider's messages through `send`. The `finish` tool of agents is nothing to tell a user."""

    def __init__(self, provider: StatusMessageProvider, send: Callable[[Any], None]) -> None:
        self._provider = provider
        self._send = send
        self._silent: set[str] = set()

    def on_tool_start(self, call_id: str, instance: Any, inputs: dict[str, Any]) -> None:
        if getattr(instance, "name", None) == "finish":
            self._silent.add(call_id)
        else:
            self._say(self._provider.tool_start_status_message(instance, inputs))

    def on_tool_end(self, call_id: str, outputs: Any | None, exception: Exception | None = None) -> None:
        if call_id in self._silent:
            self._silent.discard(call_id)
        else:
            self._say(self._provider.tool_end_status_message(outputs))

    def on_module_start(self, call_id: str, instance: Any, inputs: dict[str, Any]) -> None:
        self._say(self._provider.module_start_status_message(instance, inputs))

    def on_module_end(self, call_id: str, outputs: Any | None, exception: Exception | None = None) -> None:
        self._say(self._provider.module_end_status_message(outputs))

    def on_lm_start(self, call_id: str, instance: Any, inputs: dict[str, Any]) -> None:
        self._say(self._provider.lm_start_status_message(instance, inputs))

    def on_lm_end(self, call_id: str, outputs: Any | None, exception: Exception | None = None) -> None:
        self._say(self._provider.lm_end_status_message(outputs))

    def _say(self, message: str | None) -> None:
        if message:
            self._send(StatusMessage(message))
