import asyncio
import copy
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import pytest
from pydantic import BaseModel

import dspx
from dspx.core.candidate import ToolValues, bound
from dspx.errors import ToolArgumentsError, UsageError
from dspx.tools import Tool


class Place(BaseModel):
    city: str
    country: str = "Portugal"


@dataclass
class Point:
    x: int
    y: float = 0.5


def search(query: str, limit: int = 3, kind: Literal["old", "new"] = "old") -> list[str]:
    """Search the archive.

    Args:
        query: words to look for
    """
    return [f"{query} {kind}"] * limit


async def fetch(number: int) -> int:
    await asyncio.sleep(0)
    return number + 1


# ---------------------------------------------------------------- reading a function


def test_a_tool_is_read_from_its_function():
    tool = Tool(search)
    assert tool.name == "search"
    assert tool.desc == "Search the archive."
    assert tool.args["query"] == {"type": "string", "description": "words to look for"}
    assert tool.args["limit"] == {"type": "integer", "default": 3}
    assert tool.arg_types["limit"] is int


def test_what_is_given_goes_before_what_was_read():
    tool = Tool(search, "find", "Find it.", arg_desc={"query": "what"})
    assert (tool.name, tool.desc) == ("find", "Find it.")
    assert tool.args["query"]["description"] == "what"
    tool = Tool(lambda x: x, name="same", args={"x": {"type": "integer"}})
    assert tool.args == {"x": {"type": "integer"}}
    with pytest.raises(ToolArgumentsError, match="'integer'"):
        tool(x="a")


def test_it_prints_as_prompts_say_it():
    assert str(Tool(search, args={}, desc="Two\nlines.")) == (
        "search, whose description is <desc>Two  lines.</desc>. It takes arguments {}."
    )
    assert str(Tool(lambda: 1, name="one")) == "one. It takes arguments {}."


def test_it_is_offered_to_models_in_chat_completions_form():
    assert Tool(search, args={"query": {"type": "string"}}).format_as_litellm_function_call() == {
        "type": "function",
        "function": {
            "name": "search",
            "description": "Search the archive.",
            "parameters": {
                "type": "object",
                "properties": {"query": {"type": "string"}},
                "required": ["query"],
            },
        },
    }
    assert "description" not in Tool(lambda: 1, name="one").format_as_litellm_function_call()["function"]


def test_objects_methods_and_partials_have_names_and_descriptions():
    class Archive:
        """The old archive."""

        def __call__(self, query: str): ...

        def find(self, number: int):
            """Find by number."""

    assert (Tool(Archive()).name, Tool(Archive()).desc) == ("Archive", "The old archive.")
    assert (Tool(Archive().find).name, Tool(Archive().find).desc) == ("find", "Find by number.")
    assert Tool(partial(search, limit=1)).name == "search"
    assert Tool(partial(search, limit=1))(query="owls") == ["owls old"]


def test_what_cannot_be_called_is_no_tool():
    with pytest.raises(UsageError, match="made from a function"):
        Tool(3)


# ---------------------------------------------------------------- calling


def test_arguments_are_checked_and_converted():
    def visit(place: Place, at: Point, days: int = 1):
        return place.city, at.y, days

    tool = Tool(visit)
    assert tool(place={"city": "Porto"}, at={"x": 1}) == ("Porto", 0.5, 1)
    assert tool(place=Place(city="Faro"), at='{"x": 1, "y": 2}', days="3") == ("Faro", 2.0, 3)


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ({"query": 3}, "Arg query is invalid"),
        ({"query": "q", "limit": "many"}, "Arg limit is invalid"),
        ({"query": "q", "kind": "middle"}, "Arg kind is invalid"),
        ({"query": "q", "page": 2}, "Arg page is not in the tool's args"),
        ({}, "Arg query is missing"),
    ],
)
def test_an_argument_that_does_not_fit_is_named(args, says):
    with pytest.raises(ToolArgumentsError, match=says):
        Tool(search)(**args)


def test_a_function_that_takes_any_argument_gets_any():
    def log(level: str, **rest: Any):
        return rest

    tool = Tool(log)
    assert tool.has_kwargs
    assert tool(level="x", a=1, b=[2]) == {"a": 1, "b": [2]}


def test_positional_only_arguments_are_given_by_place():
    assert Tool(len)(obj=[1, 2]) == 2


