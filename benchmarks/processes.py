"""The processes of a run: one server, and one worker for each side."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from types import TracebackType
from typing import Any

from benchmarks.environment import ROOT


class Failed(RuntimeError):
    """A case raised in its worker; the message is the worker's traceback."""


class Process:
    """A child that ends with its `with` block."""

    def __init__(self, arguments: list[str], quiet: bool = False) -> None:
        self.child = subprocess.Popen(
            arguments,
            cwd=ROOT,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONWARNINGS": "ignore"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if quiet else None,
            text=True,
        )

    def __enter__(self) -> Any:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: Any, trace: TracebackType | None) -> None:
        assert self.child.stdin is not None
        assert self.child.stdout is not None
        self.child.stdin.close()
        try:
            self.child.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
        self.child.stdout.close()


class Server(Process):
    """The OpenAI-compatible server; `url` is where it listens."""

    def __init__(self) -> None:
        super().__init__([sys.executable, "-m", "benchmarks.server"])
        assert self.child.stdout is not None
        self.url = self.child.stdout.readline().strip()


class Worker(Process):
    """One library in a process of its own."""

    def __init__(self, side: str, python: str, size: str, server: str | None, quiet: bool = True) -> None:
        self.side = side
        arguments = [python, "-m", "benchmarks.worker", side, "--size", size]
        super().__init__([*arguments, *(["--server", server] if server else [])], quiet)

    def sample(self, case: str) -> float:
        """One sample of a case; `Failed` if it raised there."""
        assert self.child.stdin is not None
        assert self.child.stdout is not None
        try:
            self.child.stdin.write(json.dumps(case) + "\n")
            self.child.stdin.flush()
            line = self.child.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise Failed(f"The {self.side} worker died while running {case!r}.")
        answer = json.loads(line)
        if "error" in answer:
            raise Failed(answer["error"])
        return answer["value"]
