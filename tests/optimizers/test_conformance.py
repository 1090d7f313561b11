"""Every optimizer keeps the contract."""

import pytest

from dspx.optimizers.bootstrap_few_shot import BootstrapFewShot
from dspx.optimizers.labeled_few_shot import LabeledFewShot
from dspx.testing.optimizer_conformance import OptimizerConformance, right


class TestLabeledFewShot(OptimizerConformance):
    asks_an_lm = False

    @pytest.fixture
    def optimizer(self):
        return lambda: LabeledFewShot(k=3)


class TestBootstrapFewShot(OptimizerConformance):
    @pytest.fixture
    def optimizer(self):
        return lambda: BootstrapFewShot(metric=right, max_bootstrapped_demos=3, max_labeled_demos=4)
