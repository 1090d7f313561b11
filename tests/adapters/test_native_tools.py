"""Tools in prompts, tools offered natively, calls read back, calls of earlier turns."""

import pytest

from dspx.adapters.baml import BAMLAdapter
from dspx.adapters.chat import ChatAdapter
from dspx.adapters.json import JSONAdapter
from dspx.adapters.xml import XMLAdapter
from dspx.content.tool_calls import ToolCalls
from dspx.core.signature import Signature
from dspx.errors import AdapterParseError
from dspx.lm.facts import Facts
from dspx.lm.response import Output, ToolCall
from dspx.runtime.bridge import run
from dspx.tools.tool import Tool
from tests.adapters.goldens import api, format_cases
from tests.adapters.scripted import ScriptedLM
from tests.golden import cases as grid

CAN_CALL = Facts(supports_function_calling=True, supports_response_schema=True, supports_json_object=True)
ADAPTERS = {"chat": ChatAdapter, "json": JSONAdapter, "xml": XMLAdapter}
TEXTS = [
    (adapter, name) for adapter in ADAPTERS for name in format_cases(adapter) if name.startswith("tools_")
]
NATIVE = [(adapter, case.name) for adapter in ADAPTERS for case in grid.native_cases(api)]

types = {"Tool": Tool, "ToolCalls": ToolCalls}
ONE = Signature("question, tools: list[Tool] -> calls: ToolCalls", custom_types=types)
WITH_NOTE = Signature("question, tools: list[Tool] -> note, calls: ToolCalls", custom_types=types)
WITH_SCORE = Signature(
    "question, tools: list[Tool] -> note, score: float, calls: ToolCalls", custom_types=types
)
SEARCH = Tool(grid.search)


def native(adapter=ChatAdapter, **kwargs):
    return adapter(use_native_function_calling=True, **kwargs)


def call(*answers, signature=WITH_NOTE, adapter=None, facts=CAN_CALL, params=None):
    lm = ScriptedLM(*answers, facts=facts)
    adapter = adapter or native(use_json_adapter_fallback=False)
    values = adapter(lm, params or {}, signature, [], {"question": "Which owls?", "tools": [SEARCH]})
    return values[0], lm.requests


def asks(arguments='{"query": "owls"}', name="search", text=None):
    return Output(text, tool_calls=(ToolCall("c1", name, arguments),))


# ---------------------------------------------------------------- as DSPy writes it


@pytest.mark.parametrize(("adapter", "name"), TEXTS)
def test_tools_and_their_calls_in_prompts_are_dspys(adapter, name):
    case = format_cases(adapter)[name]
    made = ADAPTERS[adapter]()
    made.use_native_function_calling = False
    assert (
        made.format(case.signature, case.demos, dict(case.inputs)) == grid.expected(adapter, name)["messages"]
    )


@pytest.mark.parametrize(("adapter", "name"), NATIVE)
def test_what_a_model_that_calls_tools_is_sent_is_dspys(adapter, name):
    case = next(case for case in grid.native_cases(api) if case.name == name)
    made = ADAPTERS[adapter]()
    made.use_native_function_calling, made.parallel_tool_calls = True, case.parallel
    lm = ScriptedLM(asks(), facts=CAN_CALL)
    made(lm, dict(case.config), case.signature, case.demos, dict(case.inputs))
    (request,) = lm.requests
    sent = {
        key: value
        for key, value in request.params.items()
        if key in ("tools", "tool_choice", "parallel_tool_calls")
    }
    expected = grid.expected(adapter, name)
    for tool in expected["tools"]:
        if tool["function"]["description"] is None:
            del tool["function"]["description"]
    assert {"messages": request.messages, **sent} == expected


# ---------------------------------------------------------------- native or text


def test_a_model_that_calls_tools_natively_is_offered_them():
    values, (request,) = call(asks())
    assert values["calls"].tool_calls[0].id == "c1"
    assert values == {
        "note": None,
        "calls": ToolCalls.from_dict_list([{"id": "c1", "name": "search", "args": {"query": "owls"}}]),
    }
    assert request.params["tools"] == [SEARCH.format_as_litellm_function_call()]
    assert "[[ ## tools ## ]]" not in request.messages[0]["content"]


def test_a_model_without_tool_calling_is_asked_in_text():
    text = '[[ ## note ## ]]\nn\n\n[[ ## calls ## ]]\n[{"name": "search", "args": {"query": "owls"}}]'
    values, (request,) = call(
        text, facts=Facts(), params={"tool_choice": "auto", "parallel_tool_calls": True}
    )
    assert values["calls"].tool_calls[0].args == {"query": "owls"}
    assert request.params == {}
    assert "search, whose description is" in request.messages[1]["content"]


