"""Response: what `lm(...)` returns of it, how it is kept, and what it can be read from."""

from __future__ import annotations

from types import SimpleNamespace as Object

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dspx.lm.response import Output, Response, ToolCall
from dspx.lm.usage import Usage

CALL = ToolCall("c1", "weather", '{"city":"Oslo"}')


def answer(*outputs: Output) -> Response:
    return Response("m", outputs)


# ---------------------------------------------------------------- the value of lm(...)


def test_text_alone_is_a_list_of_strings():
    assert answer(Output("a"), Output("b")).as_outputs() == ["a", "b"]


def test_one_completion_with_more_than_text_makes_them_all_dicts():
    outputs = answer(Output(None, tool_calls=(CALL,)), Output("plain")).as_outputs()
    call = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Oslo"}'}}
    assert outputs == [{"text": None, "tool_calls": [call]}, {"text": "plain"}]


def test_reasoning_logprobs_and_citations_have_dspys_names():
    output = Output("t", reasoning="r", logprobs={"content": []}, citations=({"cited_text": "c"},))
    assert answer(output).as_outputs() == [
        {
            "text": "t",
            "reasoning_content": "r",
            "logprobs": {"content": []},
            "citations": [{"cited_text": "c"}],
        }
    ]


def test_dicts_can_be_asked_for():
    assert answer(Output("t")).as_outputs(as_dicts=True) == [{"text": "t"}]


def test_choices_read_like_openais():
    choice = answer(Output("t", tool_calls=(CALL,), reasoning="r", finish_reason="tool_calls")).choices[0]
    assert choice.message.content == choice["message"]["content"] == "t"
    assert choice.message.tool_calls[0].function.name == "weather"
    assert choice.message.reasoning_content == "r"
    assert choice.finish_reason == "tool_calls"
    with pytest.raises(AttributeError):
        choice.message.nothing


def test_a_completion_can_be_said_again_in_a_longer_conversation():
    output = Output(None, "r", (CALL,), thinking=({"type": "thinking", "thinking": "r", "signature": "s"},))
    message = output.to_message()
    assert message["role"] == "assistant"
    assert message["tool_calls"] == [CALL.to_openai()]
    assert message["thinking_blocks"] == list(output.thinking)
    assert Response.from_openai({"choices": [{"message": message}]}).outputs[0] == output


# ---------------------------------------------------------------- kept as JSON

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
json_objects = st.dictionaries(st.text(max_size=5), json_values, max_size=3)
maybe_text = st.none() | st.text()
outputs = st.builds(
    Output,
    text=maybe_text,
    reasoning=maybe_text,
    tool_calls=st.lists(st.builds(ToolCall, maybe_text, st.text(), st.text()), max_size=2).map(tuple),
    logprobs=json_values,
    citations=st.lists(json_objects, max_size=2).map(tuple),
    finish_reason=maybe_text,
    thinking=st.lists(json_objects, max_size=2).map(tuple),
)
counts = st.integers(0, 2**40)
usages = st.builds(Usage, counts, counts, counts, counts, counts, json_objects)
responses = st.builds(
    Response,
    model=st.text(),
    outputs=st.lists(outputs, max_size=3).map(tuple),
    usage=usages,
    id=maybe_text,
    cost=st.none() | st.floats(0, 100),
    cache_hit=st.booleans(),
    route=maybe_text,
)


@given(responses)
def test_a_response_survives_json_exactly(response: Response):
    assert Response.from_json(orjson.loads(orjson.dumps(response.to_json()))) == response


def test_a_small_response_is_kept_small():
    response = Response("m", (Output("hi", finish_reason="stop"),), Usage(1, 2, 3))
    assert response.to_json() == {
        "model": "m",
        "outputs": [{"text": "hi", "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
    }


@pytest.mark.parametrize(
    "value",
    [
        None,
        3,
        "text",
        [],
        {},
        {"model": 3},
        {"model": "m", "outputs": [1]},
        {"model": "m", "usage": {"x": 1}},
    ],
)
def test_what_to_json_did_not_write_is_a_value_error(value: object):
    with pytest.raises(ValueError, match="Not a response"):
        Response.from_json(value)


# ---------------------------------------------------------------- read from what a forward returned


def test_a_string_is_one_completion():
    response = Response.from_openai("hello", model="mine/m")
    assert (response.model, response.as_outputs()) == ("mine/m", ["hello"])


def test_a_list_of_strings_is_several():
    assert Response.from_openai(["a", "b"]).as_outputs() == ["a", "b"]


def test_a_list_of_output_dicts_is_read_back():
    dicts = answer(Output("t", reasoning="r", tool_calls=(CALL,), logprobs={"content": []})).as_outputs()
    assert Response.from_openai(dicts).as_outputs() == dicts


def test_a_response_stays_the_very_same():
    response = answer(Output("t"))
    assert Response.from_openai(response) is response


def test_an_sdks_objects_are_read_like_dicts():
    call = Object(id="c1", type="function", function=Object(name="weather", arguments='{"city":"Oslo"}'))
    message = Object(content=None, tool_calls=[call], reasoning_content="r", refusal=None)
    logprobs = Object(model_dump=lambda: {"content": [{"token": "a"}]})
    sdk = Object(
        choices=[Object(message=message, finish_reason="tool_calls", logprobs=logprobs)],
        usage=Object(prompt_tokens=1, completion_tokens=2, total_tokens=3),
        model="gpt",
        id="r1",
    )
    response = Response.from_openai(sdk)
    assert response.outputs == (Output(None, "r", (CALL,), {"content": [{"token": "a"}]}, (), "tool_calls"),)
    assert (response.usage, response.model, response.id) == (Usage(1, 2, 3), "gpt", "r1")


def test_the_least_that_dspys_custom_lms_return_is_enough():
    sdk = Object(choices=[Object(message=Object(content="hi"))], usage={}, model="m")
    assert Response.from_openai(sdk).as_outputs() == ["hi"]


def test_legacy_completions_have_text():
    assert Response.from_openai({"choices": [{"text": "hi"}]}).as_outputs() == ["hi"]


def test_litellms_nested_citations_are_flattened():
    message = {
        "content": "x",
        "provider_specific_fields": {"citations": [[{"cited_text": "a"}], [{"cited_text": "b"}]]},
    }
    response = Response.from_openai({"choices": [{"message": message}]})
    assert response.outputs[0].citations == ({"cited_text": "a"}, {"cited_text": "b"})


def test_arguments_given_as_a_dict_become_json():
    message = {"content": None, "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": {"a": 1}}}]}
    assert Response.from_openai({"choices": [{"message": message}]}).outputs[0].tool_calls == (
        ToolCall("c", "f", '{"a":1}'),
    )


def test_the_responses_apis_items_are_read_too():
    items = [{"type": "message", "content": [{"type": "output_text", "text": "hi"}]}]
    assert Response.from_openai(Object(output=items, model="m", usage=None)).as_outputs() == ["hi"]


@pytest.mark.parametrize("value", [None, 3, {"text": "hi"}, [3]])
def test_anything_else_is_refused_with_what_would_do(value: object):
    with pytest.raises(TypeError, match=r"neither a string|is a string or a dict"):
        Response.from_openai(value)
