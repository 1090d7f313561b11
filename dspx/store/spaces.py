"""Search spaces and their configurations, in versions: a configuration changes as a whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dspx.errors import UsageError
from dspx.runtime import clock
from dspx.store.base import Backend, Tables, equal
from dspx.store.errors import RecordNotFound, VersionConflict
from dspx.store.jsontext import plain
from dspx.store.records import Configuration, SpaceVersion
from dspx.store.rows import find_latest, find_one, record_of, row_of
from dspx.store.schema import CONFIGURATIONS, SPACES


class Spaces:
    """Record definitions, commit configurations, find either."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def record(self, space_id: str, definition: Any) -> SpaceVersion:
        """The definition (`space.to_json()`) as the latest version; the same as the latest makes no new one."""
        definition = plain(definition, "The definition of a space")
        with self._backend.writing(_lock_of(space_id)) as tables:
            latest = find_latest(tables, SpaceVersion, SPACES, space_id=space_id)
            if latest is not None and latest.definition == definition:
                return latest
            number = latest.version + 1 if latest else 1
            space = SpaceVersion(space_id, version=number, definition=definition, created=clock.time())
            tables.add(SPACES, [row_of(SPACES, space)])
            return space

    def find(self, space_id: str, version: int | None = None) -> SpaceVersion:
        """A definition, the latest unless told which. `RecordNotFound` where there is none."""
        with self._backend.reading() as tables:
            found = (
                find_latest(tables, SpaceVersion, SPACES, space_id=space_id)
                if version is None
                else find_one(tables, SpaceVersion, SPACES, space_id=space_id, version=version)
            )
        if found is None:
            raise RecordNotFound(f"The store has no definition of space {space_id!r}{_which(version)}.")
        return found

    def commit(
        self,
        space_id: str,
        values: Mapping[str, Any],
        *,
        expect_version: int,
        check: Callable[[Mapping[str, Any]], object] | None = None,
    ) -> Configuration:
        """The configuration `values`, as version `expect_version + 1`. The first one expects version 0.

        `VersionConflict` when somebody committed since; `check` (`space.validate`) raises to refuse.
        """
        if expect_version < 0:
            raise UsageError(f"Versions begin at 1, and 0 stands for none yet: not {expect_version}.")
        if check is not None:
            check(values)
        values = plain(dict(values), "A configuration")
        with self._backend.writing(_lock_of(space_id)) as tables:
            _expect(tables, space_id, expect_version)
            space = find_latest(tables, SpaceVersion, SPACES, space_id=space_id)
            committed = Configuration(
                space_id,
                version=expect_version + 1,
                space_version=space.version if space else 0,
                values=values,
                created=clock.time(),
            )
            tables.add(CONFIGURATIONS, [row_of(CONFIGURATIONS, committed)])
            return committed

    def configuration(self, space_id: str, version: int | None = None) -> Configuration | None:
        """What was committed, latest unless told which; None where nothing was yet."""
        with self._backend.reading() as tables:
            if version is None:
                return find_latest(tables, Configuration, CONFIGURATIONS, space_id=space_id)
            return find_one(tables, Configuration, CONFIGURATIONS, space_id=space_id, version=version)

    def configurations(self, space_id: str) -> list[Configuration]:
        """All that was committed, oldest first."""
        with self._backend.reading() as tables:
            rows = tables.find(CONFIGURATIONS, equal(space_id=space_id))
        return [record_of(Configuration, row) for row in rows]


def _expect(tables: Tables, space_id: str, version: int) -> None:
    latest = find_latest(tables, Configuration, CONFIGURATIONS, space_id=space_id)
    found = latest.version if latest else 0
    if found != version:
        raise VersionConflict(
            f"Configuration of {space_id!r} is at version {found}, and this commit was made from {version}. "
            "Read it again, and commit what should change.",
            expected=version,
            found=found,
        )


def _which(version: int | None) -> str:
    return "" if version is None else f" version {version}"


def _lock_of(space_id: str) -> str:
    return f"space:{space_id}"
