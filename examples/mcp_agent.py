"""An agent with the tools of an MCP server, which is this file too, in a process of its own.

    pip install "dspx[mcp]"
    python -m examples.mcp_agent

Without OPENAI_API_KEY a local server plays the model, which calls tools natively: two of them at once.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import dspx
from dspx.testing import Server


async def main() -> None:
    from mcp import ClientSession, StdioServerParameters
    from mcp.client.stdio import stdio_client

    command = StdioServerParameters(command=sys.executable, args=["-m", "examples.mcp_agent", "serve"])
    async with stdio_client(command) as (read, write), ClientSession(read, write) as session:
        await session.initialize()
        listed = await session.list_tools()
        tools = [dspx.Tool.from_mcp_tool(session, tool) for tool in listed.tools]
        print("The server has", ", ".join(tool.name for tool in tools))
        adapter = dspx.ChatAdapter(use_native_function_calling=True)
        with language_model() as lm, dspx.context(lm=lm, adapter=adapter):
            await talk(dspx.ReActV2("question -> answer", tools=tools))


async def talk(agent: dspx.ReActV2) -> None:
    """Two questions of one conversation: the history goes on from the first to the second."""
    history = dspx.History(messages=[])
    for question in (
        "Is the shop in Porto or the one in Faro fuller?",
        "And how many tins are there in all?",
    ):
        prediction = await agent.acall(question=question, history=history)
        print(f"\n{question}")
        for turn in history.messages[-2:]:
            for call in turn["tool_calls"].tool_calls:
                print(f"  {call.name}({', '.join(f'{k}={v!r}' for k, v in call.args.items())})")
        print(f"  → {prediction.answer}")
    print(f"\n{len(history.messages)} turns in the history")


# ---------------------------------------------------------------- the MCP server

STOCK = {"Porto": 120, "Faro": 35}


def serve() -> None:
    """Answer on standard input and output."""
    try:
        from mcp.server import MCPServer as McpServer  # version 2 of the SDK
    except ImportError:
        from mcp.server.fastmcp import FastMCP as McpServer  # version 1

    server = McpServer("shops")

    @server.tool()
    def count_tins(shop: str) -> int:
        """Count the tins of sardines in a shop."""
        return STOCK[shop]

    @server.tool()
    def add(numbers: list[int]) -> int:
        """Add numbers."""
        return sum(numbers)

    server.run("stdio")


# ---------------------------------------------------------------- a model for those without a key


@contextmanager
def language_model() -> Generator[Any]:
    """OpenAI's where there is a key, else a local server that answers by these turns."""
    if os.environ.get("OPENAI_API_KEY"):
        yield dspx.LM("openai/gpt-4o-mini")
        return
    turns = iter(
        [
            calls(("count_tins", {"shop": "Porto"}), ("count_tins", {"shop": "Faro"})),
            calls(("submit", {"answer": "Porto, with 120 tins; Faro has 35."})),
            calls(("add", {"numbers": [120, 35]})),
            calls(("submit", {"answer": "155 tins."})),
        ]
    )
    with Server(model=lambda request: next(turns)) as server:
        yield server.lm("openai/gpt-4o-mini", cache=False)


def calls(*wanted: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    made = [
        {"id": f"call_{name}_{number}", "name": name, "args": args}
        for number, (name, args) in enumerate(wanted)
    ]
    return {"text": "[[ ## next_thought ## ]]\nLet me see.\n\n[[ ## completed ## ]]", "tool_calls": made}


if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        serve()
    else:
        asyncio.run(main())
