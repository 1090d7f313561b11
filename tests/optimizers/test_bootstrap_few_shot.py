from __future__ import annotations

import dspx
from dspx.testing.optimizer_conformance import PromptedLM, Routing, examples, right


def test_a_budget_that_ends_before_the_demos_leaves_labelled_examples():
    optimizer = dspx.BootstrapFewShot(right, max_bootstrapped_demos=4, max_labeled_demos=6)
    with dspx.context(lm=PromptedLM(), num_threads=2):
        program = optimizer.compile(Routing(), trainset=examples(12), budget=dspx.Budget(lm_calls=3))
    assert program.report.stopped_by == "the budget of lm_calls is spent"
    assert [len(leaf.demos) for leaf in program.predictors()] == [6, 6]
    assert not any("augmented" in demo for leaf in program.predictors() for demo in leaf.demos)
