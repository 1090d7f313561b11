from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from dspx.store import Store
from tests.cli.filling import fill
from tests.store.conftest import postgres, url

__all__ = ["postgres", "url"]


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Dspx = Callable[..., Ended]


@pytest.fixture
def dspx_command(monkeypatch) -> Dspx:
    """`dspx_command("runs", "list")` runs the command line in this process, on no store that the user has."""
    testing = pytest.importorskip("typer.testing")
    from dspx.cli.app import app

    monkeypatch.delenv("DSPX_STORE", raising=False)
    monkeypatch.delenv("COLUMNS", raising=False)

    def command(*arguments: str, input: str | None = None, **environment: str) -> Ended:
        result = testing.CliRunner().invoke(app, list(arguments), input=input, env=environment)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return Ended(result.exit_code, result.stdout, result.stderr)

    return command


@pytest.fixture
def stored(url: str) -> str:
    """The URL of a store with something in it, on each database."""
    with Store(url) as store:
        fill(store)
    return url


@pytest.fixture
def on_store(dspx_command: Dspx, stored: str) -> Dspx:
    """The same with that store named in the environment."""

    def command(*arguments: str, input: str | None = None) -> Ended:
        return dspx_command(*arguments, input=input, DSPX_STORE=stored)

    return command
