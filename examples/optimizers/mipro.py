"""Instructions and demonstrations together, searched by Bayesian optimization."""

import dspx
from examples.optimizers.task import compile_and_show, task

if __name__ == "__main__":
    compiled = compile_and_show(dspx.MIPROv2(task.metric, auto="light"))
    print(f"{len(compiled.trial_logs)} measurements, best {compiled.score} %")
