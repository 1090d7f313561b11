"""A search that may be killed: `python -m examples.search STORE RUN MODEL [API_BASE]` compiles the Iris program with MIPROv2.

`make demo` starts it as a process of its own, kills it, and goes on from what is recorded.
"""

from __future__ import annotations

import sys
from typing import Any

import dspx
from examples.iris import Flower, flowers

SIZES = {"num_trials": 6, "minibatch_size": 20}


def right_species(example: dspx.Example, prediction: Any, trace: Any = None) -> bool:
    return example.species == prediction.species


def search(store: str, run_id: str, threads: int = 8) -> Any:
    """The program that MIPROv2 finds; recorded under `run_id`, so that another start goes on where one was killed."""
    trainset, devset = flowers()
    optimizer = dspx.MIPROv2(
        right_species, auto=None, num_candidates=4, max_bootstrapped_demos=4, max_labeled_demos=12
    )
    return optimizer.compile(
        dspx.Predict(Flower),
        trainset=trainset,
        valset=devset[:40],
        store=store,
        run_id=run_id,
        num_threads=threads,
        **SIZES,
    )


def main(store: str, run_id: str, model: str, api_base: str = "") -> None:
    given = {"api_base": api_base, "api_key": "none"} if api_base else {}
    dspx.configure(lm=dspx.LM(model, cache=False, **given))
    print(search(store, run_id).report)


if __name__ == "__main__":
    main(*sys.argv[1:])
