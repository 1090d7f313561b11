"""Bayesian search over a whole configuration: instructions, demonstrations, and variables of your own."""

import dspx
from examples.optimizers.task import compile_and_show, program, task

if __name__ == "__main__":
    space = dspx.Space(program(), [dspx.Float("temperature", 0.0, 1.0, default=0.7).bind("*.lm.temperature")])
    optimizer = dspx.BEACON(task.metric, num_candidates=8, num_trials=16)
    compiled = compile_and_show(optimizer, space=space)
    for one in compiled.trials[:3]:
        print(f"expected {100 * one['posterior_mean']:.1f} %, measured {one['score']:.1f} %")