def test_without_tools_there_is_nothing_to_offer():
    lm = ScriptedLM('[[ ## calls ## ]]\n{"tool_calls": []}', facts=CAN_CALL)
    values = native()(lm, {}, ONE, [], {"question": "q", "tools": []})
    assert values[0]["calls"].tool_calls == []
    assert "tools" not in lm.requests[0].params


def test_functions_are_offered_as_tools():
    lm = ScriptedLM(asks(), facts=CAN_CALL)
    native()(lm, {}, ONE, [], {"question": "q", "tools": [grid.search]})
    assert lm.requests[0].params["tools"][0]["function"]["name"] == "search"


def test_parallel_calls_are_asked_for_or_forbidden():
    _, (request,) = call(asks(), adapter=native(parallel_tool_calls=True))
    assert request.params["parallel_tool_calls"] is True
    assert request.params["tool_choice"] == "auto"
    _, (request,) = call(asks(), adapter=native(parallel_tool_calls=False))
    assert request.params["parallel_tool_calls"] is False


def test_where_only_calls_are_wanted_no_text_is_asked_for():
    values, (request,) = call(asks(), signature=ONE)
    assert values["calls"].tool_calls[0].name == "search"
    assert request.messages[-1]["content"] == "[[ ## question ## ]]\nWhich owls?"


def test_a_schema_is_not_forced_on_a_model_that_answers_by_calls_alone():
    _, (request,) = call(asks(), signature=ONE, adapter=JSONAdapter())
    assert "response_format" not in request.params


# ---------------------------------------------------------------- reading


def test_text_beside_calls_need_not_follow_the_form():
    values, _ = call(asks(text="Let me look."), signature=WITH_SCORE)
    assert values["note"] is None
    assert values["score"] is None
    assert values["calls"].tool_calls[0].name == "search"
    values, _ = call(asks(text="[[ ## note ## ]]\nLooking.\n\n[[ ## completed ## ]]"))
    assert values["note"] == "Looking."


def test_an_answer_without_calls_leaves_them_none():
    values, _ = call("[[ ## note ## ]]\nNo need.\n\n[[ ## completed ## ]]")
    assert values == {"note": "No need.", "calls": None}


def test_broken_arguments_are_mended_and_hopeless_ones_asked_for_again():
    values, _ = call(asks('{"query": "owls"'))
    assert values["calls"].tool_calls[0].args == {"query": "owls"}
    values, requests = call(asks("42"), asks())
    assert values["calls"].tool_calls[0].args == {"query": "owls"}
    assert "could not be read" in requests[1].messages[-1]["content"]


def test_an_empty_answer_without_calls_is_an_error():
    with pytest.raises(AdapterParseError, match="empty"):
        call(Output(None), adapter=native(ask_again=False, use_json_adapter_fallback=False))


# ---------------------------------------------------------------- earlier turns


def history_of(turn, adapter, facts=CAN_CALL):
    agent = next(case for case in grid.native_cases(api) if case.name == "native_history")
    lm = ScriptedLM(
        Output("[[ ## note ## ]]\nn\n\n[[ ## completed ## ]]", tool_calls=asks().tool_calls), facts=facts
    )
    past = agent.inputs["history"].model_copy(update={"messages": [turn]})
    adapter(lm, {}, agent.signature, [], {**agent.inputs, "history": past})
    return lm.requests[0].messages


def test_results_that_no_id_ties_to_a_call_are_shown_as_text():
    results = [{"name": "search", "value": ["barn owl"]}]
    calls = ToolCalls.model_validate(
        {"tool_calls": [{"name": "search", "args": {}}], "tool_call_results": results}
    )
    messages = history_of({"question": "q", "note": "n", "tool_calls": calls}, native())
    assert [message["role"] for message in messages] == ["system", "user", "assistant", "user", "user"]
    assert "barn owl" in messages[3]["content"]


def test_turns_kept_as_plain_data_read_the_same():
    results = {"tool_call_results": [{"call_id": "i", "name": "search", "value": 3}]}
    turn = {
        "question": "q",
        "note": "n",
        "tool_calls": {"tool_calls": [{"name": "search", "args": {}}], "tool_call_results": results},
    }
    messages = history_of(turn, native())
    assert messages[2]["tool_calls"][0]["id"] == "i"
    assert messages[3] == {"role": "tool", "tool_call_id": "i", "name": "search", "content": "3"}


def test_baml_prompts_show_tools_too():
    messages = BAMLAdapter(use_native_function_calling=False).format(
        ONE, [], {"question": "q", "tools": [SEARCH]}
    )
    assert "search, whose description is" in messages[-1]["content"]


def test_an_async_call_is_the_same():
    async def ask():
        lm = ScriptedLM(asks(), facts=CAN_CALL)
        return await native().acall(lm, {}, ONE, [], {"question": "q", "tools": [SEARCH]})

    assert run(ask())[0]["calls"].tool_calls[0].name == "search"
