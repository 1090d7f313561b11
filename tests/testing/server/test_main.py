from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from dspx.testing import Server
from dspx.testing.server.__main__ import main
from tests.testing.server.raw import ask


def test_the_process_says_where_it_is_and_stops_when_told() -> None:
    command = [
        sys.executable,
        "-m",
        "dspx.testing.server",
        "--model",
        "echo",
        "--faults",
        "0.5",
        "--seed",
        "1",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        port = int(address.rpartition(":")[2].removesuffix("/v1"))
        assert ask(port, "/v1/models", method="GET").status == 200
        process.send_signal(signal.SIGTERM)
        _, told = process.communicate(timeout=10)
    assert process.returncode == 0
    assert "1 requests" in told


def test_a_port_that_is_taken_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    try:
        with Server() as server:
            assert main(["--port", str(server.port)]) == 2
    finally:
        signal.signal(signal.SIGINT, before[0])
        signal.signal(signal.SIGTERM, before[1])
    assert "cannot be had" in capsys.readouterr().err


def test_an_unknown_model_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    try:
        assert main(["--model", "gpt-4o"]) == 2
    finally:
        signal.signal(signal.SIGINT, before[0])
        signal.signal(signal.SIGTERM, before[1])
    assert "nearest" in capsys.readouterr().err
