"""A list that forgets its oldest entries, and makes an entry when somebody first reads it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any, Generic, TypeVar, overload

from dspx.runtime.locks import Lock

T = TypeVar("T")


class Late(Generic[T]):
    """An entry that is only made when it is read: most are forgotten unread. `_make` says how."""

    __slots__ = ("_made",)

    def __init__(self) -> None:
        self._made: T | None = None

    def get(self) -> T:
        """The entry, the very same one each time."""
        if self._made is None:
            with _making:
                if self._made is None:
                    self._made = self._make()
        return self._made

    def _make(self) -> T:
        raise NotImplementedError


_making = Lock()


class Ring(Sequence[T], Generic[T]):
    """Reads like a list: index, slice, iterate. `append` is safe from any thread and never slow."""

    __slots__ = ("_entries",)

    def __init__(self, limit: int = 10_000) -> None:
        self._entries: deque[T | Late[T]] = deque(maxlen=limit)

    def append(self, entry: T | Late[T], limit: int | None = None) -> None:
        """Add the newest entry; with a `limit`, keep at most so many from now on."""
        if limit is not None and limit != self._entries.maxlen:
            self.resize(limit)
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
        if isinstance(index, slice):
            return [_made(entry) for entry in list(self._entries)[index]]
        return _made(self._entries[index])

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[T]:
        return iter([_made(entry) for entry in list(self._entries)])

    def newest(self, n: int) -> list[T]:
        """The last `n` entries, oldest first."""
        entries = list(self._entries)
        return [_made(entry) for entry in entries[max(0, len(entries) - n) :]]

    def __eq__(self, other: object) -> bool:
        return list(self) == list(other) if isinstance(other, (Ring, list)) else NotImplemented

    __hash__: Any = None

    def __repr__(self) -> str:
        return repr(list(self))


def _made(entry: Any) -> Any:
    return entry.get() if isinstance(entry, Late) else entry  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
