"""Answers while they arrive: typed events of a program, and DSPy's streamify on the same path."""

from __future__ import annotations

from dspx.streaming.chunk import StreamChunk
from dspx.streaming.events import (
    Event,
    FieldDelta,
    FieldDone,
    FieldPart,
    Final,
    Observed,
    Restart,
    Thought,
    ToolCalled,
)
from dspx.streaming.messages import StatusMessage, StatusMessageProvider, StreamResponse
from dspx.streaming.program import stream, stream_sync
from dspx.streaming.send import SendStream, sync_send_to_stream
from dspx.streaming.server_sent import streaming_response
from dspx.streaming.streamify import apply_sync_streaming, streamify
from dspx.streaming.streaming_listener import StreamListener

__all__ = [
    "Event",
    "FieldDelta",
    "FieldDone",
    "FieldPart",
    "Final",
    "Observed",
    "Restart",
    "SendStream",
    "StatusMessage",
    "StatusMessageProvider",
    "StreamChunk",
    "StreamListener",
    "StreamResponse",
    "Thought",
    "ToolCalled",
    "apply_sync_streaming",
    "stream",
    "stream_sync",
    "streamify",
    "streaming_response",
    "sync_send_to_stream",
]
