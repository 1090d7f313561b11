"""Two small things that programs take from `dspy.dsp.utils`."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any, TypeVar

T = TypeVar("T", bound=Hashable)


def deduplicate(seq: Iterable[T]) -> list[T]:
    """The items in their order, each once."""
    return list(dict.fromkeys(seq))


class dotdict(dict[str, Any]):
    """A dict whose items are attributes too."""

    def __getattr__(self, key: str) -> Any:
        try:
            return self[key]
        except KeyError:
            raise AttributeError(f"{type(self).__name__} has no item {key!r}") from None

    def __setattr__(self, key: str, value: Any) -> None:
        self[key] = value

    def __delattr__(self, key: str) -> None:
        try:
            del self[key]
        except KeyError:
            raise AttributeError(f"{type(self).__name__} has no item {key!r}") from None
