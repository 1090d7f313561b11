from __future__ import annotations

import dspx
from dspx.testing.optimizer_conformance import PromptedLM, Routing, examples, right


def compiled(**options):
    optimizer = dspx.BootstrapFewShotWithOptuna(right, max_labeled_demos=8, num_candidate_programs=6)
    with dspx.context(lm=PromptedLM(), num_threads=2):
        data = {"trainset": examples(20), "valset": examples(30, start=50)}
        return optimizer.compile(Routing(), max_demos=4, **data, **options)


def shown(program):
    """By leaf: the texts of the demos, bootstrapped and labelled."""
    return [
        ([demo.text for demo in leaf.demos if "augmented" in demo], [demo.text for demo in leaf.demos])
        for leaf in program.predictors()
    ]


def test_labelled_examples_fill_up_and_no_example_is_shown_twice():
    for one in compiled().candidate_programs:
        for bootstrapped, texts in shown(one["program"]):
            assert len(bootstrapped) <= 4
            assert len(texts) == len(set(texts)) == 8


def test_one_trial_shows_all_that_was_bootstrapped():
    most = [
        min(len(bootstrapped) for bootstrapped, _ in shown(one["program"]))
        for one in compiled().candidate_programs
    ]
    assert max(most) == 4


def test_as_dspy_each_leaf_shows_one_demo():
    for one in compiled(selection="dspy").candidate_programs:
        assert [len(texts) for _, texts in shown(one["program"])] == [1, 1]


def test_the_best_candidate_comes_first_and_is_the_one_that_comes_back():
    program = compiled()
    assert program.candidate_programs[0]["program"].candidate() == program.candidate()
