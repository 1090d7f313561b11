from __future__ import annotations

import sys
from pathlib import Path

import pytest

import dspx.store
from dspx.errors import UsageError
from dspx.store.masking import masked


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql+psycopg://me:s3cret@host:5432/db", "postgresql+psycopg://me:***@host:5432/db"),
        ("postgresql://me:p@ss:w/rd@host/db", "postgresql://me:***@host/db"),
        ("postgresql://me:two words@host/db", "postgresql://me:***@host/db"),
        ("postgresql://host/db?user=me&password=s3cret&sslmode=require", "postgresql://host/db?user=me&password=***&sslmode=require"),
        ("postgresql://host/db?sslpassword=s3cret", "postgresql://host/db?sslpassword=***"),
        ("sqlite:///dspx.db", "sqlite:///dspx.db"),
        ("memory://", "memory://"),
    ],
)  # fmt: skip
def test_an_address_is_shown_without_its_secrets(url: str, shown: str) -> None:
    assert masked(url) == shown


def test_a_store_shows_no_password() -> None:
    store = dspx.store.open("postgresql+psycopg://me:s3cret@127.0.0.1:1/db")
    assert "s3cret" not in f"{store!r} {store.url}"
    with pytest.raises(dspx.store.StoreError, match=r"\*\*\*@127\.0\.0\.1:1/db") as failed:
        store.runs.find("r")
    assert "s3cret" not in str(failed.value)
    store.close()


@pytest.mark.parametrize(
    "url", ["mysql://me:s3cret@host/db", "dspx.db", "sqlite://", "sqlite:///:memory:", "", "postgresql://h:x:y:z/s3cret"]
)  # fmt: skip
def test_what_names_no_store_is_refused_without_showing_secrets(url: str) -> None:
    with pytest.raises(UsageError) as refused:
        dspx.store.open(url).runs.find_all()
    assert "me:s3cret" not in str(refused.value)


def test_opening_touches_nothing(tmp_path: Path) -> None:
    store = dspx.store.open(f"sqlite:///{tmp_path}/deep/dspx.db")
    assert list(tmp_path.iterdir()) == []
    store.runs.record(dspx.store.Run("r"))
    assert (tmp_path / "deep" / "dspx.db").exists()
    store.close()


@pytest.mark.parametrize(
    ("url", "missing", "extra"),
    [
        ("sqlite:///dspx.db", "sqlalchemy", "store"),
        ("postgresql://host/db", "psycopg", "postgres"),
        ("postgresql://host/db", "sqlalchemy", "postgres"),
    ],
)
def test_a_missing_package_is_named_with_the_extra_that_brings_it(
    url: str, missing: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == missing]:
        monkeypatch.delitem(sys.modules, name)
    for name in ("dspx.store.sql", "dspx.store.statements"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(UsageError, match=rf"{missing}.*dspx\[{extra}\]"):
        dspx.store.open(url)


def test_a_store_in_memory_needs_no_database() -> None:
    import subprocess

    code = (
        "import sys, dspx.store; dspx.store.open('memory://').runs.find_all(); "
        "assert not {'sqlalchemy', 'psycopg', 'sqlite3', 'asyncio'} & set(sys.modules), sorted(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
