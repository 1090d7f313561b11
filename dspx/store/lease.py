"""One process at a time on a run: a lease that is kept by a heartbeat and runs out with its owner."""

from __future__ import annotations

import logging
import os
import platform
import sys
from typing import TYPE_CHECKING, Literal

from dspx.errors import StoreError, UsageError
from dspx.runtime import clock
from dspx.runtime.bridge import run
from dspx.runtime.locks import Lock
from dspx.store.base import Backend, Row, equal
from dspx.store.errors import LeaseHeld, LeaseLost
from dspx.store.schema import LEASES
from dspx.store.uuid7 import uuid7

if TYPE_CHECKING:
    from typing_extensions import Self

OnConflict = Literal["wait", "fail"]

logger = logging.getLogger("dspx.store")

_LONGEST_LOOK_APART = 0.5  # seconds between two looks at a lease that another holds


def this_process() -> str:
    """Who a lease belongs to unless told otherwise; it names the process to a person who waits for it."""
    return f"{_here()}:{os.getpid()}:{uuid7()[-6:]}"


def is_dead(owner: str) -> bool:
    """Whether a lease's owner was a process of this machine that is no more. False where nobody can tell."""
    here, _, rest = owner.rpartition(":")[0].rpartition(":")
    if here != _here() or not rest.isdigit():
        return False
    try:
        os.kill(int(rest), 0)
    except ProcessLookupError:
        return True
    except OSError:  # it is somebody else's, and there
        return False
    return False


def _here() -> str:
    """This machine, and on it the space of process ids: containers may share a name, and not their processes."""
    try:
        space = os.readlink("/proc/self/ns/pid").strip("pid:[]")
    except OSError:
        return f"{platform.node()}({sys.platform})" if os.name != "nt" else ""
    return f"{platform.node()}({space})"


def acquire(
    backend: Backend,
    run_id: str,
    owner: str | None = None,
    seconds: float = 30.0,
    *,
    on_conflict: OnConflict = "fail",
    timeout: float | None = None,
    heartbeat: bool = True,
) -> Lease:
    """The lease on `run_id`. See `Store.lease`."""
    if seconds <= 0 or on_conflict not in ("wait", "fail"):
        raise UsageError(
            f'A lease lasts more than 0 seconds and on_conflict is "wait" or "fail", not {seconds}, {on_conflict!r}.'
        )
    owner = owner or this_process()
    deadline = None if timeout is None else clock.now() + timeout
    while True:
        lease, held = _try(backend, run_id, owner, seconds)
        if lease is not None:
            return lease.kept_alive() if heartbeat else lease
        if on_conflict == "fail" or (deadline is not None and clock.now() >= deadline):
            raise _held(run_id, held)
        run(clock.sleep(min(_LONGEST_LOOK_APART, max(0.01, held["expires"] - clock.time()))))


class Lease:
    """A run held by this process, until it leaves the `with` block, calls `release`, or stops beating."""

    def __init__(
        self, backend: Backend, run_id: str, owner: str, seconds: float, token: str, expires: float
    ) -> None:
        self.run_id = run_id
        self.owner = owner
        self.seconds = seconds
        self.expires = expires
        self._backend = backend
        self._token = token
        self._taken = False
        self._heart: Lock | None = None  # held while the heart beats

    @property
    def released(self) -> bool:
        """Whether it was given back."""
        return self._heart is None and self._taken

    @property
    def lost(self) -> bool:
        """Whether somebody else may hold the run by now."""
        return self._taken or clock.time() >= self.expires

    def check(self) -> None:
        """`LeaseLost` unless the run is still this process's. Costs no look at the store."""
        if self.lost:
            raise LeaseLost(
                f"{self.owner} no longer holds run {self.run_id!r}: it did not beat for {self.seconds:g} s. "
                "Stop, and start again to go on from what is recorded."
            )

    def beat(self) -> None:
        """Hold the run for `seconds` more. `LeaseLost` when somebody else took it meanwhile."""
        expires = clock.time() + self.seconds
        with self._backend.writing(_lock_of(self.run_id)) as tables:
            mine = equal(run_id=self.run_id, token=self._token)
            self._taken = tables.change(LEASES, mine, {"expires": expires}) == 0
        if not self._taken:
            self.expires = expires
        self.check()

    def release(self) -> None:
        """Let others have the run. Nothing happens when they have it already."""
        self._taken = True
        heart, self._heart = self._heart, None
        if heart is not None:
            heart.release()
        with self._backend.writing(_lock_of(self.run_id)) as tables:
            tables.remove(LEASES, equal(run_id=self.run_id, token=self._token))

    def kept_alive(self) -> Self:
        """Let a thread beat for this lease, three times in its length, until it is released."""
        from dspx.runtime.workers import submit

        self._heart = Lock()
        self._heart.acquire()
        submit(_beat_on, self, self._heart)
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.release()

    def __repr__(self) -> str:
        return f"Lease({self.run_id!r}, owner={self.owner!r}, lost={self.lost})"


def _try(backend: Backend, run_id: str, owner: str, seconds: float) -> tuple[Lease | None, Row]:
    """The lease, or the row of whoever holds it. An owner of the same name is taken for this one, come back;
    one that was killed on this machine holds nothing."""
    now, token = clock.time(), uuid7()
    row: Row = {"run_id": run_id, "owner": owner, "token": token, "expires": now + seconds}
    with backend.writing(_lock_of(run_id)) as tables:
        there = tables.find(LEASES, equal(run_id=run_id))
        if there and there[0]["expires"] > now and not _may_take(there[0]["owner"], owner):
            return None, there[0]
        tables.remove(LEASES, equal(run_id=run_id))
        tables.add(LEASES, [row])
    return Lease(backend, run_id, owner, seconds, token, now + seconds), row


def _may_take(holder: str, owner: str) -> bool:
    """Whether a lease that has not run out is free all the same: its process was killed, or it is this one's."""
    return holder == owner or is_dead(holder)


def _beat_on(lease: Lease, heart: Lock) -> None:
    while not heart.acquire(timeout=lease.seconds / 3):
        try:
            lease.beat()
        except LeaseLost:
            if lease.released:
                return  # between two beats
            logger.warning("%s lost run %s: another process may work on it now.", lease.owner, lease.run_id)
            return
        except StoreError as error:  # there is time for two more beats
            logger.warning("The lease on run %s could not be renewed: %s", lease.run_id, error)


def _held(run_id: str, row: Row) -> LeaseHeld:
    left = max(0.0, row["expires"] - clock.time())
    return LeaseHeld(
        f"Run {run_id!r} is being worked on by {row['owner']} (its lease has {left:.0f} s to go). "
        'Wait for it with on_conflict="wait", or use another run_id.',
        run_id=run_id,
        owner=row["owner"],
        expires=row["expires"],
    )


def _lock_of(run_id: str) -> str:
    return f"lease:{run_id}"
