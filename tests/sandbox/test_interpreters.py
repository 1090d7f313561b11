"""The interpreters that come with dspx keep the contract, each as far as it promises."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from dspx.sandbox import LocalInterpreter, PythonInterpreter, SandboxPool
from dspx.sandbox.install import Installation
from dspx.testing import FakeInterpreter, InterpreterConformance


class TestPythonInterpreter(InterpreterConformance):
    @pytest.fixture
    def make(self, installation: Installation) -> Callable[..., Any]:
        return partial(PythonInterpreter, timeout=20)

    @pytest.fixture
    def interpreter(self, sandbox: PythonInterpreter) -> PythonInterpreter:
        return sandbox  # one for all: each start costs a second


class TestLocalInterpreter(InterpreterConformance):
    @pytest.fixture
    def make(self) -> Callable[..., Any]:
        return partial(LocalInterpreter, unsafe=True)


class TestFakeInterpreter(InterpreterConformance):
    stops_endless_code = False
    awaits = False

    @pytest.fixture
    def make(self) -> Callable[..., Any]:
        return FakeInterpreter


class TestPooledInterpreter(InterpreterConformance):
    @pytest.fixture
    def make(self) -> Callable[..., Any]:
        pool = SandboxPool(max=2, factory=partial(LocalInterpreter, unsafe=True))

        def make(tools: Any = None, output_fields: Any = None) -> Any:
            made = pool()
            made.tools = dict(tools or {})
            made.output_fields = output_fields
            return made

        return make
