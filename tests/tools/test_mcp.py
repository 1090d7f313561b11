"""Tools of a real MCP server, over its standard input and output."""

import asyncio
import os
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

import dspx
from dspx.errors import ToolArgumentsError, ToolExecutionError, UsageError
from dspx.testing import ScriptedLM
from dspx.tools.mcp import value_of
from tests.loops import in_a_loop

pytest.importorskip("mcp")

ROOT = Path(__file__).resolve().parent.parent.parent


def nowhere_to_log():
    return open(os.devnull, "w")


@asynccontextmanager
async def weather():
    """The server's tools, by name, and the session that they are called through."""
    from mcp import ClientSession, StdioServerParameters
    from mcp.client.stdio import stdio_client

    server = StdioServerParameters(
        command=sys.executable, args=["-m", "tests.tools.weather_server"], cwd=str(ROOT)
    )
    with nowhere_to_log() as nowhere:
        async with (
            stdio_client(server, errlog=nowhere) as (read, write),
            ClientSession(read, write) as session,
        ):
            await session.initialize()
            listed = (await session.list_tools()).tools
            yield {tool.name: dspx.Tool.from_mcp_tool(session, tool) for tool in listed}, session, listed


@in_a_loop
async def test_tools_of_a_server_are_described_and_called():
    async with weather() as (tools, _, _):
        forecast = tools["forecast"]
        assert forecast.desc == "Say what the weather will be."
        assert forecast.args["place"]["properties"]["city"]["type"] == "string"
        required = forecast.format_as_litellm_function_call()["function"]["parameters"]["required"]
        assert required == ["place"]
        said = await forecast.acall(place={"city": "Porto"}, days=2)
        assert said == "Porto, Portugal: sun for 2 day(s)"


@in_a_loop
async def test_what_is_wrong_is_said_here_or_by_the_server():
    async with weather() as (tools, _, _):
        with pytest.raises(ToolArgumentsError, match="place is missing"):
            await tools["forecast"].acall(days=1)
        with pytest.raises(ToolArgumentsError, match="'city' is missing"):
            await tools["forecast"].acall(place={})
        with pytest.raises(ToolExecutionError, match="alarm failed"):
            await tools["alarm"].acall(city="Porto")


@in_a_loop
async def test_structured_results_come_as_data_where_asked_for():
    async with weather() as (tools, session, listed):
        assert '"degrees": 21' in await tools["measure"].acall(city="Faro")
        tool = next(tool for tool in listed if tool.name == "measure")
        structured = dspx.Tool.from_mcp_tool(session, tool, result_mode="structured")
        assert await structured.acall(city="Faro") == {"city": "Faro", "degrees": 21}


@in_a_loop
async def test_a_sync_agent_in_a_thread_calls_the_session_on_its_own_loop():
    step = (
        "[[ ## next_thought ## ]]\nt\n\n[[ ## next_tool_name ## ]]\n{}\n\n[[ ## next_tool_args ## ]]\n{}\n\n"
    )
    async with weather() as (tools, _, _):
        lm = ScriptedLM(
            [
                step.format("forecast", '{"place": {"city": "Porto"}}'),
                step.format("finish", "{}"),
                "[[ ## reasoning ## ]]\nr\n\n[[ ## answer ## ]]\nsun",
            ]
        )
        agent = dspx.ReAct("question -> answer", tools=list(tools.values()))
        with dspx.context(lm=lm):
            prediction = await asyncio.to_thread(agent, question="Sun?")
    assert prediction.trajectory["observation_0"] == "Porto, Portugal: sun for 1 day(s)"


def test_a_session_whose_loop_has_ended_is_named():
    async def made():
        async with weather() as (tools, _, _):
            return tools["forecast"]

    tool = asyncio.run(made())
    with pytest.raises(UsageError, match="loop that has ended"):
        tool(place={"city": "Porto"})


# ---------------------------------------------------------------- results in both versions' names


def text(words):
    return SimpleNamespace(type="text", text=words)


IMAGE = SimpleNamespace(type="image", data="…")


@pytest.mark.parametrize("names", [("isError", "structuredContent"), ("is_error", "structured_content")])
@pytest.mark.parametrize(
    ("content", "mode", "structured", "value"),
    [
        ([text("a")], "text", None, "a"),
        ([text("a"), text("b"), IMAGE], "text", None, ["a", "b"]),
        ([IMAGE], "text", None, [IMAGE]),
        ([], "text", {"a": 1}, []),
        ([text("a")], "structured", {"a": 1}, {"a": 1}),
        ([text("a")], "structured", None, "a"),
    ],
)
def test_a_result_is_its_text_or_its_data(names, content, mode, structured, value):
    result = SimpleNamespace(**{"content": content, names[0]: False, names[1]: structured})
    assert value_of(result, "t", mode) == value
    with pytest.raises(ToolExecutionError, match="t failed"):
        value_of(SimpleNamespace(**{"content": content, names[0]: True, names[1]: structured}), "t", mode)


def test_an_unknown_mode_and_a_session_that_is_none_are_refused():
    tool = SimpleNamespace(name="t", description="", inputSchema={})
    with pytest.raises(UsageError, match="result mode"):
        dspx.Tool.from_mcp_tool(SimpleNamespace(call_tool=print), tool, result_mode="other")
    with pytest.raises(UsageError, match="call_tool"):
        dspx.Tool.from_mcp_tool(object(), tool)
