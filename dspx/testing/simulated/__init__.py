"""A task whose truth is known, and a language model that is good at it exactly as far as its prompt helps.

For measuring optimizers: `task.true_score(program)` is the expected score on held-out examples, computed and not
sampled, so a gain that an optimizer reports can be held against the one that is there.

    task = SimulatedTask(seed=0)
    dspx.configure(lm=SimulatedLM(task))
    program = dspx.ChainOfThought(task.signature)
    better = optimizer.compile(program, trainset=task.train, valset=task.val)
    print(task.true_score(program), task.true_score(better))

| file | says |
|---|---|
| `messages` | the data: messages of customers, and the team that each is for |
| `rules` | sentences that an instruction may hold: good, neutral and bad ones |
| `truth` | how likely an answer is right, given the rules and the demos in the prompt |
| `answering` | the model at the task: reads a prompt, draws |
| `proposing` | the model as a proposer: any other request is answered with sampled rules |
| `core` | both of them as one pure function of a request; depends on no library |
| `scoring` | the exact expected score of a program, by going through every outcome |
| `task`, `lm` | what users hold |

The model also runs under other libraries that use these prompt layouts (DSPy): wrap `SimulatedTask.core.answer`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dspx.testing.simulated.core import Core as Core
    from dspx.testing.simulated.lm import SimulatedLM as SimulatedLM
    from dspx.testing.simulated.task import SimulatedTask as SimulatedTask

_HOME = {
    "Core": "dspx.testing.simulated.core",
    "SimulatedLM": "dspx.testing.simulated.lm",
    "SimulatedTask": "dspx.testing.simulated.task",
}


def __getattr__(name: str) -> Any:
    # Lazily, so that the core loads without dspx's own LMs where another library runs it.
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


__all__ = sorted(_HOME)  # pyright: ignore[reportUnsupportedDunderAll]
