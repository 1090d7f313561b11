"""How far a long piece of work has come: the seam between who works and who shows it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Progress(Protocol):
    """A progress line. `text` is shown beside the count."""

    def advance(self, n: int = 1, text: str | None = None) -> None: ...
    def close(self) -> None: ...


class _Silent:
    def advance(self, n: int = 1, text: str | None = None) -> None:
        """Nobody watches."""

    def close(self) -> None:
        """Nobody watched."""


_show: Callable[[str, int], Progress] | None = None


def start_progress(label: str, total: int) -> Progress:
    """A line for `total` pieces of work, shown by whoever registered with `show_progress_with`."""
    return _show(label, total) if _show is not None else _Silent()


def show_progress_with(show: Callable[[str, int], Progress] | None) -> None:
    """Make progress visible: `show(label, total)` gives a line. None makes it silent."""
    global _show
    _show = show
