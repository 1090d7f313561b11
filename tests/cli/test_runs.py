"""Every test runs on SQLite and on PostgreSQL."""

from __future__ import annotations

import json

import pytest

from dspx.core.candidate import Candidate
from dspx.store import Run, Store
from tests.cli.filling import PLAIN, SHOWN, TERSE, rollouts


def test_runs_are_listed_the_newest_first_in_lines_for_pipes(on_store):
    listed = on_store("runs", "list")
    assert listed.code == 0
    header, *lines = [line.split("\t") for line in listed.out.splitlines()]
    assert header[:6] == ["id", "kind", "name", "status", "score", "gain"]
    assert [line[0] for line in lines] == ["triage-search", "triage-plain"]
    assert lines[0][3:8] == ["completed", "100", "+50", "132", "$0.0713"]
    assert "\x1b[" not in listed.out


@pytest.mark.parametrize(
    ("options", "ids"),
    [
        (["--kind", "evaluation"], ["triage-plain"]),
        (["--status", "completed"], ["triage-search", "triage-plain"]),
        (["--status", "failed"], []),
        (["--name", "BootstrapFewShot"], ["triage-search"]),
        (["--tag", "weekly"], ["triage-plain"]),
        (["--since", "1970-02-01"], []),
        (["--since", "1970-01-01T00:00:02+00:00"], ["triage-search"]),
        (["--limit", "1"], ["triage-search"]),
    ],
)
def test_runs_are_filtered(on_store, options, ids):
    listed = on_store("runs", "list", "--json", *options)
    assert [run["id"] for run in listed.json] == ids


def test_no_runs_are_said_on_stderr_and_leave_stdout_empty(on_store):
    listed = on_store("runs", "list", "--name", "GEPA")
    assert (listed.code, listed.out, listed.err) == (0, "", "No runs.\n")


def test_a_time_that_is_none_is_a_line_of_error(on_store):
    listed = on_store("runs", "list", "--since", "yesterday")
    assert listed.code == 2
    assert listed.err == (
        "dspx: 'yesterday' is no time. Write how long ago (30m, 2h, 7d) or when (2026-01-31, 2026-01-31T12:00).\n"
    )


def test_a_run_is_shown_with_score_interval_gain_spend_lineage_and_errors(on_store):
    shown = on_store("runs", "show", "triage-search").out
    assert "score     100 (95 % sure: 75.75 to 100) on 12 examples" in shown
    assert "gain      +50 points (95 % sure: +21.4 to +78.6) over 50" in shown
    assert "max_bootstrapped_demos  4" in shown
    assert "cost      $0.0713" in shown
    assert "Sort the message into one of: billing, technical, other." in shown
    tree = shown[shown.index("candidates\n") :]
    assert f"{PLAIN.hash[:8]}  50 on 12  given" in tree
    assert f"└── {TERSE.hash[:8]}  100 on 6  proposed  triage.instructions" in tree
    assert f"    └── {SHOWN.hash[:8]}  100 on 12  bootstrapped  triage.demos  ← best" in tree
    assert "last errors (2 of 32 rollouts failed)" in shown
    assert "example-7  LMTimeoutError: no answer within 30 s" in shown


def test_a_shown_run_is_json_too(on_store):
    shown = on_store("runs", "show", "triage-search", "--json", "--errors", "1").json
    assert shown["best"]["hash"] == SHOWN.hash
    assert shown["best"]["candidate"] == SHOWN.to_json()
    assert shown["best"]["score"] == 100
    assert shown["best"]["ci95"] == [75.75, 100]
    assert [origin["hash"] for origin in shown["candidates"]] == [PLAIN.hash, TERSE.hash, SHOWN.hash]
    assert shown["candidates"][1]["parents"] == [PLAIN.hash]
    assert [error["example"] for error in shown["last_errors"]] == ["example-7"]
    assert (shown["rollouts"], shown["errors"], shown["asks"], shown["last_place"]) == (32, 2, 1, 33)


def test_all_shows_the_demos_of_the_best_candidate(on_store):
    assert "My invoice is wrong." not in on_store("runs", "show", "triage-search").out
    assert "My invoice is wrong." in on_store("runs", "show", "triage-search", "--all").out


def test_the_beginning_of_an_id_will_do_where_it_is_enough(on_store):
    assert on_store("runs", "show", "triage-s").code == 0
    both = on_store("runs", "show", "triage")
    assert both.code == 2
    assert "2 runs begin with 'triage'" in both.err
    assert on_store("runs", "show", "nope").err.startswith("dspx: The store has no run 'nope'.")


def test_a_run_that_says_little_is_shown_all_the_same(dspx_command, stored):
    with Store(stored) as store:
        store.runs.record(Run("bare"))
        store.runs.record(Run("odd", best=["what"], budget_spent=7, config="text"))
        store.record_rollouts(rollouts("odd", Candidate({"a.instructions": "x"}), [0.25, 0.5]))
    bare = dspx_command("runs", "show", "bare", "--store", stored)
    assert bare.code == 0
    assert "status    pending" in bare.out
    odd = dspx_command("runs", "show", "odd", "--store", stored)
    assert "score     37.5" in odd.out
    assert dspx_command("runs", "list", "--store", stored).code == 0


