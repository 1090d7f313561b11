"""Print an answer while it is being written, with a line for every step before it.

    python -m examples.streaming

Without OPENAI_API_KEY a local server streams an answer that is always the same.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Generator
from contextlib import aclosing, contextmanager
from typing import Any

import dspx
from dspx.streaming import FieldDelta, FieldDone, Final
from dspx.testing import Server

ANSWERS = {
    "outline": '["what the tide is", "what pulls the sea", "why twice a day"]',
    "essay": (
        "The tide is the sea's slow breathing. The moon pulls the near side of the earth's water harder than the "
        "earth, and the earth harder than the water on its far side, so two hills of water stand on opposite "
        "shores, and the turning earth carries each coast under both of them every day."
    ),
}


class Essay(dspx.Module):
    """Plans an essay, then writes it."""

    def __init__(self) -> None:
        self.plan = dspx.Predict("topic -> outline: list[str]")
        self.write = dspx.Predict("topic, outline: list[str] -> essay")

    async def aforward(self, topic: str) -> Any:
        outline = (await self.plan.acall(topic=topic)).outline
        return await self.write.acall(topic=topic, outline=outline)


async def main() -> None:
    with language_model() as lm, dspx.context(lm=lm):
        async with aclosing(Essay().stream(topic="the tide")) as events:
            async for event in events:
                show(event)


def show(event: Any) -> None:
    if isinstance(event, FieldDone) and event.field == "outline":
        print("Outline:", *event.value, sep="\n  - ", end="\n\n")
    elif isinstance(event, FieldDelta) and event.field == "essay":
        print(event.text, end="", flush=True)
    elif isinstance(event, Final):
        print(f"\n\n{len(event.prediction.essay.split())} words")


@contextmanager
def language_model() -> Generator[Any]:
    """OpenAI's where there is a key, else a local server that takes its time."""
    if os.environ.get("OPENAI_API_KEY"):
        yield dspx.LM("openai/gpt-4o-mini")
        return

    def answer(request: Any) -> str:
        field = "essay" if "[[ ## essay ## ]]" in str(request.messages[-1]["content"]) else "outline"
        return f"[[ ## {field} ## ]]\n{ANSWERS[field]}\n\n[[ ## completed ## ]]"

    with Server(model=answer, token_delay=0.01) as server:
        yield server.lm("anything", cache=False)


if __name__ == "__main__":
    asyncio.run(main())
