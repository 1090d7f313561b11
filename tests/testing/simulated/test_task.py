"""The task's truth is the truth: chances as declared, true scores as large samples have them."""

from __future__ import annotations

import math

import pytest

import dspx
from dspx.errors import UsageError
from dspx.testing import SimulatedLM, SimulatedTask

TASK = SimulatedTask(0)


def _program() -> dspx.Module:
    return dspx.ChainOfThought(TASK.signature)


def _sampled(task: SimulatedTask, program: dspx.Module, repeats: int) -> tuple[float, float]:
    """The mean score over many draws, and its standard error."""
    scores: list[float] = []
    for rollout in range(repeats):
        lm = SimulatedLM(task, temperature=1.0, rollout_id=rollout)
        with dspx.context(lm=lm):
            scores += [task.metric(example, program(**example.inputs())) for example in task.test]
    mean = sum(scores) / len(scores)
    return mean, math.sqrt(mean * (1 - mean) / len(scores))


@pytest.mark.parametrize("seed", range(4))
def test_it_is_as_hard_as_it_says(seed: int) -> None:
    task = SimulatedTask(seed)
    program = dspx.ChainOfThought(task.signature)
    labeled = dspx.LabeledFewShot(k=16).compile(program, trainset=task.train)
    assert task.true_score(program) == pytest.approx(0.24, abs=0.04)
    assert task.true_score(labeled) == pytest.approx(0.57, abs=0.07)
    assert 0.84 < task.ceiling() < 0.93


@pytest.mark.parametrize("demos", [0, 8])
def test_the_true_score_is_what_a_large_sample_comes_to(demos: int) -> None:
    program = dspx.LabeledFewShot(k=demos).compile(_program(), trainset=TASK.train)
    mean, error = _sampled(TASK, program, 6)
    assert abs(mean - TASK.true_score(program)) < 3 * error


class Twice(dspx.Module):
    """Notes what the message is about, then routes it."""

    def __init__(self) -> None:
        super().__init__()
        self.note = dspx.Predict("message -> gist")
        self.route = dspx.Predict("message, gist -> team")

    def forward(self, message: str) -> dspx.Prediction:
        return self.route(message=message, gist=self.note(message=message).gist)


def test_the_true_score_of_two_steps_is_what_a_large_sample_comes_to() -> None:
    program = dspx.LabeledFewShot(k=8).compile(Twice(), trainset=TASK.train)
    mean, error = _sampled(TASK, program, 6)
    assert abs(mean - TASK.true_score(program)) < 3 * error


def test_the_first_of_two_steps_matters_to_the_score() -> None:
    program, better = Twice(), Twice()
    rules = [rule.text for rule in TASK.rules if rule.kind == "good"][:6]
    better.note.signature = better.note.signature.with_instructions(
        "\n".join(["Say what it is about.", *rules])
    )
    assert TASK.true_score(better) > TASK.true_score(program) + 0.03


def test_scoring_counts_no_calls() -> None:
    lm = SimulatedLM(TASK)
    with dspx.context(lm=lm):
        TASK.true_score(_program(), lm=lm)
        assert (lm.calls, lm.asked) == (0, 0)
        _program()(message=TASK.test[0].message)
        assert (lm.calls, lm.asked) == (1, 1)


def test_good_rules_raise_the_true_score_and_bad_ones_lower_it() -> None:
    scores = {}
    for kind in ("good", "neutral", "bad"):
        program = dspx.Predict(TASK.signature)
        rules = [rule.text for rule in TASK.rules if rule.kind == kind][:5]
        program.signature = program.signature.with_instructions("\n".join(["Name the team.", *rules]))
        scores[kind] = TASK.true_score(program)
    assert scores["bad"] < scores["neutral"] < scores["good"]
    assert scores["neutral"] == TASK.true_score(dspx.Predict(TASK.signature))


def test_without_effect_every_program_is_as_good_as_every_other() -> None:
    task = SimulatedTask(0, effect=0, ease=1.6)
    program = dspx.ChainOfThought(task.signature)
    labeled = dspx.LabeledFewShot(k=16).compile(program, trainset=task.train)
    assert task.true_score(program) == task.true_score(labeled) == pytest.approx(0.5, abs=0.06)


def test_the_splits_share_no_message() -> None:
    messages = [example.message for split in (TASK.train, TASK.val, TASK.test) for example in split]
    assert len(set(messages)) == len(messages) == 400


def test_the_metric_with_words_says_what_went_wrong() -> None:
    example = TASK.train[0]
    metric = TASK.feedback_metric()
    assert metric(example, dspx.Prediction(team=example.team)).score == 1
    wrong = metric(example, dspx.Prediction(team="nobody"))
    assert wrong.score == 0
    assert example.team in wrong.feedback


def test_a_split_without_examples_has_no_score() -> None:
    with pytest.raises(UsageError, match="no examples"):
        SimulatedTask(0, val=0).true_score(_program(), "val")


def test_a_program_with_too_many_calls_is_told_to_sample() -> None:
    class Many(dspx.Module):
        def __init__(self) -> None:
            super().__init__()
            self.route = dspx.Predict("message -> team")

        def forward(self, message: str) -> dspx.Prediction:
            answers = [self.route(message=message) for _ in range(9)]
            return answers[0]

    with pytest.raises(UsageError, match="outcomes"):
        TASK.true_score(Many())
