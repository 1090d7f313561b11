"""The sandbox, installed once by dspx's own code, for tests that need one."""

from __future__ import annotations

import os

import pytest

from dspx.errors import SandboxStartError
from dspx.sandbox.install import Installation, folder, install


def installed() -> Installation:
    """What a sandbox starts from. Where it cannot be had the test is skipped, and in CI it fails."""
    try:
        return install()
    except SandboxStartError as error:
        if os.environ.get("CI") or os.environ.get("DSPX_REQUIRE_SANDBOX"):
            raise
        pytest.skip(f"no sandbox here: {error}")


def shared_with_programs() -> dict[str, str]:
    """The environment with which a program of another home finds the same installation."""
    installed()
    return {"DSPX_SANDBOX_DIR": str(folder().resolve())}
