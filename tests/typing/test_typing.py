"""A program over signature classes is typed: inputs, outputs and mistakes."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("typed_program.py")


@pytest.mark.slow
def test_pyright_knows_inputs_and_outputs_and_finds_just_the_mistakes():
    ran = subprocess.run(
        [sys.executable, "-m", "pyright", "--outputjson", str(PROGRAM)],
        capture_output=True,
        text=True,
        check=False,
    )
    found = {
        diagnostic["range"]["start"]["line"] + 1: diagnostic["rule"]
        for diagnostic in json.loads(ran.stdout)["generalDiagnostics"]
    }
    expected = {
        number: re.findall(r"report\w+", line)
        for number, line in enumerate(PROGRAM.read_text().splitlines(), 1)
        if "# expect:" in line
    }
    assert found.keys() == expected.keys(), found
    for number, rule in found.items():
        assert rule in expected[number]
