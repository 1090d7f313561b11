from __future__ import annotations

import sqlite3

from dspx.store import Run, Store
from dspx.store.schema import ROLLOUTS


def test_info_says_where_the_store_is_without_its_password_and_what_is_in_it(on_store, stored):
    info = on_store("store", "info")
    assert info.code == 0
    assert "secret" not in info.out
    assert "schema          1, up to date" in info.out
    facts = on_store("store", "info", "--json").json
    assert (facts["rows"]["runs"], facts["rows"]["rollouts"], facts["rows"]["executions"]) == (2, 44, 5)


def test_info_of_what_is_no_store_makes_none(dspx_command, url, tmp_path):
    info = dspx_command("store", "info", "--store", url)
    assert (info.code, "there is no store here yet" in info.out) == (0, True)
    assert not (tmp_path / "dspx.db").exists()


def test_commands_on_a_missing_store_say_so_and_make_none(dspx_command, url, tmp_path):
    for command in (["runs", "list"], ["programs", "list"], ["store", "check"], ["datasets", "list"]):
        missing = dspx_command(*command, "--store", url)
        assert missing.code == 2
        assert missing.err.startswith("dspx: There is no store at ")
        assert missing.err.count("\n") == 1
        assert "secret" not in missing.err
    assert not list(tmp_path.iterdir())


def test_without_a_name_the_store_is_dspx_db_in_this_folder(dspx_command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "sqlite:///dspx.db" in dspx_command("runs", "list").err
    with Store("sqlite:///dspx.db") as store:
        store.runs.record(Run("here"))
    assert dspx_command("runs", "list", "--json").json[0]["id"] == "here"


def test_a_file_that_is_another_database_is_left_as_it_is(dspx_command, tmp_path):
    path = tmp_path / "shop.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE orders (id)")
    connection.commit()
    connection.close()
    before = path.read_bytes()
    assert dspx_command("runs", "list", "--store", f"sqlite:///{path}").code == 2
    assert path.read_bytes() == before
    (tmp_path / "notes.db").write_text("no database at all, only some text in a file" * 50)
    refused = dspx_command("runs", "list", "--store", f"sqlite:///{tmp_path}/notes.db")
    assert (refused.code, "not a database" in refused.err) == (2, True)


def test_a_store_of_a_newer_dspx_is_refused(dspx_command, tmp_path):
    path = tmp_path / "dspx.db"
    with Store(f"sqlite:///{path}") as store:
        store.runs.record(Run("r"))
    connection = sqlite3.connect(path)
    connection.execute("UPDATE dspx_schema SET version = 99")
    connection.commit()
    connection.close()
    refused = dspx_command("store", "info", "--store", f"sqlite:///{path}")
    assert (refused.code, "newer dspx" in refused.err) == (2, True)


def test_a_sound_store_passes_the_check(on_store):
    checked = on_store("store", "check")
    assert (checked.code, checked.out) == (0, "All is well.\n")


def test_the_check_finds_lost_records_and_runs_left_behind(on_store, stored):
    with Store(stored) as store:
        store.runs.record(Run("left"))
        store.runs.update("left", status="running")
        with store._backend.writing("test") as tables:
            [row, *_] = tables.find(ROLLOUTS, limit=1)
            key = {name: row[name] for name in ("run_id", "key")}
            from dspx.store.base import equal

            assert tables.remove(ROLLOUTS, equal(**key)) == 1
    checked = on_store("store", "check", "--json")
    assert checked.code == 1
    lost, left = sorted(checked.json["problems"], key=len)
    assert "has lost 1 of its" in lost
    assert "'left' is running, but no process holds it" in left
