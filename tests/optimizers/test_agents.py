"""Agents are programs like others: an optimizer compiles them, and demos come from their own steps."""

from __future__ import annotations

import asyncio
import sys
from functools import partial

import pytest

import dspx
from dspx.testing import DummyLM, Server
from examples import code_agent, mcp_agent, research_agent


def test_a_research_agent_is_compiled_from_its_own_steps() -> None:
    agent = dspx.ReAct(
        "question -> answer, metres: float",
        tools=[research_agent.search, research_agent.read_page, research_agent.difference],
    )
    question = dspx.Example(question="How much higher is it?", metres=22.0).with_inputs("question")
    optimizer = dspx.BootstrapFewShot(
        lambda example, prediction, trace=None: prediction.metres == example.metres, max_labeled_demos=0
    )
    with Server(model=research_agent.decide) as server, dspx.context(lm=server.lm("anything", cache=False)):
        compiled = optimizer.compile(agent, trainset=[question])
        assert compiled(question="How much higher is it?").metres == 22.0
    demos = {name: len(leaf.demos) for name, leaf in compiled.named_predictors()}
    assert demos == {"react": 1, "extract.predict": 1}
    assert [len(leaf.demos) for leaf in agent.predictors()] == [0, 0]


def test_a_code_agent_is_compiled_from_its_own_steps() -> None:
    agent = dspx.CodeAct(
        "question, customers: list[str] -> customer, total: float",
        tools=[code_agent.orders_of],
        interpreter_factory=partial(dspx.LocalInterpreter, unsafe=True),
    )
    asked = {"question": "Who ordered for the most money?", "customers": list(code_agent.ORDERS)}
    example = dspx.Example(**asked, customer="Almeida").with_inputs("question", "customers")
    optimizer = dspx.BootstrapFewShot(
        lambda example, prediction, trace=None: prediction.customer == example.customer, max_labeled_demos=0
    )
    with dspx.context(lm=DummyLM(code_agent.SCRIPT)):
        compiled = optimizer.compile(agent, trainset=[example])
    assert all(leaf.demos for leaf in compiled.predictors())


def test_an_agent_with_native_tools_is_compiled_from_its_own_steps() -> None:
    def count_tins(shop: str) -> int:
        """How many tins a shop has."""
        return mcp_agent.STOCK[shop]

    def add(numbers: list[int]) -> int:
        """The sum."""
        return sum(numbers)

    agent = dspx.ReActV2("question -> answer", tools=[count_tins, add])
    example = dspx.Example(question="Which shop is fuller?", answer="Porto").with_inputs("question")
    optimizer = dspx.BootstrapFewShot(
        lambda example, prediction, trace=None: example.answer in prediction.answer, max_labeled_demos=0
    )
    adapter = dspx.ChatAdapter(use_native_function_calling=True)
    with mcp_agent.language_model() as lm, dspx.context(lm=lm, adapter=adapter):
        compiled = optimizer.compile(agent, trainset=[example])
    assert all(leaf.demos for leaf in compiled.predictors())


@pytest.mark.slow
def test_an_agent_on_a_real_mcp_server_is_compiled_from_its_own_steps() -> None:
    from mcp import ClientSession, StdioServerParameters
    from mcp.client.stdio import stdio_client

    example = dspx.Example(question="Which shop is fuller?", answer="Porto").with_inputs("question")
    optimizer = dspx.BootstrapFewShot(
        lambda example, prediction, trace=None: example.answer in prediction.answer, max_labeled_demos=0
    )

    async def compiled() -> dspx.Module:
        command = StdioServerParameters(command=sys.executable, args=["-m", "examples.mcp_agent", "serve"])
        async with stdio_client(command) as (read, write), ClientSession(read, write) as session:
            await session.initialize()
            tools = [dspx.Tool.from_mcp_tool(session, tool) for tool in (await session.list_tools()).tools]
            adapter = dspx.ChatAdapter(use_native_function_calling=True)
            with mcp_agent.language_model() as lm, dspx.context(lm=lm, adapter=adapter):
                agent = dspx.ReActV2("question -> answer", tools=tools)
                return await optimizer.acompile(agent, trainset=[example])

    assert all(leaf.demos for leaf in asyncio.run(compiled()).predictors())
