"""The gain that a report tells: what to expect on other examples."""

from __future__ import annotations

from statistics import mean

import dspx
from dspx.optimizers.parts.winner_check import check_on_fresh, check_where_chosen
from dspx.optimizers.report import gain_of
from dspx.testing import SimulatedLM, SimulatedTask


def compiled(seed, train, **task):
    """The best of six equal instructions on the trainset itself, where nothing can be kept apart."""

    class Best(dspx.Optimizer):
        def __init__(self, metric):
            self.metric = metric

        async def search(self, study):
            texts = [{"predict": f"Find the team. Variant {number}."} for number in range(6)]
            candidates = [study.baseline, *map(study.baseline.with_instructions, texts)]
            study.adopt((await study.select(candidates))[0].candidate)

    task = SimulatedTask(seed, train=train, val=1, test=1, **task)
    with dspx.context(lm=SimulatedLM(task), num_threads=1):
        return Best(task.metric).compile(dspx.ChainOfThought(task.signature), trainset=task.train)


def test_where_there_is_nothing_to_gain_none_is_told_on_average_though_one_was_measured() -> None:
    gains = [compiled(seed, 50, effect=0.0, ease=1.6).report.gain for seed in range(40)]
    assert {gain.on for gain in gains} == {"the examples that it was chosen by, with the choice allowed for"}
    assert mean(gain.measured for gain in gains) > 4
    assert abs(mean(gain.points for gain in gains)) < 2.5
    assert sum(not gain.within_noise for gain in gains) <= 2


def test_on_examples_kept_apart_it_is_what_was_measured() -> None:
    before, after = [0.0, 1.0] * 10, [1.0] * 20
    gain = gain_of(check_on_fresh(before, after), before, after, "examples kept apart")
    assert gain.points == gain.measured == 50.0


def test_the_verdict_says_when_other_examples_are_meant() -> None:
    report = compiled(1, 50, effect=0.0, ease=1.6).report
    told = report.verdict
    assert report.kept_student or "to expect on others" in told


def test_a_gain_that_was_chosen_by_is_less_than_it_looks() -> None:
    rows = [[0.0, 1.0] * 20, [1.0, 1.0, 0.0, 1.0] * 10, [0.0, 1.0, 1.0, 1.0] * 10]
    gain = gain_of(check_where_chosen(rows, 1), rows[0], rows[1], "where chosen")
    assert gain.points < gain.measured == 25.0


def test_a_gain_is_not_measured_on_examples_that_the_winner_shows() -> None:
    task = SimulatedTask(2, train=32, val=1, test=1)
    with dspx.context(lm=SimulatedLM(task), num_threads=1):
        student = dspx.ChainOfThought(task.signature)
        compiled = dspx.COPRO(metric=task.metric, breadth=2, depth=1).compile(student, trainset=task.train)
    assert len(compiled.predict.demos) == 16
    assert compiled.report.gain.n <= 16


def test_a_bootstrapped_example_is_shown_too() -> None:
    task = SimulatedTask(2, train=60, val=30, test=1)
    with dspx.context(lm=SimulatedLM(task), num_threads=1):
        student = dspx.ChainOfThought(task.signature)
        optimizer = dspx.BootstrapRS(task.metric, num_candidate_programs=1)
        compiled = optimizer.compile(student, trainset=task.train, valset=task.val)
    assert sum("augmented" in demo for demo in compiled.predict.demos) == 4
    assert compiled.report.gain.on == "examples kept apart from the search"
    assert compiled.report.gain.n == 60 - len(compiled.predict.demos)