def test_lists_and_objects_may_come_as_json_in_a_string():
    def total(numbers: list[int], **_: Any):
        return sum(numbers)

    assert Tool(total)(numbers="[1, 2]") == 3
    any_object = Tool(lambda x: x, name="x", args={"x": {"type": "object"}})
    assert any_object(x='{"a": 1}') == {"a": 1}
    assert Tool(lambda text: text, name="t", args={"text": {"type": "string"}})(text="[1]") == "[1]"


def test_every_kind_of_function_works_from_every_kind_of_call():
    assert Tool(fetch)(number=1) == 2
    assert asyncio.run(Tool(fetch).acall(number=1)) == 2
    assert asyncio.run(Tool(search).acall(query="owls", limit=1)) == ["owls old"]
    with dspx.context(allow_tool_async_sync_conversion=True):
        assert Tool(fetch)(number="2") == 3


def test_callbacks_hear_of_calls_and_of_failures():
    heard = []

    class Listener(dspx.BaseCallback):
        def on_tool_start(self, call_id, instance, inputs):
            heard.append((instance.name, inputs))

        def on_tool_end(self, call_id, outputs, exception=None):
            heard.append((outputs, type(exception)))

    with dspx.context(callbacks=[Listener()]):
        Tool(search)(query="owls", limit=1)
        with pytest.raises(ToolArgumentsError):
            Tool(search)()
    assert heard == [
        ("search", {"kwargs": {"query": "owls", "limit": 1}}),
        (["owls old"], type(None)),
        ("search", {"kwargs": {}}),
        (None, ToolArgumentsError),
    ]


# ---------------------------------------------------------------- descriptions are variables


def test_bound_texts_stand_in_prompts_and_schemas_of_that_rollout_alone():
    tool = Tool(search)
    values = ToolValues(desc="Look things up.", arg_desc={"query": "one word"})
    with bound.using({id(tool): values}):
        assert "<desc>Look things up.</desc>" in str(tool)
        function = tool.format_as_litellm_function_call()["function"]
        assert function["description"] == "Look things up."
        assert function["parameters"]["properties"]["query"]["description"] == "one word"
        assert function["parameters"]["required"] == ["query"]
    assert "Look things up." not in str(tool)
    assert tool.desc == "Search the archive."


def test_a_program_names_its_tools():
    class Desk(dspx.Module):
        def __init__(self):
            self.agent = dspx.ReAct("question -> answer", tools=[search, fetch])
            self.clock = Tool(lambda: "noon", name="clock")

    names = [name for name, _ in Desk().named_tools()]
    assert names == ["agent.tools['search']", "agent.tools['fetch']", "agent.tools['finish']", "clock"]


def test_tuned_texts_are_saved_and_loaded_and_others_leave_no_trace(tmp_path):
    agent = dspx.ReAct("question -> answer", tools=[search])
    assert list(agent.dump_state()) == ["react", "extract.predict"]
    agent.tools["search"].desc = "Look things up."
    agent.tools["search"].arg_desc = {"query": "one word"}
    agent.save(tmp_path / "agent.json")
    other = dspx.ReAct("question -> answer", tools=[search])
    other.load(tmp_path / "agent.json")
    assert "Look things up." in str(other.tools["search"])
    assert "one word" in str(other.tools["search"])
    assert not Tool(search).is_tuned


def test_a_copy_has_texts_of_its_own_and_shares_the_function():
    tool = Tool(search)
    copied = copy.deepcopy(tool)
    copied.desc = "Other."
    copied.args["query"]["type"] = "integer"
    assert tool.desc == "Search the archive."
    assert tool.args["query"]["type"] == "string"
    assert copied.func is tool.func


def test_a_space_searches_over_what_tools_say_of_themselves():
    from dspx.testing import ScriptedLM
    from tests.modules.agents import answer, step

    agent = dspx.ReAct("question -> answer", tools=[search])
    words = dspx.Text("search words", default="Search the archive.").bind("tools['search'].desc")
    space = dspx.Space(agent, [words])
    other = space.candidate({"search words": "Look birds up."})
    lm = ScriptedLM([step("finish"), answer()], repeat=True)
    with dspx.context(lm=lm):
        with other.using(agent):
            agent(question="q")
        agent(question="q")
        other.install(agent)
        agent(question="q")
    asked = [request.messages[0]["content"] for request in lm.requests[::2]]
    assert ["<desc>Look birds up.</desc>" in text for text in asked] == [True, False, True]
    assert ["<desc>Search the archive.</desc>" in text for text in asked] == [False, True, False]
    assert "tools['search']" in agent.dump_state()
