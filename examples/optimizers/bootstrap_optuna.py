"""One demonstration per predictor, chosen by Optuna among those that a teacher got right."""

import dspx
from examples.optimizers.task import compile_and_show, task

if __name__ == "__main__":
    optimizer = dspx.BootstrapFewShotWithOptuna(task.metric, num_candidate_programs=8)
    compile_and_show(optimizer, max_demos=6)
