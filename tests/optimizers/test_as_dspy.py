"""What DSPy's bootstrapping optimizers choose, dspx's choose: held against DSPy 3.4.1's own output."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import dspx
from dspx.testing import ScriptedLM
from tests.golden.bootstraps import CASES, answer, chosen, rows

GOLDEN = json.loads((Path(__file__).parent.parent / "golden" / "bootstraps.json").read_text())


@pytest.mark.parametrize("name", CASES)
def test_the_demos_are_those_that_dspy_chooses(name: str) -> None:
    lm = ScriptedLM(lambda request: answer(request.messages))
    with dspx.context(lm=lm):
        assert chosen(dspx, CASES[name], rows(dspx)) == GOLDEN[name]
