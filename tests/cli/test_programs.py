from __future__ import annotations

from dspx.store import Store


def test_programs_are_listed_and_filtered(on_store):
    listed = on_store("programs", "list", "--json").json
    assert [(p["name"], p["version"], p["status"]) for p in listed] == [
        ("triage", 1, "production"),
        ("triage", 2, "draft"),
    ]
    assert len(on_store("programs", "list", "--status", "draft", "--json").json) == 1
    assert on_store("programs", "list", "--name", "other").err == "No programs.\n"


def test_a_program_is_shown_the_one_in_production_unless_told(on_store):
    shown = on_store("programs", "show", "triage").out
    assert "triage version 1" in shown
    assert "message -> reasoning, label: Literal['billing', 'technical', 'other']" in shown
    assert "Sort the message." in shown
    assert "Invoice 0 is wrong." in on_store("programs", "show", "triage", "--version", "2").out
    assert on_store("programs", "show", "triage", "--version", "9").code == 2


def test_versions_are_compared(on_store):
    diff = on_store("programs", "diff", "triage", "1", "2")
    assert diff.code == 1
    assert "+Sort it well." in diff.out
    assert on_store("programs", "diff", "triage", "1", "1").code == 0


def test_promote_rollback_and_archive_follow_the_lifecycle(on_store, stored):
    promoted = on_store("programs", "promote", "triage", "2")
    assert promoted.out == "triage version 2 is in production, in place of version 1.\n"
    assert on_store("programs", "rollback", "triage").out == (
        "triage version 1 is in production again; version 2 is archived.\n"
    )
    assert on_store("programs", "archive", "triage", "1").out == "triage version 1 is archived.\n"
    with Store(stored) as store:
        assert [p.status for p in store.programs.find_all("triage")] == ["archived", "archived"]
    refused = on_store("programs", "promote", "triage", "2")
    assert (refused.code, "archived is final" in refused.err) == (2, True)
    assert on_store("programs", "rollback", "triage").code == 2


def test_a_state_that_is_no_programs_is_shown_as_it_is(dspx_command, stored):
    with Store(stored) as store:
        store.programs.record("odd", [1, 2])
    shown = dspx_command("programs", "show", "odd", "--store", stored)
    assert (shown.code, "[1,2]" in shown.out) == (0, True)