def test_parents_in_a_circle_and_hundreds_of_candidates_are_shown(dspx_command, stored):
    made = [Candidate({"a.instructions": f"{n}"}) for n in range(300)]
    lineage = [
        {"hash": c.hash, "parents": [made[n - 1].hash], "score": n, "n": 1} for n, c in enumerate(made)
    ]
    with Store(stored) as store:
        store.runs.record(Run("many", best={"candidate": made[7].to_json(), "lineage": lineage}))
        store.record_rollouts([one for c in made[:3] for one in rollouts("many", c, [1])])
    few = dspx_command("runs", "show", "many", "--store", stored)
    assert few.code == 0
    assert f"{made[7].hash[:8]}  7 on 1" in few.out
    everything = dspx_command("runs", "show", "many", "--all", "--store", stored).out
    assert all(c.hash[:8] in everything for c in made)


def test_two_runs_are_compared_example_by_example_with_a_verdict(on_store):
    compared = on_store("runs", "compare", "triage-plain", "triage-search")
    assert compared.out.startswith(
        "triage-search is 50.00 points better than triage-plain, more than chance explains (p = 0.0312)"
    )
    assert "difference     +50 (95 % sure: +10.24 to +75.48)" in compared.out
    assert "examples       12: won 6, lost 0, tied 6" in compared.out
    data = on_store("runs", "compare", "triage-plain", "triage-search", "--json").json
    assert (data["n"], data["difference"], data["wins"], data["losses"]) == (12, 50.0, 6, 0)
    assert data["differences"]["kind"] == {"a": "evaluation", "b": "study"}


def test_runs_without_a_common_example_cannot_be_compared_and_say_so(dspx_command, stored):
    with Store(stored) as store:
        store.runs.record(Run("bare"))
    compared = dspx_command("runs", "compare", "bare", "triage-plain", "--store", stored)
    assert compared.code == 0
    assert "no example that both runs scored" in compared.out


def test_a_run_is_forked_from_a_point(on_store, stored):
    made = on_store("runs", "fork", "triage-search", "--at", "12")
    with Store(stored) as store:
        fork = store.runs.find(made.out.strip())
        assert (fork.parent, fork.forked_at, fork.status) == ("triage-search", 12, "pending")
        assert len(store.find_rollouts(fork.id)) == 12
    assert f"fork of   triage-search at 12" in on_store("runs", "show", fork.id).out  # noqa: F541
    refused = on_store("runs", "fork", "triage-search", "--at", "99")
    assert (refused.code, "has places 0 to 33" in refused.err) == (2, True)


def test_a_run_leaves_as_lines_and_comes_back_elsewhere(on_store, dspx_command, tmp_path):
    path, other = tmp_path / "run.jsonl", f"sqlite:///{tmp_path}/other.db"
    assert on_store("runs", "export", "triage-search", str(path)).code == 0
    assert on_store("runs", "export", "triage-search").out == path.read_text()
    refused = dspx_command("runs", "import", str(path), "--store", other)
    assert (refused.code, "There is no store at" in refused.err) == (2, True)
    made = dspx_command("runs", "import", str(path), "--id", "copy", "--create", "--store", other)
    assert made.out == "copy\n"
    with Store(other) as store:
        assert len(store.find_rollouts("copy")) == 32
    piped = dspx_command("runs", "import", "-", "--store", other, input=path.read_text())
    assert piped.out == "triage-search\n"
    path.write_text(path.read_text().rpartition("\n{")[0])
    cut = dspx_command("runs", "import", str(path), "--id", "cut", "--store", other)
    assert (cut.code, "cut short" in cut.err) == (2, True)


def test_pruning_lists_first_asks_and_then_removes(on_store, stored):
    tried = on_store("runs", "prune", "--keep", "1", "--dry-run")
    assert tried.out.splitlines() == ["triage-plain", "1 run would be removed."]
    assert on_store("runs", "prune", "--keep", "1", input="n\n").code == 1
    with Store(stored) as store:
        assert len(store.runs.find_all()) == 2
    assert on_store("runs", "prune", "--keep", "1", input="y\n").code == 0
    with Store(stored) as store:
        assert [run.id for run in store.runs.find_all()] == ["triage-search"]
    assert on_store("runs", "prune", "triage-search", "--yes").out.endswith("1 run removed.\n")
    assert on_store("runs", "prune", "--name", "none").out == "No run meets all conditions.\n"


def test_pruning_without_a_condition_is_refused(on_store):
    refused = on_store("runs", "prune", "--yes")
    assert (refused.code, "Say which runs to remove" in refused.err) == (2, True)


def test_a_run_that_a_process_works_on_is_not_pruned(on_store, stored):
    with Store(stored) as store, store.lease("triage-search"):
        assert on_store("runs", "prune", "triage-search", "--yes").out == "No run meets all conditions.\n"
        assert json.loads(on_store("runs", "list", "--json").out)[0]["id"] == "triage-search"
