from __future__ import annotations


def test_executions_are_listed_and_filtered(on_store):
    ids = [one["id"] for one in on_store("executions", "list", "--json", "--program", "triage").json]
    assert ids == ["execution-3", "execution-2", "execution-1", "execution-0"]
    failed = on_store("executions", "list", "--status", "failed")
    assert "AdapterParseError: no `label`" in failed.out
    assert len(failed.out.splitlines()) == 2
    assert on_store("executions", "list", "--since", "2h").err == "No executions.\n"


def test_an_execution_is_shown_with_those_within_it(on_store):
    shown = on_store("executions", "show", "execution-0").out
    assert "message  message 0" in shown
    assert "label  other" in shown
    assert "predict  completed" in shown
    assert on_store("executions", "show", "execution-0", "--json").json["within"][0]["id"] == "step-0"
    assert on_store("executions", "show", "nope").code == 2


def test_stats_give_success_rate_latency_and_cost(on_store):
    stats = on_store("executions", "stats", "--program", "triage")
    assert "success rate        75.0 %" in stats.out
    assert "cost                $0.0080" in stats.out
    assert on_store("executions", "stats", "--program", "triage", "--json").json["p50"] == 2.0
