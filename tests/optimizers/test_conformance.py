"""Every optimizer keeps the contract."""

import pytest

import dspx
from dspx.optimizers.beacon import BEACON
from dspx.optimizers.better_together import BetterTogether
from dspx.optimizers.bootstrap_few_shot import BootstrapFewShot
from dspx.optimizers.bootstrap_optuna import BootstrapFewShotWithOptuna
from dspx.optimizers.copro import COPRO
from dspx.optimizers.gepa import GEPA
from dspx.optimizers.infer_rules import InferRules
from dspx.optimizers.labeled_few_shot import LabeledFewShot
from dspx.optimizers.mipro import MIPROv2
from dspx.optimizers.random_search import BootstrapFewShotWithRandomSearch
from dspx.optimizers.simba import SIMBA
from dspx.testing.optimizer_conformance import OptimizerConformance, PromptedLM, right

FEW = {"max_bootstrapped_demos": 2, "max_labeled_demos": 3}


class TestLabeledFewShot(OptimizerConformance):
    asks_an_lm = False

    @pytest.fixture
    def optimizer(self):
        return lambda: LabeledFewShot(k=3)


class TestBootstrapFewShot(OptimizerConformance):
    @pytest.fixture
    def optimizer(self):
        return lambda: BootstrapFewShot(metric=right, max_bootstrapped_demos=3, max_labeled_demos=4)


class TestBootstrapFewShotWithRandomSearch(OptimizerConformance):
    @pytest.fixture
    def optimizer(self):
        return lambda: BootstrapFewShotWithRandomSearch(right, num_candidate_programs=2, **FEW)


class TestBootstrapFewShotWithOptuna(OptimizerConformance):
    options = {"max_demos": 3}

    @pytest.fixture
    def optimizer(self):
        return lambda: BootstrapFewShotWithOptuna(right, num_candidate_programs=3, **FEW)


class TestCOPRO(OptimizerConformance):
    @pytest.fixture
    def optimizer(self):
        return lambda: COPRO(metric=right, breadth=3, depth=2)


class TestInferRules(OptimizerConformance):
    @pytest.fixture
    def optimizer(self):
        return lambda: InferRules(metric=right, num_candidates=2, num_rules=3, **FEW)


class TestBetterTogether(OptimizerConformance):
    options = {"strategy": "p -> i"}

    @pytest.fixture
    def optimizer(self):
        return lambda: BetterTogether(
            right,
            p=BootstrapFewShotWithRandomSearch(right, num_candidate_programs=1, **FEW),
            i=COPRO(metric=right, breadth=2, depth=1),
        )


class TestMIPROv2(OptimizerConformance):
    options = {"num_trials": 4, "minibatch_size": 5}

    @pytest.fixture
    def optimizer(self):
        return lambda: MIPROv2(right, auto=None, num_candidates=3, **FEW)


class TestMIPROv2AsDSPy(OptimizerConformance):
    options = {"num_trials": 4, "minibatch_size": 5, "minibatch_full_eval_steps": 2}

    @pytest.fixture
    def optimizer(self):
        return lambda: MIPROv2(right, auto=None, num_candidates=3, selection="dspy", **FEW)


class TestMIPROv2WithoutDemos(OptimizerConformance):
    options = {"num_trials": 3, "minibatch": False}

    @pytest.fixture
    def optimizer(self):
        return lambda: MIPROv2(
            right, auto=None, num_candidates=2, max_bootstrapped_demos=0, max_labeled_demos=0
        )


class TestSIMBA(OptimizerConformance):
    @pytest.fixture
    def optimizer(self):
        return lambda: SIMBA(metric=right, bsize=4, num_candidates=2, max_steps=2, max_demos=2)


def told(gold, pred, trace=None, pred_name=None, pred_trace=None):
    score = right(gold, pred)
    return dspx.Prediction(score=float(score), feedback="Right." if score else f"It was {gold.label}.")


class TestGEPA(OptimizerConformance):
    @pytest.fixture
    def optimizer(self):
        return lambda: GEPA(told, max_metric_calls=90, reflection_lm=PromptedLM())


class TestGEPAAsDSPy(OptimizerConformance):
    @pytest.fixture
    def optimizer(self):
        return lambda: GEPA(told, max_metric_calls=90, instruction_proposer=shouted, selection="dspy")


def shouted(instructions, data, leaves):
    return {leaf: f"{instructions[leaf]} {data[leaf][0]['Feedback'].upper()}" for leaf in leaves}


class TestBEACON(OptimizerConformance):
    @pytest.fixture
    def optimizer(self):
        return lambda: BEACON(right, num_candidates=3, num_trials=4, minibatch=6, **FEW)
