"""Learn from how the program's own answers vary: keep the best as demonstrations, write down why as rules."""

import dspx
from examples.optimizers.task import compile_and_show, task

if __name__ == "__main__":
    optimizer = dspx.SIMBA(metric=task.metric, bsize=16, num_candidates=4, max_steps=3)
    compiled = compile_and_show(optimizer)
    print(compiled.predictors()[0].signature.instructions)
