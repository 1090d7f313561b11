"""What a cache is: JSON values under string keys."""

from __future__ import annotations

from typing import Any, Final, Protocol, final


@final
class Miss:
    """The type of `MISS`, which no cached value is."""

    def __repr__(self) -> str:
        return "MISS"

    def __bool__(self) -> bool:
        return False


MISS: Final = Miss()


class CacheStore(Protocol):
    """Get and put from any thread. Losing a value is allowed; giving a wrong one, or raising, is not.

    Values are JSON data. They are shared, not copied: treat what `get` gives as read-only.
    """

    def get(self, key: str) -> Any:
        """The value, or `MISS`."""
        ...

    def put(self, key: str, value: Any) -> None: ...

    def __contains__(self, key: str) -> bool: ...

    def clear(self) -> None: ...

    def close(self) -> None: ...
