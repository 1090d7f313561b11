from __future__ import annotations

from dspx.store import Execution, Store
from dspx.testing.store_conformance import ODD_VALUES
from tests.cli.test_app import spawned


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


def test_values_that_json_has_trouble_with_are_shown_all_the_same(dspx_command, stored):
    with Store(stored) as store:
        store.executions.record(
            Execution(
                "odd", status="completed", started=2_000.0, inputs=ODD_VALUES, outputs={"answer": ODD_VALUES}
            )
        )
    assert dspx_command("executions", "show", "odd", "--json", "--store", stored).json["execution"]["inputs"]
    for command in (["executions", "show", "odd"], ["executions", "list"]):
        ended = spawned(*command, "--store", stored)
        assert (ended.returncode, ended.stderr) == (0, "")


def test_what_a_model_wrote_cannot_steer_the_terminal(dspx_command, stored):
    with Store(stored) as store:
        store.executions.record(
            Execution(
                "odd",
                module="\x1b[2J",
                inputs={"\x1b]0;x\x07": "a\x1b[31mred\rb"},
                error={"message": "\x9b2J"},
            )
        )
    for command in (["show", "odd"], ["list"]):
        ended = dspx_command("executions", *command, "--store", stored)
        assert ended.code == 0
        assert not {"\x1b", "\x07", "\x9b", "\r"} & set(ended.out)
    assert "\\x1b[2J" in ended.out


def test_stats_give_success_rate_latency_and_cost(on_store):
    stats = on_store("executions", "stats", "--program", "triage")
    assert "success rate        75.0 %" in stats.out
    assert "cost                $0.0080" in stats.out
    assert on_store("executions", "stats", "--program", "triage", "--json").json["p50"] == 2.0
