"""An agent of ten steps with an LM that answers at once and tools that do nothing: all that is left is the library."""

from __future__ import annotations

from typing import Any

from benchmarks.cases import Times, case
from benchmarks.material import scripted_lm
from benchmarks.side import Side
from benchmarks.timing import per_call

STEPS = 10


def search(query: str, limit: int = 3) -> list[str]:
    """Search the archive."""
    return [f"{query}: first find", f"{query}: second find"]


def read_page(address: str) -> str:
    """Read a page."""
    return f"The page at {address} says little."


def _step(number: int) -> str:
    if number == STEPS - 1:
        name, args = "finish", "{}"
    else:
        name, args = "search", f'{{"query": "lighthouse {number}", "limit": 2}}'
    return (
        f"[[ ## next_thought ## ]]\nI have to look for number {number}.\n\n[[ ## next_tool_name ## ]]\n{name}\n\n"
        f"[[ ## next_tool_args ## ]]\n{args}\n\n[[ ## completed ## ]]"
    )


ANSWERS = [
    *map(_step, range(STEPS)),
    "[[ ## reasoning ## ]]\nI have read enough.\n\n[[ ## answer ## ]]\nHercules\n\n[[ ## completed ## ]]",
]


@case("agent.react", "ReAct, 10 steps, instant LM", target=Times(15))
def react(side: Side) -> float:
    lm = side.once("agent lm", lambda: scripted_lm(side.api, ANSWERS))
    agent: Any = side.once("agent", lambda: side.api.ReAct("question -> answer", tools=[search, read_page]))
    with side.api.context(lm=lm, callbacks=[]):
        return per_call(side, lambda: agent(question="Which lighthouse is the oldest?"))


@case("agent.create", "  make the agent", full_title="make a ReAct agent with two tools")
def create(side: Side) -> float:
    return per_call(side, lambda: side.api.ReAct("question -> answer", tools=[search, read_page]))
