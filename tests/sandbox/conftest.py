"""The sandbox, installed once by dspx's own code. Where it cannot be had its tests are skipped, except in CI."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from dspx.errors import SandboxStartError
from dspx.sandbox import PythonInterpreter
from dspx.sandbox.install import Installation, install
from tests.sandbox.scripts import Loopback, serving


@pytest.fixture(scope="session")
def installation() -> Installation:
    try:
        return install()
    except SandboxStartError as error:
        if os.environ.get("CI") or os.environ.get("DSPX_REQUIRE_SANDBOX"):
            raise
        pytest.skip(f"no sandbox here: {error}")


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
