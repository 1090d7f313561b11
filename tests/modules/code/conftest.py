"""A quick interpreter: these tests are about the modules, and their code is the tests' own."""

from __future__ import annotations

from functools import partial

import pytest

from dspx.sandbox import LocalInterpreter
from dspx.sandbox.factory import Factory


@pytest.fixture
def local() -> Factory:
    return partial(LocalInterpreter, unsafe=True, execution_timeout=10)
