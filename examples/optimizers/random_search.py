"""Many sets of demonstrations, raced against each other: those that are surely behind are dropped early."""

import dspx
from examples.optimizers.task import compile_and_show, task

if __name__ == "__main__":
    compiled = compile_and_show(dspx.BootstrapRS(task.metric, num_candidate_programs=8))
    for one in compiled.candidate_programs[:3]:
        print(f"seed {one['seed']}: {one['score']} %")
