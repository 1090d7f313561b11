import asyncio

import pytest
from pydantic import ValidationError

from dspx.content.tool_calls import ToolCallResults, ToolCalls
from dspx.errors import ToolExecutionError, UsageError
from dspx.tools.tool import Tool

ToolCall = ToolCalls.ToolCall
ONE = {"name": "add", "args": {"a": 1}}


def add(a, b=1):
    return a + b


@pytest.mark.parametrize(
    "written",
    [
        [ONE],
        ONE,
        {"tool_calls": [ONE]},
        {"tool_calls": [ONE], "tool_call_results": None},
        [ToolCall(name="add", args={"a": 1})],
        [{"name": "add", "args": '{"a": 1}'}],
        [{"name": "add", "arguments": '{"a": 1'}],
        [{"type": "function", "function": {"name": "add", "arguments": '{"a": 1}'}}],
    ],
)
def test_calls_are_read_in_every_form_that_models_and_providers_write(written):
    calls = ToolCalls.model_validate(written)
    assert [(call.name, call.args) for call in calls.tool_calls] == [("add", {"a": 1})]


@pytest.mark.parametrize("written", [{"id": "c1", **ONE}, {"call_id": "c1", **ONE}])
def test_a_providers_id_is_kept_and_no_part_of_the_prompt(written):
    calls = ToolCalls.model_validate([written])
    assert calls.tool_calls[0].id == "c1"
    assert calls.model_dump() == {"tool_calls": [ONE]}


@pytest.mark.parametrize("args", [None, "", {}])
def test_no_arguments_are_an_empty_object(args):
    assert ToolCalls.model_validate([{"name": "now", "args": args}]).tool_calls[0].args == {}


@pytest.mark.parametrize(
    "written",
    ["add", None, [{"name": "add"}], {"tool_calls": ONE}, [{"args": {}}], [{"name": "add", "args": "[1]"}]],
)
def test_what_is_no_call_is_refused(written):
    with pytest.raises(ValidationError):
        ToolCalls.model_validate(written)


def test_the_schema_asks_for_names_and_arguments_alone():
    schema = ToolCalls.model_json_schema()
    assert list(schema["properties"]) == ["tool_calls"]
    assert list(schema["$defs"]["ToolCall"]["properties"]) == ["name", "args"]
    assert "description" not in schema


# ---------------------------------------------------------------- running


@pytest.mark.parametrize("functions", [{"add": add}, [add], [Tool(add)], {"add": Tool(add)}])
def test_a_call_is_run_by_the_function_of_its_name(functions):
    call = ToolCall(**ONE)
    assert call.execute(functions) == 2
    assert asyncio.run(call.aexecute(functions)) == 2


def test_a_function_that_is_not_there_or_fails_is_said():
    call = ToolCall(name="add", args={"b": 1})
    for functions in (None, [], {"other": add}):
        with pytest.raises(UsageError, match="'add' not found"):
            call.execute(functions)
    with pytest.raises(RuntimeError, match="Error executing tool 'add'") as caught:
        call.execute([add])
    assert isinstance(caught.value, ToolExecutionError)


def test_no_function_is_looked_for_among_the_callers_variables():
    add_here = add  # noqa: F841
    with pytest.raises(UsageError):
        ToolCall(name="add_here", args={"a": 1}).execute()


# ---------------------------------------------------------------- results


def test_results_go_with_calls_in_order():
    calls = ToolCalls.model_validate([{"id": "c1", **ONE}, {"id": "c2", **ONE}])
    results = ToolCallResults.from_tool_calls_and_values(calls, [2, "no"], [False, True])
    assert [(r.call_id, r.name, r.value, r.is_error) for r in results.tool_call_results] == [
        ("c1", "add", 2, False),
        ("c2", "add", "no", True),
    ]
    with pytest.raises(ValueError, match="2 tool calls, but 1 values"):
        ToolCallResults.from_tool_calls_and_values(calls, [2])


def test_calls_are_answered_when_every_id_has_its_result():
    calls = ToolCalls.model_validate([{"id": "c1", **ONE}])
    assert not calls.answered
    calls.tool_call_results = ToolCallResults.from_tool_calls_and_values(calls, [2])
    assert calls.answered
    without_ids = ToolCalls.model_validate([ONE])
    without_ids.tool_call_results = ToolCallResults.from_tool_calls_and_values(without_ids, [2])
    assert not without_ids.answered


def test_calls_with_results_survive_json_with_their_ids():
    calls = ToolCalls.model_validate([{"id": "c1", **ONE}])
    calls.tool_call_results = ToolCallResults.from_tool_calls_and_values(calls, [2])
    again = ToolCalls.model_validate_json(calls.model_dump_json())
    assert again.tool_calls[0].id == "c1"
    assert again.answered
