"""Send objects of your own into the stream, from inside the program.

    await dspx.settings.send_stream.send({"step": "searching"})      # in async code; waits while nobody reads
    dspx.settings.send_stream.send_nowait({"step": "searching"})     # in sync code

`settings.send_stream` is None where the program is not streamed.
"""

from __future__ import annotations

from typing import Any

from dspx.runtime.channel import Channel


class SendStream:
    """The writing end of the stream that the program runs in."""

    def __init__(self, channel: Channel[Any]) -> None:
        self._channel = channel

    async def send(self, item: Any) -> None:
        """Put an object into the stream, waiting while much is unread."""
        await self._channel.send(item)

    def send_nowait(self, item: Any) -> None:
        """Put an object into the stream at once."""
        self._channel.put(item)


def sync_send_to_stream(stream: SendStream, message: Any) -> None:
    """`stream.send(message)` from sync code."""
    stream.send_nowait(message)
