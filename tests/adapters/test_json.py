# ruff: noqa: UP007, UP045  (both spellings of a union are types that people write)
import datetime
from typing import Any, Literal, Optional, Union

import pytest
from pydantic import BaseModel, Field

from dspx.adapters.json import JSONAdapter
from dspx.core.fields import InputField, OutputField
from dspx.core.signature import Signature
from dspx.errors import AdapterParseError
from dspx.lm.facts import Facts
from dspx.runtime.bridge import run
from tests.adapters.goldens import format_cases, parse_cases, parsed
from tests.adapters.scripted import ScriptedLM
from tests.golden import cases as grid

CASES = format_cases("json")
PARSES = {case.name: case for case in parse_cases("json")}
DSPY_RAISES = {"str_given_list_numbers", "history_as_dict"}

# Types that a strict schema cannot say: DSPy's schema for them forbids what the type asks for, or is refused.
UNSAYABLE = (
    "bare_list", "bare_dict", "tuple", "set", "set_str", "model_nested", "any", "any_dict", "object", "dict_any",
)  # fmt: skip

READ_TOLERANTLY = {
    "value_int_5", "value_bool_5", "value_list_str_6", "value_list_str_7", "value_list_int_4", "value_literal_1",
    "value_literal_4", "value_literal_9", "value_literal_10", "value_enum_2", "value_enum_5", "value_int_enum_3",
    "value_str_enum_2", "value_optional_int_3", "value_optional_int_4", "value_optional_int_6", "value_optional_str_4",
    "value_optional_literal_5", "value_optional_enum_1", "value_union_2", "value_model_8", "value_model_10",
    "value_list_models_2", "wrong_case", "chat_instead", "wrapped_in_key", "thinking_before",
}  # fmt: skip

QA = Signature("question -> reasoning, answer")
SCHEMA = Facts(supports_response_schema=True, supports_json_object=True)
JSON_MODE = Facts(supports_json_object=True)
SCHEMA_ONLY = Facts(supports_response_schema=True)


@pytest.mark.parametrize("name", sorted(CASES.keys() - DSPY_RAISES))
def test_the_prompt_is_dspys_message_by_message(name):
    case = CASES[name]
    expected = grid.expected("json", name)["messages"]
    assert JSONAdapter().format(case.signature, case.demos, dict(case.inputs)) == expected
    assert JSONAdapter().format(case.signature, case.demos, dict(case.inputs)) == expected


@pytest.mark.parametrize("name", sorted(CASES.keys() - DSPY_RAISES))
def test_the_schema_is_dspys_unless_it_forbids_what_the_type_asks_for(name):
    golden = grid.expected("json", name)["response_format"]
    sent = JSONAdapter().response_format(ScriptedLM(facts=SCHEMA), CASES[name].signature)
    if (
        name.startswith(("output_", "demo_output_"))
        and name.removeprefix("demo_").removeprefix("output_") in UNSAYABLE
    ):
        assert sent == {"type": "json_object"}
    elif "name" in golden:
        assert sent == {"type": "json_schema", "json_schema": {**without_defaults(golden), "strict": True}}
    else:
        assert sent == golden


def without_defaults(schema):
    """Strict mode refuses defaults: every member is required anyway."""
    if isinstance(schema, dict):
        return {key: without_defaults(value) for key, value in schema.items() if key != "default"}
    return [without_defaults(item) for item in schema] if isinstance(schema, list) else schema


@pytest.mark.parametrize("name", sorted(PARSES))
def test_an_answer_is_read_as_dspy_reads_it_or_better(name):
    golden = grid.expected_parses("json")[name]
    values = parsed(JSONAdapter(), PARSES[name])
    if name in READ_TOLERANTLY:
        assert golden["error"]
        assert values != "AdapterParseError"
    else:
        assert values == golden.get("values", "AdapterParseError")


@pytest.mark.parametrize(
    "text",
    [
        '<think>{"reasoning": "x"}</think>{"reasoning": "r", "answer": "a"}',
        '{"Reasoning": "r", "ANSWER": "a"}',
        '{"result": {"reasoning": "r", "answer": "a"}}',
        "[[ ## reasoning ## ]]\nr\n[[ ## answer ## ]]\na",
        'First {x}, then {"reasoning": "r", "answer": "a"}.',
    ],
)
def test_the_object_is_found(text):
    assert JSONAdapter().parse(QA, text) == {"reasoning": "r", "answer": "a"}


def test_a_single_output_may_come_without_its_object():
    assert JSONAdapter().parse(Signature("q -> tags: list[str]"), '["a", "b"]') == {"tags": ["a", "b"]}
    assert JSONAdapter().parse(Signature("q -> n: int"), "3") == {"n": 3}


def test_big_numbers_keep_their_digits():
    assert JSONAdapter().parse(Signature("q -> n: int"), '{"n": 123456789012345678901}') == {
        "n": 123456789012345678901
    }


