"""Let a model read the examples and write down the rules behind them."""

import dspx
from examples.optimizers.task import compile_and_show, task

if __name__ == "__main__":
    compiled = compile_and_show(dspx.InferRules(metric=task.metric, num_candidates=4, num_rules=5))
    print(compiled.predictors()[0].signature.instructions)
