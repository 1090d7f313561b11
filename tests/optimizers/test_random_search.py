from __future__ import annotations

import dspx
from dspx.testing.optimizer_conformance import PromptedLM, Routing, examples, right


def compiled(metric=right, selection="honest", **settings):
    optimizer = dspx.BootstrapRS(metric, max_bootstrapped_demos=2, max_labeled_demos=3, **settings)
    with dspx.context(lm=PromptedLM(), num_threads=2):
        return optimizer.compile(
            Routing(), trainset=examples(12), valset=examples(60, start=50), selection=selection
        )


def test_a_rollout_of_the_teacher_serves_every_candidate():
    taught = {"honest": 0, "dspy": 0}
    for selection in taught:

        def metric(example, prediction, trace=None, selection=selection):
            taught[selection] += trace is not None
            return right(example, prediction)

        compiled(metric, selection, num_candidate_programs=16)
    assert taught["honest"] <= 12 < taught["dspy"]


def test_close_candidates_take_half_of_the_rollouts_of_running_all_in_full():
    rollouts = {
        selection: compiled(selection=selection, num_candidate_programs=9).report.rollouts
        for selection in ("honest", "dspy")
    }
    assert rollouts["dspy"] >= 12 * 60
    assert rollouts["honest"] < 0.6 * rollouts["dspy"]


def test_all_candidates_are_there_the_winner_first():
    program = compiled(num_candidate_programs=4)
    seeds = [one["seed"] for one in program.candidate_programs]
    assert set(seeds) == set(range(-3, 4))
    assert program.candidate_programs[0]["program"].candidate() == program.candidate()


def test_every_set_has_as_many_bootstrapped_demos_as_may_be_and_as_dspy_fewer_by_chance():
    sizes = {}
    for selection in ("honest", "dspy"):
        program = compiled(selection=selection, num_candidate_programs=6)
        sizes[selection] = {
            sum("augmented" in demo for demo in one["program"].topic.demos)
            for one in program.candidate_programs
            if one["seed"] >= 0
        }
    assert sizes == {"honest": {2}, "dspy": {1, 2}}
