"""What a store refuses.

StoreError
├── RecordConflict                another content is recorded under this key, or the record is finished
│   └── VersionConflict           somebody committed a newer version; .expected .found
├── RecordNotFound                (a run that is not there is `dspx.errors.RunNotFound`)
├── IllegalTransition             a status that cannot follow the one before
├── LeaseHeld                     another process works on the run; .run_id .owner .expires
└── LeaseLost                     this process no longer holds the run
"""

from __future__ import annotations

from dspx.errors import RecordConflict, StoreError


class RecordNotFound(StoreError):
    """The store has no record under this name."""


class VersionConflict(RecordConflict):
    """Somebody committed a newer version than the one this commit was made from."""

    def __init__(self, message: str = "", *, expected: int = 0, found: int = 0) -> None:
        super().__init__(message)
        self.expected = expected
        self.found = found


class IllegalTransition(StoreError):
    """A record cannot go from its status to that one."""


class LeaseHeld(StoreError):
    """Another process holds the run; `expires` says until when, in seconds since 1970, unless it goes on."""

    def __init__(self, message: str = "", *, run_id: str = "", owner: str = "", expires: float = 0.0) -> None:
        super().__init__(message)
        self.run_id = run_id
        self.owner = owner
        self.expires = expires


class LeaseLost(StoreError):
    """The lease ran out and somebody else may have taken the run."""
