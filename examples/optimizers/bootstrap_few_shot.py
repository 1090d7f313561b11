"""Demonstrations from rollouts that passed the metric: a few LM calls, and most of what there is to gain."""

import dspx
from examples.optimizers.task import compile_and_show, task

if __name__ == "__main__":
    compiled = compile_and_show(dspx.BootstrapFewShot(metric=task.metric, max_bootstrapped_demos=8))
    print(f"{len(compiled.predictors()[0].demos)} demonstrations")
