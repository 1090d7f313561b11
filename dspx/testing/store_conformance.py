"""What every store must do, whatever is behind it: subclass `StoreConformance` and give it a `store` fixture.

class TestMyBackend(StoreConformance):
    @pytest.fixture
    def store(self):
        with Store(MyBackend()) as store:
            yield store
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dspx.errors import (
    DSPxError,
    RecordConflict,
    RunNotFound,
    SchemaTooNew,
    SearchDiverged,
    StoreError,
    UsageError,
)
from dspx.runtime import clock
from dspx.runtime.clock import FakeClock
from dspx.store import (
    Ask,
    Execution,
    ExecutionLog,
    IllegalTransition,
    LeaseHeld,
    LeaseLost,
    RecordNotFound,
    Rollout,
    Run,
    Store,
    VersionConflict,
)
from dspx.store.records import ProgramStatus

ODD_VALUES: list[Any] = [
    None,
    True,
    0,
    -1,
    2**63,
    2**70,
    -(2**90),
    0.1,
    1e300,
    "",
    "naïve 東京 🙂",
    "a NUL \x00 and a lone half \ud800 of a pair",
    "quotes ' \" \\ % :name ? {x}",
    [],
    {},
    [[{"a": [None, {"b": "c"}]}]],
    {"": 1, "b": 2, "a": {"z": 1, "y": 2}},
]


def rollout(run_id: str, number: int = 0, **changes: Any) -> Rollout:
    """A rollout as a study records one; `number` tells its key."""
    whole: dict[str, Any] = {
        "run_id": run_id,
        "key": f"key-{number}",
        "candidate_hash": f"candidate-{number % 3}",
        "example_key": f"example-{number}",
        "candidate": {"answer.instructions": f"Try {number % 3}."},
        "metric": "exact",
        "score": float(number % 2),
        "values": {"answer": "42"},
        "trace": [{"leaf": "answer", "outputs": {"answer": "42"}}],
        "usage": {"openai/gpt": {"total_tokens": 12}},
        "cost": 0.001,
        "seconds": 0.5,
    }
    return Rollout(**{**whole, **changes})


def ask(run_id: str, label: str = "tip", **changes: Any) -> Ask:
    """An ask as a study records one."""
    whole: dict[str, Any] = {"inputs_hash": "hash", "answer": {"tip": "Be brief."}, "cost": 0.01}
    return Ask(run_id, label, **{**whole, **changes})


class Runs:
    """Runs: recorded, moved on, resumed, listed, shown."""

    def test_a_run_is_found_as_it_was_recorded(self, store: Store) -> None:
        config = {"num_trials": 9, "nested": {"x": [1, 2]}}
        run = store.runs.record(
            Run("r", name="qa", config=config, seed=7, metric="m", tags=("a", "b"), created=5.0)
        )
        assert run == Run("r", name="qa", config=config, seed=7, metric="m", tags=("a", "b"), created=5.0)
        assert store.runs.find("r") == run

    def test_an_unknown_run_is_an_error_that_names_it(self, store: Store) -> None:
        with pytest.raises(RunNotFound, match="nowhere"):
            store.runs.find("nowhere")

    def test_a_run_may_be_recorded_twice_but_not_with_another_configuration(self, store: Store) -> None:
        store.runs.record(Run("r", config={"k": 1}))
        store.runs.record(Run("r", config={"k": 1}))
        with pytest.raises(RecordConflict, match=r"config\.k 1 instead of 2"):
            store.runs.record(Run("r", config={"k": 2}))

    def test_resuming_another_search_says_what_differs(self, store: Store) -> None:
        run = Run("r", program_hash="p", dataset_hash="d", metric="m", seed=0, config={"k": 1})
        assert store.runs.resume(run) == store.runs.resume(run)
        with pytest.raises(SearchDiverged, match=r'dataset_hash "d" instead of "other"'):
            store.runs.resume(replace(run, dataset_hash="other"))

    def test_a_run_has_the_times_of_its_statuses(self, store: Store) -> None:
        with clock.use(FakeClock(100)) as fake:
            store.runs.record(Run("r"))
            assert isinstance(fake, FakeClock)
            fake.advance(5)
            store.runs.update("r", status="running")
            fake.advance(5)
            run = store.runs.update("r", status="interrupted")
            assert (run.created, run.started, run.finished) == (100, 105, 110)
            run = store.runs.update("r", status="running")
            assert (run.started, run.finished) == (105, None)

    def test_a_completed_run_stays_as_it_is(self, store: Store) -> None:
        store.runs.record(Run("r"))
        store.runs.update("r", status="running", best={"hash": "a"}, budget_spent={"calls": 3})
        done = store.runs.update("r", status="completed")
        assert store.runs.update("r", status="completed", best={"hash": "a"}) == done
        with pytest.raises(RecordConflict, match="completed"):
            store.runs.update("r", best=None)
        with pytest.raises(IllegalTransition, match="final"):
            store.runs.update("r", status="running")
        assert store.runs.find("r") == done

    def test_runs_are_listed_newest_first_by_what_is_asked(self, store: Store) -> None:
        for number, kind in enumerate(("study", "evaluation", "study")):
            store.runs.record(
                Run(f"r{number}", kind=kind, name="qa", created=float(number + 1), tags=(kind,))
            )
        assert [run.id for run in store.runs.find_all()] == ["r2", "r1", "r0"]
        assert [run.id for run in store.runs.find_all(kind="study", limit=1)] == ["r2"]
        assert [run.id for run in store.runs.find_all(tag="evaluation")] == ["r1"]
        assert [run.id for run in store.runs.find_all(since=2.0)] == ["r2", "r1"]
        assert store.runs.find_all(status="running") == []

    def test_a_run_is_shown_in_numbers(self, store: Store) -> None:
        store.runs.record(Run("r"))
        store.record_rollouts([rollout("r", n) for n in range(4)])
        store.record_rollout(rollout("r", 4, score=None, error="boom", cost=None))
        store.record_ask(ask("r"))
        shown = store.runs.show("r")
        assert (shown.rollouts, shown.errors, shown.asks, shown.last_sequence) == (5, 1, 1, 6)
        assert shown.mean_score == 0.5
        assert shown.candidates["candidate-0"] == (0.5, 2)
        assert shown.best_candidate == "candidate-1"
        assert shown.rollout_cost == pytest.approx(0.004)
        assert shown.ask_cost == pytest.approx(0.01)

    def test_two_runs_are_compared_on_what_both_did(self, store: Store) -> None:
        store.runs.record(Run("a", seed=1, config={"k": 1, "same": 0}))
        store.runs.record(Run("b", seed=2, config={"k": 1, "same": 0, "more": 5}))
        store.record_rollouts([rollout("a", n, score=0.0) for n in range(4)])
        store.record_rollouts([rollout("b", n, score=1.0) for n in range(2, 6)])
        compared = store.runs.compare("a", "b")
        assert compared.differences == {"seed": (1, 2), "config.more": (None, 5)}
        assert (compared.common_examples, compared.mean_difference) == (2, 1.0)

    def test_pruning_takes_what_is_asked_and_nothing_in_use(self, store: Store) -> None:
        for number in range(4):
            store.runs.record(Run(f"r{number}", created=float(number + 1)))
            store.record_rollout(rollout(f"r{number}"))
        with store.lease("r0", heartbeat=False):
            assert store.runs.prune(keep=1, dry_run=True) == ["r2", "r1"]
            assert len(store.runs.find_all()) == 4
            assert store.runs.prune(before=3.0) == ["r1"]
        assert store.find_rollouts("r1") == []
        assert store.runs.prune(["r0", "r2"]) == ["r2", "r0"]
        assert [run.id for run in store.runs.find_all()] == ["r3"]
        with pytest.raises(UsageError, match="which runs"):
            store.runs.prune()


class Journal:
    """Rollouts and asks: once each, in one order, all or nothing."""

    def test_a_rollout_is_found_as_it_was_recorded(self, store: Store) -> None:
        store.runs.record(Run("r"))
        recorded = store.record_rollout(rollout("r"))
        assert recorded == replace(rollout("r"), sequence=1)
        assert store.find_rollout("r", "key-0") == recorded
        assert store.find_rollout("r", "key-1") is None

    def test_odd_values_come_back_exactly(self, store: Store) -> None:
        store.runs.record(Run("r"))
        for number, value in enumerate(ODD_VALUES):
            store.record_rollout(rollout("r", number, values={"answer": value}, candidate_hash=f"c{number}"))
            store.record_ask(ask("r", label=f"l{number}", answer=value))
        assert [found.values["answer"] for found in store.find_rollouts("r")] == ODD_VALUES
        assert [found.answer for found in store.find_asks("r")] == ODD_VALUES

    def test_what_is_returned_is_what_a_later_find_returns(self, store: Store) -> None:
        store.runs.record(Run("r"))
        recorded = store.record_rollout(rollout("r", values={"pair": (1, 2), 3: {4}}))
        assert recorded.values == {"pair": [1, 2], "3": [4]}
        assert store.find_rollout("r", "key-0") == recorded

    def test_what_has_no_json_form_is_refused_and_nothing_is_recorded(self, store: Store) -> None:
        store.runs.record(Run("r"))
        with pytest.raises(UsageError, match="JSON"):
            store.record_rollouts([rollout("r"), rollout("r", 1, values={"fn": print})])
        with pytest.raises(UsageError, match="surrogate"):
            store.runs.record(Run("r2", name="a NUL \x00"))
        with pytest.raises(UsageError, match="nan"):
            rollout("r", score=float("nan"))
        assert store.find_rollouts("r") == []

    def test_the_same_rollout_twice_is_one_and_keeps_its_place(self, store: Store) -> None:
        store.runs.record(Run("r"))
        first = store.record_rollout(rollout("r"))
        assert store.record_rollout(rollout("r")) == first
        assert store.record_rollouts([rollout("r"), rollout("r", 1), rollout("r", 1)])[1].sequence == 2
        assert [found.sequence for found in store.find_rollouts("r")] == [1, 2]

    def test_what_a_rollout_took_is_not_what_it_is(self, store: Store) -> None:
        store.runs.record(Run("r"))
        first = store.record_rollout(rollout("r"))
        assert store.record_rollout(rollout("r", seconds=9.0, cost=0.0, usage=None)) == first

    def test_other_content_under_the_same_key_is_a_conflict_that_names_it(self, store: Store) -> None:
        store.runs.record(Run("r"))
        store.record_rollout(rollout("r"))
        with pytest.raises(RecordConflict, match="key-0 with other score, values"):
            store.record_rollout(rollout("r", score=0.5, values={"answer": "41"}))
        assert store.find_rollout("r", "key-0") == replace(rollout("r"), sequence=1)

    def test_a_batch_is_recorded_whole_or_not_at_all(self, store: Store) -> None:
        store.runs.record(Run("r"))
        store.record_rollout(rollout("r", 1))
        with pytest.raises(RecordConflict):
            store.record_rollouts([rollout("r", 0), rollout("r", 1, score=0.5), rollout("r", 2)])
        assert [found.key for found in store.find_rollouts("r")] == ["key-1"]
        assert store.record_rollout(rollout("r", 3)).sequence == 2

    def test_a_large_batch_is_recorded_in_its_order(self, store: Store) -> None:
        store.runs.record(Run("r"))
        store.record_rollouts(
            [rollout("r", n, candidate_hash=f"c{n % 97}", candidate={"n": n % 97}) for n in range(1200)]
        )
        found = store.find_rollouts("r")
        assert [r.key for r in found] == [f"key-{n}" for n in range(1200)]
        assert [r.sequence for r in found] == list(range(1, 1201))
        assert all(r.candidate == {"n": n % 97} for n, r in enumerate(found))
        assert store.record_rollouts(found) == found

    def test_a_candidate_is_said_once_and_found_with_each_of_its_rollouts(self, store: Store) -> None:
        store.runs.record(Run("r"))
        store.record_rollout(rollout("r", 0))
        store.record_rollout(rollout("r", 3, candidate=None))
        assert [found.candidate for found in store.find_rollouts("r")] == [
            {"answer.instructions": "Try 0."}
        ] * 2

    def test_rollouts_are_found_by_candidate_example_and_place(self, store: Store) -> None:
        store.runs.record(Run("r"))
        store.record_rollouts([rollout("r", n) for n in range(9)])

        def keys(**by: Any) -> list[str]:
            return [found.key for found in store.rollouts.find_all("r", **by)]

        assert keys(candidate_hash="candidate-1") == ["key-1", "key-4", "key-7"]
        assert keys(example_key="example-5") == ["key-5"]
        assert keys(after=3, until=5) == ["key-3", "key-4"]
        assert keys(after=7) == ["key-7", "key-8"]
        assert keys(limit=2) == ["key-0", "key-1"]

    def test_the_last_failures_come_first_and_candidates_are_found_by_hash(self, store: Store) -> None:
        store.runs.record(Run("r"))
        for number in range(6):
            failed = {"score": None, "error": f"boom {number}"} if number % 2 else {}
            store.record_rollout(rollout("r", number, **failed))
        assert [found.error for found in store.rollouts.failures("r", limit=2)] == ["boom 5", "boom 3"]
        found = store.rollouts.candidates("r")
        assert found == {one.candidate_hash: one.candidate for one in store.find_rollouts("r")}

    def test_what_is_in_the_store_is_counted_and_adds_up(self, store: Store) -> None:
        store.runs.record(Run("r"))
        store.record_rollout(rollout("r"))
        store.record_ask(ask("r"))
        info = store.info()
        assert info.schema == info.known_schema
        assert (info.rows["runs"], info.rows["rollouts"], info.rows["asks"]) == (1, 1, 1)
        assert store.check() == []
        store.runs.update("r", status="running")
        with store.lease("r", heartbeat=False):
            assert store.check() == []
        [left] = store.check()
        assert "'r' is running, but no process holds it" in left

    def test_an_unknown_run_takes_no_rollouts_and_a_completed_one_no_new_ones(self, store: Store) -> None:
        with pytest.raises(RunNotFound):
            store.record_rollout(rollout("nowhere"))
        store.runs.record(Run("r"))
        first = store.record_rollout(rollout("r"))
        store.runs.update("r", status="completed")
        assert store.record_rollout(rollout("r")) == first
        with pytest.raises(RecordConflict, match="completed"):
            store.record_rollout(rollout("r", 1))

    def test_a_batch_belongs_to_one_run(self, store: Store) -> None:
        assert store.record_rollouts([]) == []
        with pytest.raises(UsageError, match="one run"):
            store.record_rollouts([rollout("a"), rollout("b")])

    def test_asks_are_told_apart_by_label_inputs_and_occurrence(self, store: Store) -> None:
        store.runs.record(Run("r"))
        for label, inputs, occurrence in (("a", "x", 0), ("a", "x", 1), ("a", "y", 0), ("b", "x", 0)):
            store.record_ask(
                ask("r", label, inputs_hash=inputs, occurrence=occurrence, answer=[label, inputs, occurrence])
            )
        found = store.find_ask("r", "a", "x", 1)
        assert found is not None
        assert (found.answer, found.sequence) == (["a", "x", 1], 2)
        assert store.find_ask("r", "b", "y") is None
        assert [a.sequence for a in store.asks.find_all("r", label="a")] == [1, 2, 3]

    def test_the_same_ask_with_another_answer_is_a_conflict(self, store: Store) -> None:
        store.runs.record(Run("r"))
        first = store.record_ask(ask("r"))
        assert store.record_ask(ask("r", cost=5.0)) == first
        with pytest.raises(RecordConflict, match="answer"):
            store.record_ask(ask("r", answer="other"))

    def test_rollouts_and_asks_share_one_order(self, store: Store) -> None:
        store.runs.record(Run("r"))
        places = [
            store.record_rollout(rollout("r", 0)).sequence,
            store.record_ask(ask("r")).sequence,
            store.record_rollout(rollout("r", 1)).sequence,
        ]
        assert places == [1, 2, 3]

    def test_many_threads_lose_nothing_and_share_no_place(self, store: Store) -> None:
        store.runs.record(Run("r"))
        with ThreadPoolExecutor(16) as pool:
            list(pool.map(lambda n: store.record_rollout(rollout("r", n % 100)), range(200)))
        found = store.find_rollouts("r")
        assert {r.key for r in found} == {f"key-{n}" for n in range(100)}
        assert [r.sequence for r in found] == list(range(1, 101))


class Copies:
    """Forks, exports, imports."""

    @pytest.fixture
    def source(self, store: Store) -> Run:
        run = store.runs.record(Run("source", config={"k": 1}, tags=("a",)))
        store.record_rollouts([rollout("source", n) for n in range(3)])
        store.record_ask(ask("source"))
        store.record_rollout(rollout("source", 3))
        return run

    def test_a_fork_has_what_happened_up_to_its_place_and_goes_on_by_itself(
        self, store: Store, source: Run
    ) -> None:
        fork = store.runs.fork("source", at=2, new_id="fork")
        assert (fork.parent, fork.forked_at, fork.status, fork.config) == ("source", 2, "pending", {"k": 1})
        assert store.find_rollouts("fork") == [
            replace(r, run_id="fork") for r in store.find_rollouts("source")[:2]
        ]
        assert store.find_asks("fork") == []
        assert store.record_rollout(rollout("fork", 9)).sequence == 3
        assert len(store.find_rollouts("source")) == 4

    def test_a_fork_from_the_end_has_everything(self, store: Store, source: Run) -> None:
        store.runs.update("source", status="completed", best={"hash": "x"})
        fork = store.runs.fork("source")
        assert fork == store.runs.find(fork.id)
        assert (fork.forked_at, fork.best) == (5, None)
        assert len(store.find_rollouts(fork.id)) == 4
        assert len(store.find_asks(fork.id)) == 1

    def test_a_fork_from_a_place_that_is_not_there_is_refused(self, store: Store, source: Run) -> None:
        with pytest.raises(UsageError, match="0 to 5"):
            store.runs.fork("source", at=6)
        with pytest.raises(RecordConflict, match="already"):
            store.runs.fork("source", new_id="source")
        with pytest.raises(RunNotFound):
            store.runs.fork("nowhere")
        assert [run.id for run in store.runs.find_all()] == ["source"]

    def test_an_export_imported_is_the_same_run(self, store: Store, source: Run, tmp_path: Path) -> None:
        lines = list(store.runs.export("source", tmp_path / "run.jsonl"))
        assert lines == list(store.runs.export("source"))
        assert store.runs.import_(lines) == source
        copy = store.runs.import_(tmp_path / "run.jsonl", new_id="copy")
        assert copy == replace(source, id="copy")
        assert store.find_rollouts("copy") == [
            replace(r, run_id="copy") for r in store.find_rollouts("source")
        ]
        assert store.find_asks("copy") == [replace(a, run_id="copy") for a in store.find_asks("source")]
        assert store.record_rollout(rollout("copy", 50)).sequence == 6

    def test_an_export_that_is_cut_short_is_refused_whole(self, store: Store, source: Run) -> None:
        lines = list(store.runs.export("source"))
        with pytest.raises(StoreError, match="cut short"):
            store.runs.import_(lines[:-1], new_id="copy")
        with pytest.raises(StoreError, match="not JSON"):
            store.runs.import_([*lines[:-1], lines[-1][:20]], new_id="copy")
        with pytest.raises(StoreError, match="no export"):
            store.runs.import_(lines[1:], new_id="copy")
        with pytest.raises(SchemaTooNew):
            store.runs.import_([lines[0].replace('"format":1', '"format":2'), *lines[1:]], new_id="copy")
        with pytest.raises(RunNotFound):
            store.runs.find("copy")

    def test_an_import_does_not_replace_a_run_that_went_on(self, store: Store, source: Run) -> None:
        lines = list(store.runs.export("source"))
        store.runs.update("source", status="running")
        with pytest.raises(RecordConflict, match="new_id"):
            store.runs.import_(lines)


class Leases:
    """One owner of a run at a time."""

    def test_a_second_owner_fails_and_learns_who_holds_the_run(self, store: Store) -> None:
        with store.lease("r", "first"):
            with pytest.raises(LeaseHeld, match="first") as refused:
                store.lease("r", "second")
            assert (refused.value.run_id, refused.value.owner) == ("r", "first")
            with store.lease("another", "second"):
                pass
        with store.lease("r", "second") as lease:
            assert not lease.lost

    def test_a_dead_owners_lease_runs_out(self, store: Store) -> None:
        with clock.use(FakeClock(1000)) as fake:
            assert isinstance(fake, FakeClock)
            dead = store.lease("r", "dead", 30, heartbeat=False)
            fake.advance(29)
            with pytest.raises(LeaseHeld):
                store.lease("r", "next", heartbeat=False)
            fake.advance(1)
            assert dead.lost
            alive = store.lease("r", "next", heartbeat=False)
            with pytest.raises(LeaseLost, match="did not beat"):
                dead.beat()
            dead.release()
            alive.beat()
            alive.check()

    def test_a_beat_holds_the_run_for_longer(self, store: Store) -> None:
        with clock.use(FakeClock(1000)) as fake:
            assert isinstance(fake, FakeClock)
            lease = store.lease("r", "first", 30, heartbeat=False)
            for _ in range(5):
                fake.advance(20)
                lease.beat()
                with pytest.raises(LeaseHeld):
                    store.lease("r", "second", heartbeat=False)

    def test_who_waits_gets_the_run_when_it_is_free(self, store: Store) -> None:
        with clock.use(FakeClock(1000)) as fake:
            assert isinstance(fake, FakeClock)
            store.lease("r", "dead", 30, heartbeat=False)
            with pytest.raises(LeaseHeld):
                store.lease("r", "second", on_conflict="wait", timeout=5, heartbeat=False)
            lease = store.lease("r", "second", on_conflict="wait", heartbeat=False)
            assert 1030 <= fake.time() <= 1031
            assert not lease.lost

    def test_the_same_owner_is_let_in_again_and_the_old_lease_is_lost(self, store: Store) -> None:
        before = store.lease("r", "me", heartbeat=False)
        with store.lease("r", "me", heartbeat=False) as now:
            with pytest.raises(LeaseLost):
                before.beat()
            now.beat()

    def test_a_lease_makes_sense(self, store: Store) -> None:
        with pytest.raises(UsageError):
            store.lease("r", seconds=0)


class Programs:
    """Versions and their lifecycle."""

    def test_versions_count_up_and_keep_their_state(self, store: Store) -> None:
        first = store.programs.record("qa", {"answer": {"demos": []}}, tags=["a"])
        second = store.programs.record("qa", {"answer": {"demos": [1]}}, parent=1)
        other = store.programs.record("other", {})
        assert [p.version for p in (first, second, other)] == [1, 2, 1]
        assert store.programs.find("qa") == second
        assert store.programs.find("qa", 1) == first
        assert store.programs.find_all("qa") == [first, second]
        assert store.programs.find_all() == [other, first, second]
        with pytest.raises(RecordNotFound, match="version 9"):
            store.programs.find("qa", 9)
        with pytest.raises(RecordNotFound, match="nope"):
            store.programs.find("nope")
        with pytest.raises(RecordNotFound, match="version 9"):
            store.programs.record("qa", {}, parent=9)

    LEGAL = frozenset(
        {
            ("draft", "optimizing"),
            ("draft", "production"),
            ("draft", "archived"),
            ("optimizing", "production"),
            ("optimizing", "draft"),
            ("optimizing", "archived"),
            ("production", "archived"),
        }
    )

    @pytest.mark.parametrize("then", ["draft", "optimizing", "production", "archived"])
    @pytest.mark.parametrize("now", ["draft", "optimizing", "production", "archived"])
    def test_a_program_moves_only_as_its_lifecycle_says(
        self, store: Store, now: ProgramStatus, then: ProgramStatus
    ) -> None:
        store.programs.record("qa", {})
        if now != "draft":
            store.programs.move("qa", 1, now)
        if (now, then) in self.LEGAL:
            assert store.programs.move("qa", 1, then).status == then
        else:
            with pytest.raises(IllegalTransition, match=now):
                store.programs.move("qa", 1, then)
        assert store.programs.find("qa", 1).status == (then if (now, then) in self.LEGAL else now)

    def test_promoting_one_demotes_the_other_and_a_rollback_restores_it(self, store: Store) -> None:
        for _ in range(3):
            store.programs.record("qa", {})
        store.programs.promote("qa", 1)
        assert store.programs.promote("qa", 2).succeeded == 1
        store.programs.promote("qa", 3)
        assert [p.status for p in store.programs.find_all("qa")] == ["archived", "archived", "production"]
        assert store.programs.rollback("qa").version == 2
        assert store.programs.production("qa") == store.programs.find("qa", 2)
        assert store.programs.find("qa", 3).status == "archived"
        assert store.programs.rollback("qa").version == 1
        with pytest.raises(IllegalTransition, match="first in production"):
            store.programs.rollback("qa")

    def test_nothing_in_production_cannot_be_rolled_back(self, store: Store) -> None:
        store.programs.record("qa", {})
        assert store.programs.production("qa") is None
        with pytest.raises(IllegalTransition, match="none to roll back"):
            store.programs.rollback("qa")

    def test_at_most_one_version_is_in_production_whoever_promotes(self, store: Store) -> None:
        for _ in range(12):
            store.programs.record("qa", {})
        with ThreadPoolExecutor(6) as pool:
            list(pool.map(lambda n: store.programs.promote("qa", n), range(1, 13)))
        assert len(store.programs.find_all("qa", status="production")) == 1
        assert len(store.programs.find_all("qa", status="archived")) == 11

    def test_threads_get_versions_of_their_own(self, store: Store) -> None:
        with ThreadPoolExecutor(6) as pool:
            made = list(pool.map(lambda n: store.programs.record("qa", {"n": n}).version, range(20)))
        assert sorted(made) == list(range(1, 21))


class Configurations:
    """Spaces and what is committed to them."""

    def test_definitions_have_versions_and_the_same_makes_no_new_one(self, store: Store) -> None:
        first = store.spaces.record("s", {"temperature": {"low": 0, "high": 1}})
        assert store.spaces.record("s", {"temperature": {"high": 1, "low": 0}}) == first
        assert store.spaces.record("s", {"temperature": {"low": 0, "high": 2}}).version == 2
        assert store.spaces.find("s").version == 2
        assert store.spaces.find("s", 1) == first
        with pytest.raises(RecordNotFound, match="version 7"):
            store.spaces.find("s", 7)

    def test_commits_build_on_each_other(self, store: Store) -> None:
        assert store.spaces.configuration("s") is None
        first = store.commit("s", {"t": 0.5}, expect_version=0)
        store.spaces.record("s", {"t": {}})
        second = store.commit("s", {"t": 0.7}, expect_version=1)
        assert (first.version, first.space_version, second.version, second.space_version) == (1, 0, 2, 1)
        assert store.spaces.configuration("s") == second
        assert store.spaces.configuration("s", 1) == first
        assert store.spaces.configurations("s") == [first, second]

    def test_a_stale_commit_is_a_conflict_and_changes_nothing(self, store: Store) -> None:
        store.commit("s", {"t": 1}, expect_version=0)
        with pytest.raises(VersionConflict, match="version 1") as refused:
            store.commit("s", {"t": 2}, expect_version=0)
        assert (refused.value.expected, refused.value.found) == (0, 1)
        with pytest.raises(VersionConflict):
            store.commit("s", {"t": 2}, expect_version=5)
        with pytest.raises(UsageError):
            store.commit("s", {"t": 2}, expect_version=-1)
        assert len(store.spaces.configurations("s")) == 1

    def test_values_that_are_not_valid_are_not_committed(self, store: Store) -> None:
        def check(values: Any) -> None:
            raise UsageError("t is too hot")

        with pytest.raises(UsageError, match="too hot"):
            store.commit("s", {"t": 2}, expect_version=0, check=check)
        assert store.spaces.configuration("s") is None

    def test_of_many_commits_from_one_version_one_succeeds(self, store: Store) -> None:
        def commit(number: int) -> bool:
            try:
                store.commit("s", {"by": number}, expect_version=0)
            except VersionConflict:
                return False
            return True

        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(commit, range(8))) == 1


class Datasets:
    """Datasets by content."""

    def test_a_dataset_is_known_by_its_content(self, store: Store) -> None:
        rows = [{"question": f"q{n}", "label": "yes" if n % 2 else "no"} for n in range(6)]
        first = store.datasets.record("train", rows)
        assert store.datasets.record("train", rows) == first
        assert store.datasets.record("train", rows[:-1]).version == 2
        assert store.datasets.record("copy", rows).hash == first.hash
        assert store.datasets.find("train", 1) == first
        assert [d.name for d in store.datasets.find_all(hash=first.hash)] == ["copy", "train"]
        assert list(store.datasets.examples(first.hash)) == rows
        assert first.size == 6
        assert first.statistics["fields"]["label"]["values"] == {"no": 3, "yes": 3}
        with pytest.raises(RecordNotFound, match="nope"):
            store.datasets.find("nope")

    def test_examples_are_kept_only_if_wanted(self, store: Store) -> None:
        kept = store.datasets.record("private", [{"a": 1}], keep=False)
        assert list(store.datasets.examples(kept.hash)) == []

    def test_a_large_dataset_is_read_in_order(self, store: Store) -> None:
        found = store.datasets.record("large", ({"n": n} for n in range(2500)))
        assert [row["n"] for row in store.datasets.examples(found.hash)] == list(range(2500))


class Executions:
    """Executions: immutable at their end, queried, summed up."""

    def test_an_execution_runs_and_ends_and_then_stays(self, store: Store) -> None:
        log = ExecutionLog(store.executions, program="qa", version=3, session="s")
        started = log.start({"question": "?"}, module="answer", tags=["a"])
        assert store.executions.find(started.id) == started
        assert (started.status, started.trace_id, started.program_version) == ("running", started.id, 3)
        ended = log.finish(started, {"answer": "!"}, usage={"t": 1}, cost=0.1, route="openai/x")
        assert store.executions.find(started.id) == ended
        assert ended.status == "completed"
        assert store.executions.record(ended) == ended
        with pytest.raises(RecordConflict, match="completed"):
            log.finish(started, {"answer": "other"})

    def test_a_failed_execution_says_why(self, store: Store) -> None:
        log = ExecutionLog(store.executions)
        ended = log.finish(log.start({}), error=ValueError("no"))
        assert store.executions.find(ended.id).error == {"type": "ValueError", "message": "no"}
        assert ended.status == "failed"

    def test_a_running_execution_does_not_go_back(self, store: Store) -> None:
        running = store.executions.record(Execution(status="running"))
        with pytest.raises(RecordConflict, match="pending"):
            store.executions.record(replace(running, status="pending"))
        with pytest.raises(RecordNotFound, match="nope"):
            store.executions.find("nope")

    def test_executions_within_another_share_its_trace(self, store: Store) -> None:
        log = ExecutionLog(store.executions, program="qa")
        outer = log.start({}, session="s")
        inner = log.start({}, parent=outer, module="answer")
        assert (inner.parent_id, inner.trace_id, inner.session) == (outer.id, outer.id, "s")
        assert store.executions.query(parent_id=outer.id) == [inner]
        assert {e.id for e in store.executions.query(trace_id=outer.id)} == {outer.id, inner.id}

    def test_executions_are_queried_newest_first(self, store: Store) -> None:
        with clock.use(FakeClock(100)) as fake:
            assert isinstance(fake, FakeClock)
            log = ExecutionLog(store.executions)
            for number in range(6):
                log.finish(
                    log.start({"n": number}, program=f"p{number % 2}"), error="no" if number == 4 else None
                )
                fake.advance(10)

        def asked(**by: Any) -> list[int]:
            return [execution.inputs["n"] for execution in store.executions.query(**by)]

        assert asked() == [5, 4, 3, 2, 1, 0]
        assert asked(program="p0") == [4, 2, 0]
        assert asked(program="p0", status="completed") == [2, 0]
        assert asked(since=120, until=140) == [3, 2]
        assert asked(limit=1) == [5]

    def test_success_and_latency_are_computed(self, store: Store) -> None:
        with clock.use(FakeClock(100)) as fake:
            assert isinstance(fake, FakeClock)
            log = ExecutionLog(store.executions, program="qa")
            for number in range(1, 101):
                execution = log.start({})
                fake.advance(number / 100)
                log.finish(execution, cost=0.01, error=None if number > 10 else "no")
            log.start({})
        found = store.executions.summary(program="qa")
        assert (found.executions, found.completed, found.failed) == (101, 90, 10)
        assert found.success_rate == 0.9
        assert found.cost == pytest.approx(1.0)
        assert found.p50 == pytest.approx(0.505)
        assert found.p99 == pytest.approx(0.9901)
        empty = store.executions.summary(program="other")
        assert (empty.executions, empty.success_rate, empty.p50, empty.cost) == (0, None, None, None)

    def test_old_executions_are_pruned_when_asked(self, store: Store) -> None:
        for number in range(4):
            store.executions.record(Execution(started=float(number)))
        assert store.executions.prune(before=2.0) == 2
        assert len(store.executions.query()) == 2


class StoreConformance(Runs, Journal, Copies, Leases, Programs, Configurations, Datasets, Executions):
    """All of it. `store` must be empty and new for each test."""

    @pytest.fixture
    def store(self) -> Store:
        raise NotImplementedError("Give the suite a `store` fixture: a new, empty store for each test.")

    def test_a_store_does_not_show_secrets(self, store: Store) -> None:
        assert repr(store) == f"Store({store.url!r})"

    def test_a_closed_store_may_be_used_again(self, store: Store) -> None:
        store.runs.record(Run("r"))
        store.close()
        assert store.runs.find("r").id == "r"

    @pytest.mark.parametrize(
        "name", ["", "x" * 600, "nul\x00", "half \ud800"], ids=["empty", "long", "nul", "surrogate"]
    )
    def test_a_name_that_no_database_keeps_is_refused(self, store: Store, name: str) -> None:
        refusals: list[Callable[[], object]] = [
            lambda: store.runs.record(Run(name)),
            lambda: store.programs.record(name, {}),
            lambda: store.commit(name, {}, expect_version=0),
            lambda: store.runs.find(name),
        ]
        for refused in refusals:
            with pytest.raises(DSPxError):
                refused()
