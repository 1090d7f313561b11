"""What a run has recorded, to be answered again, and what it records: nothing is asked twice.

A search's only sources of anything new are rollouts and asks. Each has a key made of what it is and a place made
of where the search asked for it. A resumed search that asks for something else at a place is not the same search.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dspx.core.budget import Spending
from dspx.errors import SearchDiverged
from dspx.optimizers.perform import Leaves
from dspx.optimizers.rollout import Failure, Rollout, Wanted
from dspx.runtime.bridge import in_thread
from dspx.runtime.locks import Lock
from dspx.store.records import Ask
from dspx.store.records import Rollout as Record
from dspx.store.store import Store


@dataclass(frozen=True, slots=True)
class Answer:
    """A recorded answer, and what it took."""

    answer: Mapping[str, Any]
    spent: Spending


class Journal:
    """The recorded part of a run, and its continuation. Without a store it remembers for this process only."""

    def __init__(
        self, store: Store | None = None, run_id: str = "", check: Callable[[], object] | None = None
    ):
        self.store = store
        self.run_id = run_id
        self.replayed = 0
        """How many rollouts and asks were answered from the record."""
        self._check = check
        self._records: dict[str, Record] = {}
        self._asks: dict[tuple[str, str, int], Ask] = {}
        self._places: dict[str, set[str]] = {}
        self._known: set[str] = set()
        self._last: dict[str, int] = {}
        self._visited: set[str] = set()
        self._pending: list[Record | Ask] = []
        self._kept: set[str] = set()
        """Hashes of the candidates that the store has of this run: a candidate is given once."""
        self._lock = Lock()
        self._writing = Lock()
        if store is not None:
            self._read(store)

    def _read(self, store: Store) -> None:
        for record in store.find_rollouts(self.run_id):
            self._records[record.key] = record
            self._kept.add(record.candidate_hash)
            self._file((record.values or {}).get("place"), record.key)
        for ask in store.find_asks(self.run_id):
            self._asks[ask.label, ask.inputs_hash, ask.occurrence] = ask
            self._file((ask.answer or {}).get("place"), key_of(ask.label, ask.inputs_hash, ask.occurrence))

    def _file(self, place: str | None, key: str) -> None:
        if place is None:
            return
        self._known.add(key)
        self._places.setdefault(place, set()).add(key)
        branch, _, number = place.rpartition("/")
        self._last[branch] = max(self._last.get(branch, 0), int(number))

    # ------------------------------------------------------------ places

    def visit(self, place: str, keys: Iterable[str], what: str) -> None:
        """The search asks for `keys` at `place`. `SearchDiverged` where it is not the search that was recorded."""
        keys = set(keys)
        self._visited.add(place)
        other = self._places.get(place, set()) - keys
        if other:
            raise SearchDiverged(
                f"Run {self.run_id!r}: at step {place} the search asks for {what}, and something else is recorded "
                f"there ({len(other)} entries that it did not ask for). {_ADVICE}"
            )
        if self._goes_on_after(place) and not keys <= self._known:
            raise SearchDiverged(
                f"Run {self.run_id!r}: at step {place} the search asks for {what}, which was never recorded "
                f"though later steps were. {_ADVICE}"
            )

    def check_complete(self) -> None:
        """`SearchDiverged` where the search ended without asking for something that it had recorded."""
        left = sorted(place for place in self._places if place not in self._visited)
        if left:
            raise SearchDiverged(
                f"Run {self.run_id!r}: the search ended and never came to step {left[0]}, which is recorded "
                f"({len(left)} steps in all). {_ADVICE}"
            )

    def _goes_on_after(self, place: str) -> bool:
        branch, _, number = place.rpartition("/")
        return int(number) < self._last.get(branch, 0)

    # ------------------------------------------------------------ rollouts

    def rollout(self, key: str, wanted: Wanted, leaves: Leaves) -> Rollout | None:
        """The rollout recorded under `key`; None where there is none."""
        record = self._records.get(key)
        if record is None:
            return None
        self.replayed += 1
        return _rollout(record, wanted, leaves)

    async def record_rollout(self, rollout: Rollout, place: str, metric: str, example_key: str) -> None:
        """Commit a rollout."""
        if self.store is not None:
            candidate = None if rollout.candidate.hash in self._kept else rollout.candidate.to_json()
            await self._commit(_record(rollout, self.run_id, place, metric, example_key, candidate))

    # ------------------------------------------------------------ asks

    def answer(self, label: str, inputs_hash: str, occurrence: int) -> Answer | None:
        """The answer recorded; None where there is none."""
        found = self._asks.get((label, inputs_hash, occurrence))
        if found is None:
            return None
        self.replayed += 1
        usage: Mapping[str, Any] = found.usage or {}
        return Answer(
            found.answer, Spending(usage.get("lm_calls", 0), usage.get("tokens", 0), found.cost or 0.0)
        )

    async def record_answer(
        self, label: str, inputs_hash: str, occurrence: int, answer: Mapping[str, Any], spent: Spending
    ) -> None:
        """Commit the answer to an ask."""
        if self.store is None:
            return
        usage = {"lm_calls": spent.lm_calls, "tokens": spent.tokens}
        await self._commit(
            Ask(self.run_id, label, inputs_hash, occurrence, answer, usage, spent.cost or None)
        )

    async def _commit(self, entry: Record | Ask) -> None:
        with self._lock:
            self._pending.append(entry)
        await in_thread(self._write)

    def _write(self) -> None:
        """Commit what is pending: in one transaction for all who came while another was being written."""
        assert self.store is not None
        with self._writing:
            with self._lock:
                entries, self._pending = self._pending, []
            if not entries:
                return
            if self._check is not None:
                self._check()
            rollouts = [entry for entry in entries if isinstance(entry, Record)]
            asks = [entry for entry in entries if isinstance(entry, Ask)]
            if rollouts:
                self.store.rollouts.commit_all(rollouts)
                self._kept.update(rollout.candidate_hash for rollout in rollouts)
            if asks:
                self.store.asks.record_all(asks)


def key_of(label: str, inputs_hash: str, occurrence: int) -> str:
    """An ask's key among all that a run records."""
    return f"{label} {inputs_hash} {occurrence}"


