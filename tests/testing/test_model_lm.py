from __future__ import annotations

import pytest

import dspx
from dspx.lm.facts import UNKNOWN
from dspx.testing import ModelLM, NearestLM, SchemaLM, check_lm


@pytest.mark.parametrize("make", [SchemaLM, NearestLM, lambda: ModelLM("echo")])
def test_they_keep_the_contract_of_lms(make: object) -> None:
    check_lm(make())  # type: ignore[operator]


def test_they_can_do_everything_unless_told_otherwise() -> None:
    assert SchemaLM().supports_function_calling
    assert SchemaLM().supports_response_schema
    assert not SchemaLM(facts=UNKNOWN).supports_response_schema


def test_usage_is_reported_and_n_obeyed() -> None:
    lm = SchemaLM()
    assert len(lm("q", n=3)) == 3
    assert lm.history[-1]["usage"]["total_tokens"] > 0


def test_a_model_of_ones_own_is_an_lm() -> None:
    class Yes:
        def answer(self, request: object, index: int = 0) -> dspx.lm.response.Output:
            return dspx.lm.response.Output(f"yes {index}")

    lm = ModelLM(Yes())
    assert lm("q", n=2) == ["yes 0", "yes 1"]
    assert lm.model == "yes"
