"""An agent that answers a question from a small archive: it searches, reads and calculates, and shows each step.

    python -m examples.research_agent

Without OPENAI_API_KEY a local server plays the model: it reads the prompt's trajectory and decides what comes next.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import dspx
from dspx.streaming import Final, Observed, Thought, ToolCalled, stream_sync
from dspx.testing import Server
from dspx.tools import Refused

ARCHIVE = {
    "hercules": "The Tower of Hercules in A Coruña was built in the second century and is still lit. It is 55 m high.",
    "hook": "Hook Head in Ireland was built around 1210. It is 36 m high and was kept by monks at first.",
    "genoa": "The Lanterna of Genoa was built in 1543 on older foundations. It is 77 m high.",
}


def search(words: str) -> list[str]:
    """Find pages of the archive.

    Args:
        words: what to look for; a page with any of them is found
    """
    wanted = words.lower().split()
    return [name for name, text in ARCHIVE.items() if any(word in text.lower() for word in wanted)]


async def read_page(name: str) -> str:
    """Read a page of the archive.

    Args:
        name: the page's name, as `search` gives it
    """
    return ARCHIVE[name]


def difference(larger: float, smaller: float) -> float:
    """Subtract one number from another."""
    return larger - smaller


def no_more_than_two_pages() -> Any:
    """An approval hook: reading costs money, so the third page is refused."""
    read: list[str] = []

    def approve(tool: dspx.Tool, args: dict[str, Any]) -> Any:
        if tool.name == "read_page":
            read.append(args["name"])
        return True if len(read) <= 2 else Refused("Two pages have to do.")

    return approve


def main() -> None:
    with language_model() as lm, dspx.context(lm=lm):
        agent = dspx.ReAct(
            "question -> answer, metres: float",
            tools=[search, read_page, difference],
            approve=no_more_than_two_pages(),
            max_tool_calls=8,
        )
        for event in stream_sync(
            agent, question="How much higher is the Lanterna than the Tower of Hercules?"
        ):
            show(event)


def show(event: Any) -> None:
    if isinstance(event, Thought):
        print(f"{event.step + 1}. {event.text}")
    elif isinstance(event, ToolCalled):
        print(f"   {event.tool}({', '.join(f'{name}={value!r}' for name, value in event.args.items())})")
    elif isinstance(event, Observed) and event.tool != "finish":
        print(f"   → {event.value}")
    elif isinstance(event, Final):
        prediction = event.prediction
        print(f"\n{prediction.answer} ({prediction.metres:g} m; {prediction.termination_reason})")


# ---------------------------------------------------------------- a model for those without a key


@contextmanager
def language_model() -> Generator[Any]:
    """OpenAI's where there is a key, else a local server."""
    if os.environ.get("OPENAI_API_KEY"):
        yield dspx.LM("openai/gpt-4o-mini")
        return
    with Server(model=decide) as server:
        yield server.lm("anything", cache=False)


def decide(request: Any) -> str:
    """What a model might do next, by what the trajectory shows."""
    text = request.messages[-1]["content"]
    if "next_tool_name" not in text:
        return fields(reasoning="77 - 55 = 22.", answer="The Lanterna is 22 m higher.", metres="22.0")
    heights = [float(height) for height in re.findall(r"It is (\d+) m high", text)]
    if "observation_0" not in text:
        return step("I need both pages.", "search", words="lanterna hercules")
    if len(heights) < 2:
        name = "genoa" if not heights else "hercules"
        return step(f"Now the page called {name}.", "read_page", name=name)
    if "observation_3" not in text:
        return step("I know both heights.", "difference", larger=max(heights), smaller=min(heights))
    return step("That is all.", "finish")


def step(thought: str, tool: str, **args: Any) -> str:
    return fields(next_thought=thought, next_tool_name=tool, next_tool_args=json.dumps(args))


def fields(**values: str) -> str:
    return "\n\n".join(
        [*(f"[[ ## {name} ## ]]\n{value}" for name, value in values.items()), "[[ ## completed ## ]]"]
    )


if __name__ == "__main__":
    main()
