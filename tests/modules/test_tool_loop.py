import asyncio
import json

import pytest

from dspx.errors import ToolArgumentsError, ToolExecutionError
from dspx.modules.tool_loop import Limits, Observation, Spent, error_text, named_tools, observe
from dspx.runtime.bridge import run
from dspx.tools import Tool


def double(number: int) -> int:
    return number * 2


def parse(text: str):
    return json.loads(text)


TOOLS = named_tools([double, Tool(parse)])


def see(name, **args):
    return run(observe(TOOLS, name, args, None))


def test_functions_and_tools_are_known_by_name_and_the_last_of_a_name_counts():
    assert list(TOOLS) == ["double", "parse"]
    other = Tool(parse, name="double")
    assert named_tools([double, other]) == {"double": other}


def test_a_value_is_observed_as_it_is():
    assert see("double", number=2) == Observation(4)


def test_an_error_names_the_users_last_lines():
    seen = see("parse", text="{")
    assert seen.is_error
    assert "in parse\n    return json.loads(text)" in seen.value
    assert seen.value.endswith(("(char 1)", "(char 1)\n"))
    assert "/" not in seen.value.split("File ")[1].split(",")[0]


def test_the_path_to_an_error_is_cut_to_its_last_five_places():
    def deep(left):
        if left == 0:
            raise KeyError("bottom")
        deep(left - 1)

    with pytest.raises(KeyError) as caught:
        deep(20)
    assert error_text(caught.value).count("File ") == 5


def test_errors_of_tools_themselves_are_a_sentence():
    assert error_text(ToolArgumentsError("Arg x is missing.")) == "Arg x is missing."
    assert error_text(ToolExecutionError("The server said no.")) == "The server said no."


def test_a_cancelled_tool_is_no_observation():
    async def wait():
        await asyncio.sleep(60)

    async def main():
        task = asyncio.create_task(observe(named_tools([wait]), "wait", {}, None))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())


def test_nothing_is_over_where_there_is_no_limit():
    spent = Spent(Limits())
    spent.tool_calls = spent.lm_calls = 1_000
    assert spent.over() is None
    assert spent.tool_calls_left is None
