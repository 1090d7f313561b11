import asyncio
from types import SimpleNamespace

import pytest

import dspx
from dspx.errors import ToolArgumentsError, UsageError

pytest.importorskip("langchain_core")


def made():
    from langchain_core.tools import tool

    @tool
    def add(a: int, b: int = 2) -> int:
        """Add two numbers."""
        return a + b

    return add


def test_a_langchain_tool_keeps_its_name_description_and_arguments():
    tool = dspx.Tool.from_langchain(made())
    assert (tool.name, tool.desc) == ("add", "Add two numbers.")
    assert tool.args["b"]["default"] == 2
    assert tool.format_as_litellm_function_call()["function"]["parameters"]["required"] == ["a"]


def test_it_is_called_from_sync_and_async_code():
    tool = dspx.Tool.from_langchain(made())
    assert tool(a=1) == 3
    assert asyncio.run(tool.acall(a=1, b=5)) == 6
    with pytest.raises(ToolArgumentsError, match="Arg a is missing"):
        tool(b=1)


def test_a_schema_that_is_a_dict_is_read_too():
    async def ainvoke(args):
        return args

    schema = {"properties": {"q": {"type": "string"}}, "required": ["q"]}
    tool = SimpleNamespace(name="t", description="d", args_schema=schema, ainvoke=ainvoke)
    assert dspx.Tool.from_langchain(tool)(q="x") == {"q": "x"}


def test_something_else_is_refused():
    with pytest.raises(UsageError, match="no LangChain tool"):
        dspx.Tool.from_langchain(object())
