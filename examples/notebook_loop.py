"""What a notebook's cell does: an event loop is running, and both `program(…)` and `await program.acall(…)` work.

    python -m examples.notebook_loop

No `nest_asyncio`, no `asyncio.run` inside a loop, no different API. A sync call blocks the loop while it lasts, as any
sync call does; `await` lets others work meanwhile.
"""

from __future__ import annotations

import asyncio

import dspx
from dspx.testing import SchemaLM


class Summary(dspx.Module):
    def __init__(self) -> None:
        self.keywords = dspx.Predict("text -> keywords: list[str]")
        self.summary = dspx.ChainOfThought("text, keywords: list[str] -> summary")

    def forward(self, text: str) -> dspx.Prediction:
        keywords = self.keywords(text=text).keywords
        return self.summary(text=text, keywords=keywords)


def metric(example: dspx.Example, prediction: dspx.Prediction, trace: object = None) -> bool:
    return isinstance(prediction.summary, str)


async def cells() -> None:
    """Each step is what one might type into a cell."""
    program = Summary()

    sync = program(text="A sync call in a running loop.")
    print("sync:   ", sync.summary)

    awaited = await program.acall(text="The same program, awaited.")
    print("await:  ", awaited.summary)

    several = await asyncio.gather(*(program.acall(text=f"Text {i}") for i in range(20)))
    print("gather: ", len(several), "answers")

    devset = [dspx.Example(text=f"Text {i}").with_inputs("text") for i in range(20)]
    evaluate = dspx.Evaluate(devset=devset, metric=metric, num_threads=8)
    print("evaluate:      ", evaluate(program).score)
    print("await evaluate:", (await evaluate.acall(program)).score)


def main() -> None:
    dspx.configure(lm=SchemaLM())
    asyncio.run(cells())


if __name__ == "__main__":
    main()
