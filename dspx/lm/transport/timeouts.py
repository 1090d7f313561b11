"""How long a call may take: to connect, between two pieces, in all."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timeout:
    """Seconds; None is without a limit.

    `connect`: until the connection stands (name lookup and TLS included). `read`: from one piece of the
    answer to the next. `total`: the whole call. A stream has no use for `total`: it may rightly take long.
    """

    connect: float | None = 30.0
    read: float | None = None
    total: float | None = 600.0

    @classmethod
    def of(cls, value: float | Timeout | None) -> Timeout:
        """A number limits the whole call, or the pauses within a stream; None gives ten minutes."""
        if isinstance(value, Timeout):
            return value
        if value is None:
            return _DEFAULT
        return cls(connect=float(value), read=None, total=float(value))

    def for_stream(self) -> Timeout:
        """The same limits where pieces arrive for as long as they do: `total` limits each pause."""
        return Timeout(self.connect, self.total if self.read is None else self.read, None)


_DEFAULT = Timeout()
