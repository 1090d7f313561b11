"""A store: programs, runs and what happened in them, configurations, datasets and executions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from dspx.store import checking, lease
from dspx.store.asks import Asks
from dspx.store.base import Backend
from dspx.store.datasets import Datasets
from dspx.store.executions import Executions
from dspx.store.live import Live
from dspx.store.programs import Programs
from dspx.store.records import Ask, Configuration, Rollout
from dspx.store.rollouts import Rollouts
from dspx.store.runs import Runs
from dspx.store.spaces import Spaces
from dspx.store.url import backend_for

if TYPE_CHECKING:
    from typing_extensions import Self

    from dspx.core.space import Space


class Store:
    """What happened, kept as JSON. Safe to use from many threads and processes; connected at its first use.

    `runs`, `rollouts`, `asks`, `programs`, `spaces`, `datasets` and `executions` each have `record` and `find`;
    what a study does all the time is here as well. Records are frozen, and what is recorded is committed.

    Args:
        where: `sqlite:///dspx.db`, `postgresql+psycopg://user:password@host/database`, `memory://`, or a back end.
    """

    def __init__(self, where: str | Backend = "sqlite:///dspx.db") -> None:
        self._backend = backend_for(where) if isinstance(where, str) else where
        self.runs = Runs(self._backend)
        self.rollouts = Rollouts(self._backend)
        self.asks = Asks(self._backend)
        self.programs = Programs(self._backend)
        self.spaces = Spaces(self._backend)
        self.datasets = Datasets(self._backend)
        self.executions = Executions(self._backend)

    @property
    def url(self) -> str:
        """Where the store is, passwords left out."""
        return self._backend.url

    def record_rollout(self, rollout: Rollout) -> Rollout:
        """Commit a rollout: see `Rollouts.record`."""
        return self.rollouts.record(rollout)

    def record_rollouts(self, rollouts: Iterable[Rollout]) -> list[Rollout]:
        """Commit rollouts of one run in one transaction."""
        return self.rollouts.record_all(rollouts)

    def find_rollout(self, run_id: str, key: str) -> Rollout | None:
        """The rollout recorded under `key`, None where there is none yet."""
        return self.rollouts.find(run_id, key)

    def find_rollouts(self, run_id: str) -> list[Rollout]:
        """All rollouts of a run in the order of their places."""
        return self.rollouts.find_all(run_id)

    def record_ask(self, ask: Ask) -> Ask:
        """Commit an ask: see `Asks.record`."""
        return self.asks.record(ask)

    def find_ask(self, run_id: str, label: str, inputs_hash: str, occurrence: int = 0) -> Ask | None:
        """The ask recorded, None where there is none yet."""
        return self.asks.find(run_id, label, inputs_hash, occurrence)

    def find_asks(self, run_id: str) -> list[Ask]:
        """All asks of a run in the order of their places."""
        return self.asks.find_all(run_id)

    def commit(
        self,
        space_id: str,
        values: Mapping[str, Any],
        *,
        expect_version: int,
        check: Callable[[Mapping[str, Any]], object] | None = None,
    ) -> Configuration:
        """Change a configuration as a whole: see `Spaces.commit`."""
        return self.spaces.commit(space_id, values, expect_version=expect_version, check=check)

    def bind(
        self, program: Any, space: Space, space_id: str | None = None, *, every: float | None = None
    ) -> Live:
        """`program` under the configuration committed last for `space_id` (the space's name, unless told).

        Call the result in place of the program. It looks for a newer version before each call, or every so many
        seconds; `commit(values)` on it changes the configuration, with `VersionConflict` where it is stale.
        """
        return Live(program, space, self.spaces, space_id or space.name, every)

    def lease(
        self,
        run_id: str,
        owner: str | None = None,
        seconds: float = 30.0,
        *,
        on_conflict: lease.OnConflict = "fail",
        timeout: float | None = None,
        heartbeat: bool = True,
    ) -> lease.Lease:
        """Hold a run, so that no other process works on it: `with store.lease("qa-v1") as lease: …`.

        A thread renews the lease until it is released; when its process dies, it runs out after `seconds`.
        Processes on several machines are to have their clocks within a fraction of that.

        Args:
            owner: names this process to others. Who comes under the same name is let in, as the same come back.
            on_conflict: `"fail"` raises `LeaseHeld` when another holds the run, `"wait"` waits for it.
            timeout: for how many seconds to wait before failing after all.
            heartbeat: whether a thread renews the lease; without it, call `lease.beat()`.
        """
        return lease.acquire(
            self._backend,
            run_id,
            owner,
            seconds,
            on_conflict=on_conflict,
            timeout=timeout,
            heartbeat=heartbeat,
        )

    def info(self) -> checking.StoreInfo:
        """Where the store is, its schema, how much is in it. Makes nothing where there is no store yet."""
        return checking.info(self._backend)

    def check(self) -> list[str]:
        """What in the store does not add up, a sentence each; nothing where all is well."""
        return checking.problems(self._backend)

    def close(self) -> None:
        """Close connections. The store may be used again."""
        self._backend.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Store({self.url!r})"


def open(url: str = "sqlite:///dspx.db") -> Store:
    """The store at `url`. Nothing is connected or made before its first use."""
    return Store(url)
