"""Server-sent events from pieces of any size (https://html.spec.whatwg.org/#event-stream-interpretation)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One event: its type (None where the server gave none) and its data lines, joined by line feeds."""

    event: str | None
    data: str


class EventParser:
    """Feed it bytes, get the events that they complete."""

    __slots__ = ("_after_cr", "_data", "_event", "_rest", "_started")

    def __init__(self) -> None:
        self._rest: list[bytes] = []  # the pieces of a line that has not ended
        self._after_cr = False
        self._started = False
        self._event: str | None = None
        self._data: list[str] = []

    def feed(self, data: bytes) -> list[ServerEvent]:
        """The events that end in `data`."""
        lines = self._lines(data)
        events: list[ServerEvent] = []
        for line in lines:
            if not line:
                if self._data:
                    events.append(self._dispatch())
                self._event = None
            elif line.startswith(b"data:"):
                # What nearly every line is.
                value = line[6:] if line[5:6] == b" " else line[5:]
                self._data.append(value.decode("utf-8", "replace"))
            else:
                self._field(line)
        return events

    def finish(self) -> list[ServerEvent]:
        """The event that the end of the stream cut off before its empty line, if any."""
        events = self.feed(b"\n\n") if self._rest else []
        if self._data:
            events.append(self._dispatch())
        return events

    def _lines(self, data: bytes) -> list[bytes]:
        if self._after_cr and data:
            self._after_cr = False
            if data[:1] == b"\n":
                data = data[1:]
        if b"\r" in data:
            self._after_cr = data.endswith(b"\r")
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        lines = data.split(b"\n")
        if len(lines) > 1 and self._rest:
            self._rest.append(lines[0])
            lines[0] = b"".join(self._rest)
            self._rest.clear()
        if last := lines.pop():
            self._rest.append(last)
        if lines and not self._started:
            self._started = True
            lines[0] = lines[0].removeprefix(b"\xef\xbb\xbf")
        return lines

    def _field(self, line: bytes) -> None:
        """`event:` counts, `data` without a value is an empty line; comments, `id` and `retry` do not matter here."""
        name, _, value = line.partition(b":")
        if name == b"event":
            self._event = value.removeprefix(b" ").decode("utf-8", "replace") or None
        elif name == b"data":
            self._data.append("")

    def _dispatch(self) -> ServerEvent:
        event = ServerEvent(self._event, "\n".join(self._data) if len(self._data) > 1 else self._data[0])
        self._data.clear()
        self._event = None
        return event
