from __future__ import annotations

import pytest

import dspx
from dspx.lm.request import Request
from dspx.lm.response import Output, Response, ToolCall
from dspx.testing.models import Echo, make_model
from dspx.testing.models.script import Script, ScriptEnded, outputs_of

REQUEST = Request("m", [{"role": "user", "content": "q"}])


def test_answers_come_one_after_the_other_and_end() -> None:
    script = Script(["a", "b"])
    assert [script.next(REQUEST), script.next(REQUEST)] == ["a", "b"]
    with pytest.raises(ScriptEnded, match="2 were given"):
        script.next(REQUEST)


def test_a_script_may_start_over() -> None:
    script = Script(["a", "b"], repeat=True)
    assert [script.next(REQUEST) for _ in range(5)] == ["a", "b", "a", "b", "a"]


def test_a_function_sees_the_request() -> None:
    assert Script(lambda request: request.messages[0]["content"]).next(REQUEST) == "q"


def test_an_answer_may_be_anything_that_is_an_answer() -> None:
    call = ToolCall("1", "look", "{}")
    assert outputs_of("a", 2) == (Output("a", finish_reason="stop"),) * 2
    assert outputs_of(Output("a")) == (Output("a"),)
    assert outputs_of(["a", "b"], 2) == (Output("a", finish_reason="stop"), Output("b", finish_reason="stop"))
    assert outputs_of(call)[0].tool_calls == (call,)
    assert outputs_of({"text": "a", "reasoning_content": "r"})[0].reasoning == "r"
    assert outputs_of({"tool_calls": [call.to_openai()]})[0].finish_reason == "tool_calls"
    assert outputs_of(Response("m", (Output("x"),))) == (Output("x"),)


def test_values_of_fields_are_no_answer() -> None:
    with pytest.raises(dspx.UsageError, match="DummyLM"):
        outputs_of({"answer": "Lisbon"})


def test_a_model_may_be_named_listed_written_or_given() -> None:
    assert isinstance(make_model("echo"), Echo)
    assert isinstance(make_model(["a"]), Script)
    assert isinstance(make_model(lambda request: "a"), Script)
    echo = Echo()
    assert make_model(echo) is echo
    with pytest.raises(dspx.UsageError, match="nearest"):
        make_model("gpt-4o")
