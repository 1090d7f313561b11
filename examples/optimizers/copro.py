"""Instructions by coordinate ascent: proposed, measured, and proposed again from what was measured."""

import dspx
from examples.optimizers.task import compile_and_show, task

if __name__ == "__main__":
    compiled = compile_and_show(dspx.COPRO(metric=task.metric, breadth=5, depth=2))
    print(compiled.predictors()[0].signature.instructions)
