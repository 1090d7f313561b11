"""The run of a study in a store: found or begun, held by a lease, ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dspx.core.canonical import stable_hash
from dspx.errors import RunNotFound, SearchDiverged
from dspx.optimizers.fingerprint import differences
from dspx.optimizers.journal import Journal
from dspx.optimizers.report import Report
from dspx.store.records import Run
from dspx.store.store import Store
from dspx.store.uuid7 import uuid7

if TYPE_CHECKING:
    from typing_extensions import Self

    from dspx.store.lease import Lease


class RecordedRun:
    """A run that is recorded. Entered, it is this process's; left, it is free again.

    `SearchDiverged` where the store has a run of this id that is not the same search; `LeaseHeld` where another
    process works on it.
    """

    def __init__(
        self,
        store: Store | str | None,
        run_id: str | None,
        config: Mapping[str, Any],
        metric: str,
        seed: int,
        on_conflict: str,
    ) -> None:
        self.store = store if isinstance(store, Store) else Store(store) if store else Store()
        self.run_id: str | None = run_id or uuid7()
        self.journal = Journal()
        self._config = config
        self._run = Run(
            id=self.run_id,
            kind="study",
            name=str(config["optimizer"]),
            config=dict(config),
            program_hash=stable_hash(config["program"]),
            dataset_hash=stable_hash([config["trainset"], config["valset"]]),
            metric=metric,
            seed=seed,
        )
        self._on_conflict: Any = on_conflict
        self._lease: Lease | None = None
        self._finished = False

    def __enter__(self) -> Self:
        self._begin()
        self._lease = self.store.lease(self._run.id, on_conflict=self._on_conflict)
        try:
            found = self.store.runs.find(self._run.id)
            self._finished = found.status == "completed"
            if not self._finished and found.status != "running":
                self.store.runs.update(self._run.id, status="running")
            self.journal = Journal(self.store, self._run.id, self._lease.check)
        except BaseException:
            self._lease.release()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        if self._lease is not None:
            self._lease.release()

    def ended(self, report: Report) -> None:
        """The search came to its end, or its budget did: then it may be gone on with under a larger one."""
        if self._finished:
            return
        best = {
            "candidate": report.winner.to_json(),
            "score": report.gain.winner if report.gain else None,
            "baseline": report.gain.baseline if report.gain else None,
            "gain": report.gain.to_json() if report.gain else None,
            "n": report.gain.n if report.gain else 0,
            "kept_student": report.kept_student,
            "lineage": [
                {
                    "hash": one.candidate.hash,
                    "how": one.how,
                    "parents": one.parents,
                    "score": one.score,
                    "n": one.n,
                }
                for one in report.lineage
            ],
        }
        status: Any = "interrupted" if report.stopped_by else "completed"
        self.store.runs.update(self._run.id, best=best, budget_spent=report.spent.to_json(), status=status)

    def failed(self, error: BaseException) -> None:
        """The search raised; it may be gone on with."""
        if not self._finished and not isinstance(error, SearchDiverged):
            status: Any = "failed" if isinstance(error, Exception) else "interrupted"
            self.store.runs.update(self._run.id, status=status)

    def _begin(self) -> None:
        try:
            there = self.store.runs.find(self._run.id)
        except RunNotFound:
            self.store.runs.record(self._run)
            return
        unlike = differences(there.config, self._run.to_json()["config"])
        if unlike:
            raise SearchDiverged(
                f"Run {self._run.id!r} in {self.store.url} is another search: {'; '.join(unlike)}. What is recorded "
                "holds for that one only: use another run_id, or go back to what it was."
            )


class _Unrecorded(RecordedRun):
    """A run that nobody keeps."""

    def __init__(self) -> None:
        self.run_id = None
        self.journal = Journal()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        """Nothing was held."""

    def ended(self, report: Report) -> None:
        """Nothing is kept."""

    def failed(self, error: BaseException) -> None:
        """Nothing is kept."""


def unrecorded() -> RecordedRun:
    """A run for this process only."""
    return _Unrecorded()
