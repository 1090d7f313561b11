from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
import pytest

import dspx
from dspx.lm.facts import UNKNOWN
from dspx.lm.request import Request
from dspx.testing import SchemaLM
from dspx.testing.models.schema import Schematic
from tests.golden import cases

# BAML describes types in a notation of its own, which is not read; it works where it sends a JSON schema.
ADAPTERS = ["chat", "json", "xml", "two_step"]


@pytest.fixture(params=["can do everything", "can do nothing"])
def lm(request: pytest.FixtureRequest) -> SchemaLM:
    return SchemaLM() if request.param == "can do everything" else SchemaLM(facts=UNKNOWN)


def families() -> Iterator[Any]:
    names = sorted({case.name.split("_")[0] for case in cases.cases(dspx)})
    for adapter in ADAPTERS:
        for family in names:
            yield pytest.param(adapter, family, id=f"{adapter}-{family}")


@pytest.mark.parametrize(("adapter", "family"), list(families()))
def test_every_signature_is_answered_validly(lm: SchemaLM, adapter: str, family: str) -> None:
    asking = (
        cases.make_adapter(dspx, adapter, lm) if adapter == "two_step" else cases.make_adapter(dspx, adapter)
    )
    for case in cases.cases(dspx):
        if case.name.split("_")[0] == family:
            (values,) = asking(lm, {}, case.signature, case.demos, case.inputs)
            assert list(values) == list(case.signature.output_fields), case.name


def test_what_the_prompt_says_of_bounds_holds_where_the_schema_is_silent() -> None:
    signature = dspx.Signature(
        {"text": (str, dspx.InputField()), "count": (int, dspx.OutputField(gt=3))}, "Count."
    )
    with dspx.context(lm=SchemaLM(), adapter=dspx.JSONAdapter()):
        assert dspx.Predict(signature)(text="t").count == 4


def test_without_a_prompt_that_it_knows_it_says_something() -> None:
    answer = Schematic().answer(Request("schema", [{"role": "user", "content": "Hello?"}]))
    assert answer.text == "This is a sample answer."


def test_without_a_prompt_that_it_knows_a_schema_is_enough() -> None:
    form = {
        "type": "json_schema",
        "json_schema": {"schema": {"type": "object", "properties": {"a": {"const": 3}}}},
    }
    request = Request("schema", [{"role": "user", "content": "Hello?"}], {"response_format": form})
    assert orjson.loads(Schematic().answer(request).text or "") == {"a": 3}


def test_a_tool_is_called() -> None:
    tools = [{"type": "function", "function": {"name": "look"}}]
    request = Request("schema", [{"role": "user", "content": "Hello?"}], {"tools": tools})
    assert Schematic().answer(request).tool_calls[0].name == "look"
