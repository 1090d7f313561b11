"""The rollouts of one step of a search: those known, those recorded, those to run."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from dspx.core.budget import Spending
from dspx.core.canonical import stable_hash
from dspx.core.settings import snapshot
from dspx.errors import BudgetExhausted, EvaluationError
from dspx.optimizers.perform import perform
from dspx.optimizers.rollout import Rollout, Subject, Wanted
from dspx.runtime.fanout import Outcome, Stop, fan_out

if TYPE_CHECKING:
    from dspx.optimizers.study import Study

logger = logging.getLogger("dspx.optimizers")


class Batch:
    """The rollouts of one step: those known, those recorded, those to run."""

    def __init__(
        self, study: Study, wanted: Sequence[Wanted], subject: Subject, keep_steps: bool, tell_trace: bool
    ) -> None:
        self.study = study
        self.wanted = wanted
        self.subject = subject
        self.keep_steps = keep_steps
        self.tell_trace = tell_trace
        self.place = ""
        self.leaves = study.leaves(subject)
        self.stop = Stop()
        self.failed = 0
        self.done = 0
        self.keys = [self._key(one) for one in wanted]

    def visit(self, place: str) -> None:
        """Say where in the search this is, and take what is recorded."""
        self.place = place
        study = self.study
        study.journal.visit(
            place,
            self.keys,
            f"{len(self.wanted)} rollouts of {len({w.candidate.hash for w in self.wanted})} candidates",
        )
        for key, wanted in zip(self.keys, self.wanted, strict=True):
            if key not in study._rollouts:
                found = study.journal.rollout(key, wanted, self.leaves)
                if found is not None:
                    study.open_ledger.add(
                        found.spent + Spending(rollouts=1, seconds=-found.spent.seconds), "program"
                    )
                    study._take(found, self.subject, self.tell_trace)

    async def perform(self) -> None:
        """Run what is neither known nor recorded, as far as the budget goes."""
        study = self.study
        missing = {
            key: wanted
            for key, wanted in zip(self.keys, self.wanted, strict=True)
            if key not in study._rollouts
        }
        if not missing:
            return
        admitted, refused = await self._admit(list(missing.items()))
        outcomes = await fan_out(
            self._one, admitted, workers=study.num_threads, on_done=self._take, stop=self.stop
        )
        self._check(outcomes)
        for outcome in outcomes:  # now that the search goes on with them
            if outcome.value is not None and not outcome.value.counts:
                await self._record(outcome.value)
        if refused is not None:
            raise refused

    def results(self) -> list[Rollout]:
        """What came of all that was wanted."""
        return [self.study._rollouts[key] for key in self.keys]

    async def _admit(
        self, missing: list[tuple[str, Wanted]]
    ) -> tuple[list[tuple[str, Wanted]], BudgetExhausted | None]:
        """As many as the budget of rollouts has room for, in their order. What another branch runs is paid for."""
        try:
            await self._pay_for([key for key, _ in missing])
        except BudgetExhausted:  # not for all of them
            return await self._admit_one_by_one(missing)
        return missing, None

    async def _admit_one_by_one(
        self, missing: list[tuple[str, Wanted]]
    ) -> tuple[list[tuple[str, Wanted]], BudgetExhausted | None]:
        for place, (key, _) in enumerate(missing):
            try:
                await self._pay_for([key])
            except BudgetExhausted as error:
                return missing[:place], error
        return missing, None

    async def _pay_for(self, keys: Sequence[str]) -> None:
        """Charge the budget with those of these rollouts that no branch has paid for."""
        paid = self.study._paid
        unpaid = [key for key in keys if key not in paid]
        if not unpaid:
            return
        hold = await self.study.open_ledger.reserve(Spending(rollouts=len(unpaid)))
        with self.study._lock:
            mine = [key for key in unpaid if key not in paid]  # another branch may have paid meanwhile
            paid.update(mine)
        hold.settle(Spending(rollouts=len(mine)))

    async def _one(self, item: tuple[str, Wanted]) -> Rollout:
        """The rollout, which another branch of the search may be running already."""
        key, wanted = item
        rollout, _ = await self.study._flights.once(key, lambda: self._performed(key, wanted))
        return rollout

    async def _performed(self, key: str, wanted: Wanted) -> Rollout:
        study = self.study
        known = study._rollouts.get(key)
        if known is not None:
            return known
        rollout = await perform(
            wanted,
            key,
            self.subject,
            study._bind(self.subject, wanted.candidate),
            study._judge,
            self.leaves,
            tell_trace=self.tell_trace,
            keep_steps=self.keep_steps,
        )
        with study._lock:
            study.rollouts_run += 1
        if rollout.counts:
            await self._record(rollout)
        study._take(rollout, self.subject, self.tell_trace)
        return rollout

    def _take(self, outcome: Outcome[Rollout]) -> None:
        self.done += 1
        if outcome.value is None:
            if isinstance(outcome.error, BudgetExhausted):
                self.stop.set()
            return
        self.study._show()
        if outcome.value.failure is not None:
            self.failed += 1
            logger.debug("A rollout failed: %s", outcome.value.failure)
            if self._too_many():
                self.stop.set()

    def _too_many(self) -> bool:
        limit = self.study.max_errors
        if limit is not None:
            return self.failed >= limit
        return self.failed >= snapshot()["max_errors"] and 2 * self.failed >= self.done

    def _check(self, outcomes: Sequence[Outcome[Rollout]]) -> None:
        """Raise what keeps this step from being complete."""
        for outcome in outcomes:
            if outcome.error is not None:
                raise outcome.error
        if self.failed and self._too_many():
            failures = [o.value for o in outcomes if o.value is not None and o.value.failure is not None]
            for rollout in failures:  # a resumed run tries those again that say nothing of a candidate
                if not rollout.counts:
                    del self.study._rollouts[rollout.key]
                    self.study._paid.discard(rollout.key)
            raise EvaluationError(
                f"{len(failures)} of {self.done} rollouts failed, so something other than the candidates is wrong. "
                f"The first: {failures[0].failure}. With store= and run_id=, the run goes on from here once it is mended.",
                failures=[(rollout.example, rollout.failure) for rollout in failures],
            )

    async def _record(self, rollout: Rollout) -> None:
        study = self.study
        await study.journal.record_rollout(
            rollout, self.place, study._metric_name, study.key_of(rollout.example)
        )

    def _key(self, wanted: Wanted) -> str:
        how = (
            self.subject.name,
            wanted.candidate.hash,
            self.study.key_of(wanted.example),
            wanted.repeat,
            wanted.temperature,
            self.tell_trace,
            self.keep_steps,
        )
        return stable_hash(how)
