"""A list that forgets its oldest entries."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, Generic, TypeVar, overload

T = TypeVar("T")


class Ring(Sequence[T], Generic[T]):
    """Reads like a list: index, slice, iterate. `append` is safe from any thread and never slow."""

    __slots__ = ("_entries",)

    def __init__(self, limit: int = 10_000) -> None:
        self._entries: deque[T] = deque(maxlen=limit)

    def append(self, entry: T) -> None:
        self._entries.append(entry)

    def clear(self) -> None:
        self._entries.clear()

    def resize(self, limit: int) -> None:
        """Keep at most `limit` entries from now on, the newest of those there are."""
        if limit != self._entries.maxlen:
            self._entries = deque(self._entries, maxlen=limit)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> list[T]: ...
    def __getitem__(self, index: int | slice) -> T | list[T]:
        return list(self._entries)[index] if isinstance(index, slice) else self._entries[index]

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[T]:
        return iter(list(self._entries))

    def newest(self, n: int) -> list[T]:
        """The last `n` entries, oldest first."""
        return list(islice(self._entries, max(0, len(self._entries) - n), None))

    def __eq__(self, other: object) -> bool:
        return list(self) == list(other) if isinstance(other, (Ring, list)) else NotImplemented

    __hash__: Any = None

    def __repr__(self) -> str:
        return repr(list(self._entries))
