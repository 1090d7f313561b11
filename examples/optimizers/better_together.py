"""Optimizers one after the other, each going on from what the one before it made."""

import dspx
from examples.optimizers.task import compile_and_show, task

if __name__ == "__main__":
    optimizer = dspx.BetterTogether(
        task.metric,
        p=dspx.BootstrapRS(task.metric, num_candidate_programs=3),
        i=dspx.COPRO(metric=task.metric, breadth=4, depth=1),
    )
    compiled = compile_and_show(optimizer, strategy="p -> i")
    for one in compiled.candidate_programs:
        print(f"{one['strategy'] or 'the student'}: {one['score']} %")
