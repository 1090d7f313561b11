"""Programs by name and version: draft → optimizing → production, and back by rollback."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from dspx.runtime import clock
from dspx.store.base import Backend, Tables, equal
from dspx.store.errors import IllegalTransition, RecordNotFound
from dspx.store.lifecycle import check_program
from dspx.store.records import ProgramStatus, ProgramVersion
from dspx.store.rows import find_latest, find_one, record_of, row_of
from dspx.store.schema import PROGRAMS


class Programs:
    """Record, find and promote versions. A version's state never changes; at most one is in production."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def record(
        self, name: str, state: Any, *, parent: int | None = None, tags: Iterable[str] = ()
    ) -> ProgramVersion:
        """A new version, as a draft. `state` is what `program.dump_state()` gives."""
        draft = ProgramVersion(name=name, state=state, parent=parent, created=clock.time(), tags=tuple(tags))
        with self._backend.writing(_lock_of(name)) as tables:
            if parent is not None:
                _found(tables, name, parent)
            latest = find_latest(tables, ProgramVersion, PROGRAMS, name=name)
            draft = replace(draft, version=latest.version + 1 if latest else 1)
            row = row_of(PROGRAMS, draft)
            tables.add(PROGRAMS, [row])
        return record_of(ProgramVersion, row)

    def find(self, name: str, version: int | None = None) -> ProgramVersion:
        """A version, the latest unless told which. `RecordNotFound` where there is none."""
        with self._backend.reading() as tables:
            return _found(tables, name, version)

    def find_all(
        self, name: str | None = None, *, status: ProgramStatus | None = None
    ) -> list[ProgramVersion]:
        """Versions by name and number."""
        with self._backend.reading() as tables:
            return [
                record_of(ProgramVersion, row)
                for row in tables.find(PROGRAMS, equal(name=name, status=status))
            ]

    def production(self, name: str) -> ProgramVersion | None:
        """The version in production, if there is one."""
        with self._backend.reading() as tables:
            return find_one(tables, ProgramVersion, PROGRAMS, name=name, status="production")

    def move(self, name: str, version: int, status: ProgramStatus) -> ProgramVersion:
        """The version in its new status. `IllegalTransition` where that cannot follow the one it has.

        A version that goes to production takes over from the one there, which is archived.
        """
        with self._backend.writing(_lock_of(name)) as tables:
            moved = _found(tables, name, version)
            check_program(name, version, moved.status, status)
            if status == "production":
                moved = replace(moved, succeeded=_demote(tables, name))
            return _put(tables, replace(moved, status=status))

    def promote(self, name: str, version: int) -> ProgramVersion:
        """Bring a version into production, in place of the one there."""
        return self.move(name, version, "production")

    def rollback(self, name: str) -> ProgramVersion:
        """Bring back the version that the one in production took over from; the latter is archived."""
        with self._backend.writing(_lock_of(name)) as tables:
            current = find_one(tables, ProgramVersion, PROGRAMS, name=name, status="production")
            if current is None or current.succeeded is None:
                raise IllegalTransition(_nothing_before(name, current))
            _put(tables, replace(current, status="archived"))
            return _put(tables, replace(_found(tables, name, current.succeeded), status="production"))


def _found(tables: Tables, name: str, version: int | None) -> ProgramVersion:
    if version is None:
        found = find_latest(tables, ProgramVersion, PROGRAMS, name=name)
    else:
        found = find_one(tables, ProgramVersion, PROGRAMS, name=name, version=version)
    if found is None:
        which = "program" if version is None else f"version {version} of program"
        raise RecordNotFound(f"The store has no {which} {name!r}.")
    return found


def _demote(tables: Tables, name: str) -> int | None:
    """Take out of production what is there, and say which version it was."""
    current = find_one(tables, ProgramVersion, PROGRAMS, name=name, status="production")
    if current is None:
        return None
    return _put(tables, replace(current, status="archived")).version


def _put(tables: Tables, program: ProgramVersion) -> ProgramVersion:
    row = row_of(PROGRAMS, program)
    changes = {name: row[name] for name in ("status", "body")}
    tables.change(PROGRAMS, equal(name=program.name, version=program.version), changes)
    return program


def _nothing_before(name: str, current: ProgramVersion | None) -> str:
    if current is None:
        return f"No version of {name!r} is in production, so there is none to roll back."
    return f"{name!r} version {current.version} is the first in production: there is none before it to go back to."


def _lock_of(name: str) -> str:
    return f"program:{name}"
