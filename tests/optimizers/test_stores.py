"""A run is the same on SQLite and on PostgreSQL: killed, started again, replayed."""

from __future__ import annotations

import pytest

import dspx
from dspx.store import Store
from dspx.testing.optimizer_conformance import Killed, PromptedLM, Routing, examples, right
from tests.store.conftest import postgres, url

__all__ = ["postgres", "url"]


def compiled(store: Store, lm: PromptedLM) -> dspx.Module:
    optimizer = dspx.MIPROv2(right, auto=None, num_candidates=3, max_labeled_demos=3)
    with dspx.context(lm=lm, num_threads=4):
        return optimizer.compile(
            Routing(),
            trainset=examples(16),
            valset=examples(12, start=50),
            store=store,
            run_id="qa",
            num_trials=4,
            minibatch_size=6,
        )


def test_a_run_goes_on_where_it_was_killed(url: str) -> None:
    with pytest.raises(Killed), Store(url) as store:
        compiled(store, PromptedLM(dies_at=60))
    with Store(url) as store:
        first = compiled(store, PromptedLM())
        again = PromptedLM(dies_at=1)
        assert compiled(store, again).candidate() == first.candidate()
        assert again.calls == 0
        assert store.runs.show("qa").run.status == "completed"
        assert all(rollout.candidate is not None for rollout in store.find_rollouts("qa"))
