from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dspx.errors import SchemaTooNew, StoreError
from dspx.store import Run, Store, schema
from dspx.testing.store_conformance import StoreConformance, rollout
from tests.store.postgres import Server


class TestSQLite(StoreConformance):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[Store]:
        with Store(f"sqlite:///{tmp_path}/dspx.db") as store:
            yield store


class TestPostgreSQL(StoreConformance):
    @pytest.fixture
    def store(self, postgres: Server) -> Iterator[Store]:
        with Store(postgres.new_url()) as store:
            yield store


def test_what_one_store_recorded_another_finds(url: str) -> None:
    with Store(url) as first, Store(url) as second:
        first.runs.record(Run("r"))
        first.record_rollout(rollout("r"))
        assert second.find_rollouts("r") == first.find_rollouts("r")
        assert second.record_rollout(rollout("r", 1)).sequence == 2


def execute(url: str, statement: str) -> None:
    import sqlalchemy as sa

    engine = sa.create_engine(url)
    try:
        with engine.begin() as connection:
            connection.exec_driver_sql(statement)
    finally:
        engine.dispose()


def test_a_store_of_a_newer_dspx_is_refused(url: str) -> None:
    with Store(url) as store:
        store.runs.record(Run("r"))
    execute(url, "UPDATE dspx_schema SET version = 99")
    with Store(url) as store, pytest.raises(SchemaTooNew, match="schema 99"):
        store.runs.find("r")
    execute(url, f"UPDATE dspx_schema SET version = {schema.current_schema()}")
    with Store(url) as store:
        assert store.runs.find("r").id == "r"


def test_a_store_of_an_older_dspx_is_brought_up_to_date(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with Store(url) as store:
        store.runs.record(Run("r"))
    monkeypatch.setattr(schema, "UPGRADES", (("ALTER TABLE dspx_runs ADD COLUMN mood TEXT",),))
    for _ in range(2):
        with Store(url) as store:
            assert store.runs.find("r").id == "r"
    execute(url, "SELECT mood FROM dspx_runs")
    monkeypatch.setattr(schema, "UPGRADES", ())
    with Store(url) as store, pytest.raises(SchemaTooNew):
        store.runs.find("r")


def test_an_upgrade_that_fails_changes_nothing(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with Store(url) as store:
        store.runs.record(Run("r"))
    broken = ("ALTER TABLE dspx_runs ADD COLUMN mood TEXT", "ALTER TABLE nowhere ADD COLUMN mood TEXT")
    with monkeypatch.context() as patch, Store(url) as store:
        patch.setattr(schema, "UPGRADES", (broken,))
        with pytest.raises(StoreError, match="nowhere"):
            store.runs.find("r")
    with Store(url) as store:
        assert store.runs.find("r").id == "r"
    with pytest.raises(Exception, match="mood"):
        execute(url, "SELECT mood FROM dspx_runs")


def test_readers_and_writers_of_one_store_do_not_block_each_other(url: str) -> None:
    with Store(url) as store:
        store.runs.record(Run("r"))
        store.record_rollouts([rollout("r", n) for n in range(1100)])
        lines = store.runs.export("r")
        seen = [next(lines)]
        store.record_rollout(rollout("r", 5000))
        seen += list(lines)
    assert len(seen) == 2 + 3 + 1100  # header, run, candidates, and the rollouts of when it began


def test_sqlite_keeps_a_write_ahead_log_and_json_text_only(tmp_path: Path) -> None:
    path = tmp_path / "dspx.db"
    with Store(f"sqlite:///{path}") as store:
        store.runs.record(Run("r", config={"k": 1}))
        store.record_rollout(rollout("r"))
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    types: set[Any] = set()
    for table in schema.TABLES:
        for row in connection.execute(f"SELECT * FROM dspx_{table.name}"):
            types |= {type(value) for value in row}
    connection.close()
    assert types <= {str, int, float, type(None)}


def test_a_file_that_is_no_database_is_an_error_that_names_it(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("This is no database, and it is long enough for SQLite to notice that. " * 20)
    with Store(f"sqlite:///{path}") as store, pytest.raises(StoreError, match=r"notes\.txt"):
        store.runs.find("r")


def test_values_of_records_do_not_appear_in_errors(url: str) -> None:
    with Store(url) as store:
        store.runs.record(Run("r"))
        execute(url, "ALTER TABLE dspx_asks RENAME TO dspx_questions")
        from dspx.testing.store_conformance import ask

        with pytest.raises(StoreError, match="dspx_asks") as failed:
            store.record_ask(ask("r", answer="a secret answer"))
    assert "secret" not in f"{failed.value} {failed.value.__cause__}"


@pytest.mark.slow
def test_a_store_keeps_up(tmp_path: Path) -> None:
    """Half of what is promised, in CPU time: machines that run tests are shared and slow."""
    from time import process_time

    with Store(f"sqlite:///{tmp_path}/dspx.db") as store:
        store.runs.record(Run("batch"))
        start = process_time()
        store.record_rollouts([rollout("batch", n) for n in range(5000)])
        assert process_time() - start < 2.0
        store.runs.record(Run("single"))
        start = process_time()
        for number in range(500):
            store.record_rollout(rollout("single", number))
        assert process_time() - start < 1.0
        store.runs.record(Run("thousand"))
        store.record_rollouts([rollout("thousand", n) for n in range(1000)])
        start = process_time()
        store.find_rollouts("thousand")
        assert process_time() - start < 0.2
