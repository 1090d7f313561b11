"""The sandbox, installed once by dspx's own code. Where it cannot be had its tests are skipped, except in CI."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dspx.sandbox import PythonInterpreter
from dspx.sandbox.install import Installation
from tests.sandbox.scripts import Loopback, serving
from tests.sandboxes import installed


@pytest.fixture(scope="session")
def installation() -> Installation:
    return installed()


@pytest.fixture(scope="session")
def shared_sandbox(installation: Installation) -> Iterator[PythonInterpreter]:
    with PythonInterpreter(timeout=20) as interpreter:
        yield interpreter


@pytest.fixture
def sandbox(shared_sandbox: PythonInterpreter) -> Iterator[PythonInterpreter]:
    """A sandbox at work already, with the state that tests before left in it."""
    yield shared_sandbox
    shared_sandbox.tools = {}
    shared_sandbox.output_fields = None


@pytest.fixture(scope="module")
def loopback() -> Iterator[Loopback]:
    with serving() as server:
        yield server
