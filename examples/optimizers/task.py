"""What the examples share: messages of customers to be routed to a team, a simulated model, and what is printed.

The model is as good at the task as its prompt: demonstrations help with messages like them, and some sentences in
the instructions help too. `task.true_score(program)` is its expected score on unseen messages, computed exactly.
"""

from __future__ import annotations

from typing import Any

import dspx
from dspx.testing.simulated import SimulatedLM, SimulatedTask

task = SimulatedTask(seed=3)
lm = SimulatedLM(task)


def program() -> dspx.Module:
    return dspx.ChainOfThought("message -> team")


def compile_and_show(optimizer: dspx.Optimizer, **options: Any) -> Any:
    """The program that the optimizer makes, with what it says of it and what is true."""
    dspx.configure(lm=lm, num_threads=8)
    student = program()
    data = {"trainset": task.train, "valset": task.val}
    print(f"{type(optimizer).__name__} will take {optimizer.estimate(student, **data, **options)}")
    compiled = optimizer.compile(student, **data, **options)
    print(compiled.report)
    print(f"True score: {100 * task.true_score(student):.1f} % -> {100 * task.true_score(compiled):.1f} %")
    return compiled