_ADVICE = "The search has changed since: use another run_id, or go back to what it was."


def _record(
    rollout: Rollout, run_id: str, place: str, metric: str, example_key: str, candidate: Any
) -> Record:
    failure = rollout.failure
    return Record(
        run_id=run_id,
        key=rollout.key,
        candidate_hash=rollout.candidate.hash,
        example_key=example_key,
        candidate=candidate,
        metric=metric,
        repeat=rollout.repeat,
        score=rollout.score,
        values={
            "place": place,
            "prediction": dict(rollout.prediction.items()),
            "metadata": dict(rollout.metadata),
        },
        error=None
        if failure is None
        else {
            "type": failure.type,
            "message": failure.message,
            "stage": failure.stage,
            "by_endpoint": failure.by_endpoint,
        },
        trace=None if rollout.steps is None else [_step(step) for step in rollout.steps],
        usage={"lm_calls": rollout.spent.lm_calls, "total_tokens": rollout.spent.tokens},
        cost=rollout.spent.cost or None,
        seconds=rollout.spent.seconds,
    )


def _step(step: Any) -> dict[str, Any]:
    return {"leaf": step.leaf, "inputs": dict(step.inputs), "outputs": dict(step.outputs)}


def _rollout(record: Record, wanted: Wanted, leaves: Leaves) -> Rollout:
    values: Mapping[str, Any] = record.values or {}
    steps: Sequence[Mapping[str, Any]] | None = record.trace
    usage: Mapping[str, Any] = record.usage or {}
    return Rollout(
        candidate=wanted.candidate,
        example=wanted.example,
        key=record.key,
        repeat=record.repeat,
        score=record.score,
        prediction=leaves.prediction(values.get("prediction", {})),
        steps=None
        if steps is None
        else tuple(leaves.step(step["leaf"], step["inputs"], step["outputs"]) for step in steps),
        metadata=values.get("metadata", {}),
        failure=None if record.error is None else Failure(**record.error),
        spent=Spending(
            usage.get("lm_calls", 0), usage.get("total_tokens", 0), record.cost or 0.0, 0, record.seconds
        ),
    )
