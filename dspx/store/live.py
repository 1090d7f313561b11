"""A program that runs under the configuration committed last: looked up before each call, or every few seconds."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from dspx.core.calls import entrance
from dspx.core.candidate import Bindings, bound
from dspx.core.module import Module
from dspx.core.prediction import Prediction
from dspx.core.space import Space
from dspx.errors import ConfigurationError, UsageError
from dspx.runtime import clock
from dspx.runtime.bridge import in_thread
from dspx.runtime.locks import Lock
from dspx.store.records import Configuration
from dspx.store.spaces import Spaces
from dspx.store.stamp import configuration_in_force


@dataclass(frozen=True, slots=True)
class InForce:
    """A configuration as it is bound. Version 0, the space's defaults, holds until one is committed."""

    space: str
    version: int
    values: Mapping[str, Any]
    bindings: Bindings

    @property
    def stamp(self) -> dict[str, Any]:
        """What an execution, and a prediction, say of it."""
        return {"space": self.space, "version": self.version}


class Live(Module):
    """`store.bind(program, space)`: call it as you would call the program, in any thread or task.

    A call keeps the configuration that it began with. Its prediction says which one that was
    (`prediction.get_configuration()`), and so do executions that a log starts or finishes with it.
    """

    program: Any

    def __init__(
        self, program: Any, space: Space, spaces: Spaces, space_id: str, every: float | None = None
    ) -> None:
        super().__init__()
        if every is not None and every < 0:
            raise UsageError(
                f"every={every} is a time to wait in seconds; leave it out to look before each call."
            )
        self.program = program
        self._space = space.on(program)
        self._spaces = spaces
        self._space_id = space_id
        self._every = every
        self._lock = Lock()
        self._seen: InForce | None = None
        self._looked_at = 0.0

    async def aforward(self, *args: Any, **kwargs: Any) -> Any:
        here = self._fresh() or await in_thread(self.refresh)
        with self._under(here):
            result = await entrance(self.program)(*args, **kwargs)
        if isinstance(result, Prediction):
            result.set_configuration(here.stamp)
        return result

    # ------------------------------------------------------------ the configuration

    @property
    def version(self) -> int:
        """The version in force now, looked up where it is time to."""
        return (self._fresh() or self.refresh()).version

    @property
    def values(self) -> Mapping[str, Any]:
        """The values in force now: one for every variable."""
        return (self._fresh() or self.refresh()).values

    @contextmanager
    def using(self) -> Generator[InForce]:
        """Bind the configuration in force to the program for a block: all its calls run under this one version."""
        with self._under(self._fresh() or self.refresh()) as here:
            yield here

    def refresh(self) -> InForce:
        """Look now which configuration is the latest."""
        found = self._spaces.configuration(self._space_id)
        seen = self._seen
        version = found.version if found is not None else 0
        if seen is None or version > seen.version:
            seen = self._made(found)
        with self._lock:
            if self._seen is None or seen.version > self._seen.version:
                self._seen = seen
            self._looked_at = clock.now()
            return self._seen

    def commit(self, values: Mapping[str, Any]) -> Configuration:
        """Change these values, and leave the others as this program last saw them.

        `ConfigurationError` where they do not fit; `VersionConflict` where somebody committed since: look at what is
        there now (`refresh()`), and commit what should change.
        """
        seen = self._seen or self.refresh()
        whole = self._space.candidate({**seen.values, **values})
        self._spaces.record(self._space_id, self._space.to_json())
        committed = self._spaces.commit(
            self._space_id, whole.to_json(), expect_version=seen.version, check=self._space.validate
        )
        self.refresh()
        return committed

    # ------------------------------------------------------------ inside

    def _fresh(self) -> InForce | None:
        """What was seen, unless it is time to look again."""
        with self._lock:
            if self._every is None or self._seen is None or clock.now() - self._looked_at >= self._every:
                return None
            return self._seen

    def _made(self, found: Configuration | None) -> InForce:
        version, values = (0, {}) if found is None else (found.version, found.values)
        try:
            candidate = self._space.candidate(values)
        except ConfigurationError as error:
            raise ConfigurationError(
                f"Version {version} of configuration {self._space_id!r} does not fit this program. {error}",
                problems=error.problems,
            ) from error
        return InForce(self._space_id, version, candidate.values, self._space.bindings(candidate))

    @contextmanager
    def _under(self, here: InForce) -> Generator[InForce]:
        values = {**(bound.get() or {}), **here.bindings}
        with bound.using(values), configuration_in_force.using(here.stamp):
            yield here