def test_an_answer_that_cannot_be_read_says_what_is_missing():
    with pytest.raises(AdapterParseError) as caught:
        JSONAdapter().parse(QA, 'Well: {"reasoning": "r"}')
    assert caught.value.reason == "The answer has no `answer`."
    assert caught.value.found == {"reasoning": "r"}
    with pytest.raises(AdapterParseError, match="not a JSON object"):
        JSONAdapter().parse(QA, "no")


# ---------------------------------------------------------------- what the model is held to


def test_what_is_known_of_the_model_decides():
    assert sent_to(SCHEMA)["type"] == "json_schema"
    assert sent_to(JSON_MODE) == {"type": "json_object"}
    assert sent_to(Facts()) is None
    assert sent_to(SCHEMA_ONLY)["type"] == "json_schema"
    open_dict = Signature("q -> d: dict[str, int]")
    assert JSONAdapter().response_format(ScriptedLM(facts=SCHEMA), open_dict) == {"type": "json_object"}
    assert JSONAdapter().response_format(ScriptedLM(facts=SCHEMA_ONLY), open_dict) is None


def sent_to(facts, **kwargs):
    lm = ScriptedLM('{"reasoning": "r", "answer": "a"}', facts=facts)
    run(JSONAdapter().acall(lm, kwargs, QA, [], {"question": "q"}))
    return lm.requests[0].params.get("response_format")


def test_dspys_attributes_decide_for_a_model_of_ones_own():
    class Own(ScriptedLM):
        supported_params = frozenset({"response_format"})
        supports_response_schema = False

    assert JSONAdapter().response_format(Own(), QA) == {"type": "json_object"}


def test_a_response_format_of_the_callers_own_stays():
    assert sent_to(SCHEMA, response_format={"type": "text"}) == {"type": "text"}


def test_the_schema_is_made_once_and_given_out_as_it_is():
    lm = ScriptedLM(facts=SCHEMA)
    signature = Signature("q -> answer, n: int")
    first = JSONAdapter().response_format(lm, signature)
    again = JSONAdapter().response_format(lm, signature.with_instructions("Other."))
    assert first is not None
    assert again is not None
    assert first["json_schema"]["schema"] is again["json_schema"]["schema"]


def test_a_schema_closes_every_object():
    class Inner(BaseModel):
        a: int
        b: str | None = None

    class Outer(BaseModel):
        inner: list[Inner]
        other: Inner | Literal["x"] = "x"
        when: datetime.date

    signature = Signature(
        {"q": (str, InputField()), "outer": (Outer, OutputField()), "n": (int, OutputField(default=3))}
    )
    schema = JSONAdapter().response_format(ScriptedLM(facts=SCHEMA), signature)["json_schema"]["schema"]  # type: ignore[index]
    for part in (schema, *schema["$defs"].values()):
        assert part["additionalProperties"] is False
        assert part["required"] == list(part["properties"])


def test_a_schema_uses_only_the_words_of_strict_mode():
    class Cat(BaseModel):
        kind: Literal["cat"] = "cat"

    class Dog(BaseModel):
        kind: Literal["dog"] = "dog"

    class Home(BaseModel):
        pet: Union[Cat, Dog] = Field(discriminator="kind", description="who lives there")
        first: Cat = Field(default=Cat(), description="the first of them")

    signature = Signature({"q": (str, InputField()), "home": (Home, OutputField())})
    sent = JSONAdapter().response_format(ScriptedLM(facts=SCHEMA), signature)
    assert sent is not None
    members = sent["json_schema"]["schema"]["$defs"]["Home"]["properties"]
    assert members["pet"] == {
        "anyOf": [{"$ref": "#/$defs/Cat"}, {"$ref": "#/$defs/Dog"}],
        "description": "who lives there",
        "title": "Pet",
    }
    assert members["first"] == {"anyOf": [{"$ref": "#/$defs/Cat"}], "description": "the first of them"}


@pytest.mark.parametrize(
    "annotation", [dict[str, int], list[dict], Any, tuple[int, str], set[int], list, Optional[dict]]
)
def test_a_type_that_a_strict_schema_cannot_say_is_asked_for_in_json_mode(annotation):
    signature = Signature({"q": (str, InputField()), "y": (annotation, OutputField())})
    assert JSONAdapter().response_format(ScriptedLM(facts=SCHEMA), signature) == {"type": "json_object"}


def test_a_type_without_any_schema_is_asked_for_in_json_mode(caplog):
    class Odd(BaseModel, arbitrary_types_allowed=True):
        thing: Exception

    signature = Signature({"q": (str, InputField()), "y": (Odd, OutputField())})
    assert JSONAdapter().response_format(ScriptedLM(facts=SCHEMA), signature) == {"type": "json_object"}
    assert "have no JSON schema, using JSON mode" in caplog.text


def test_it_asks_again_as_json():
    lm = ScriptedLM("no", '{"reasoning": "r", "answer": "a"}', facts=SCHEMA)
    answer = run(JSONAdapter().ask(lm, {}, QA, [], {"question": "q"}))
    assert answer.reasked
    assert [request.params["response_format"]["type"] for request in lm.requests] == ["json_schema"] * 2
