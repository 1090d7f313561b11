"""The simulated LM: the same request, the same answer; right as often as its prompt makes it."""

from __future__ import annotations

import subprocess
import sys

import pytest

import dspx
from dspx.testing import SimulatedLM, SimulatedTask

TASK = SimulatedTask(0)
ADAPTERS = {"chat": dspx.ChatAdapter, "json": dspx.JSONAdapter}


def _teams(lm: SimulatedLM) -> list[str]:
    with dspx.context(lm=lm):
        program = dspx.Predict(TASK.signature)
        return [program(message=example.message).team for example in TASK.test]


def test_equal_requests_get_equal_answers() -> None:
    assert _teams(SimulatedLM(TASK)) == _teams(SimulatedLM(SimulatedTask(0)))
    warm = {"temperature": 1.0, "rollout_id": 7}
    assert _teams(SimulatedLM(TASK, **warm)) == _teams(SimulatedLM(TASK, **warm))


def test_a_rollout_id_draws_anew_but_not_at_temperature_zero() -> None:
    assert _teams(SimulatedLM(TASK, temperature=1.0, rollout_id=1)) != _teams(
        SimulatedLM(TASK, temperature=1.0, rollout_id=2)
    )
    assert _teams(SimulatedLM(TASK, temperature=0.0, rollout_id=1)) == _teams(
        SimulatedLM(TASK, temperature=0.0, rollout_id=2)
    )


def test_completions_of_one_request_differ() -> None:
    with dspx.context(lm=SimulatedLM(TASK, temperature=1.0)):
        program = dspx.Predict(TASK.signature, n=16)
        assert len(set(program(message=TASK.test[0].message).completions.team)) > 1


def test_repeats_are_free_as_from_a_cache() -> None:
    lm = SimulatedLM(TASK)
    first = _teams(lm)
    assert (_teams(lm), lm.calls, lm.asked) == (first, 240, 480)


def test_without_a_cache_repeats_count() -> None:
    lm = SimulatedLM(TASK, cache=False)
    _teams(lm)
    _teams(lm)
    assert lm.calls == 480


def test_copies_count_together() -> None:
    lm = SimulatedLM(TASK)
    _teams(lm.copy(temperature=1.0, rollout_id=5))
    _teams(lm)
    assert lm.calls == 480


@pytest.mark.parametrize("name", ADAPTERS)
def test_the_chance_is_the_same_in_every_layout(name: str) -> None:
    program = dspx.LabeledFewShot(k=16).compile(dspx.ChainOfThought(TASK.signature), trainset=TASK.train)
    expected = TASK.true_score(program)
    with dspx.context(adapter=ADAPTERS[name]()):
        assert TASK.true_score(program) == pytest.approx(expected)


def test_the_core_answers_without_loading_the_librarys_lms() -> None:
    code = (
        "import sys; from dspx.testing.simulated import SimulatedTask\n"
        "core = SimulatedTask(0).core\n"
        "assert core.answer([{'role': 'user', 'content': 'Hello'}])\n"
        "loaded = [name for name in ('dspx.lm', 'dspx.adapters', 'pydantic', 'httpx') if name in sys.modules]\n"
        "assert not loaded, loaded"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
