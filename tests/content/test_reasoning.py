"""Reasoning: like a string, and the model's own where it has one."""

from __future__ import annotations

import copy
import pickle
from types import SimpleNamespace
from typing import Any

import pydantic
import pytest

from dspx.content.reasoning import Reasoning
from dspx.core.fields import OutputField
from dspx.core.signature import Signature
from dspx.core.streams import Delta

TEXT = Reasoning(content="Some Text")


def test_it_reads_like_a_string():
    assert str(TEXT) == f"{TEXT}" == TEXT == "Some Text"
    assert repr(TEXT) == "'Some Text'"
    assert f"{TEXT:>12}" == "   Some Text"
    assert (len(TEXT), TEXT[0], TEXT[1:3], list(TEXT)[-1]) == (9, "S", "om", "t")
    assert "Text" in TEXT
    assert (TEXT + "!", "» " + TEXT) == ("Some Text!", "» Some Text")
    assert (TEXT + TEXT).content == "Some TextSome Text"
    assert (TEXT.upper(), TEXT.split(), TEXT.startswith("So")) == ("SOME TEXT", ["Some", "Text"], True)
    assert {TEXT: 1}["Some Text"] == 1
    assert TEXT != "other"
    assert TEXT != 3
    assert not Reasoning(content="")


def test_an_attribute_that_strings_do_not_have_is_explained():
    with pytest.raises(AttributeError, match=r"no attribute 'foo'.*str\(reasoning\)"):
        _ = TEXT.foo
    with pytest.raises(TypeError):
        _ = TEXT + 3


def test_it_survives_copies():
    assert copy.deepcopy(TEXT) == copy.copy(TEXT) == pickle.loads(pickle.dumps(TEXT)) == TEXT  # noqa: S301


def test_it_is_read_from_a_string_and_written_as_one():
    adapter = pydantic.TypeAdapter(Reasoning)
    assert adapter.validate_python("x") == adapter.validate_python({"content": "x"}) == "x"
    assert adapter.validate_python(TEXT) is TEXT
    assert adapter.dump_json(TEXT) == b'"Some Text"'
    for value in (None, 3, {"x": 1}, {"content": 1}):
        with pytest.raises(pydantic.ValidationError):
            adapter.validate_python(value)
    with pytest.raises(pydantic.ValidationError):
        Reasoning()


def lm(model: str = "openai/o3", reasons: bool = True, model_type: str = "chat", **kwargs: Any) -> Any:
    return SimpleNamespace(model=model, model_type=model_type, supports_reasoning=reasons, kwargs=kwargs)


@pytest.mark.parametrize(
    ("model", "params", "effort"),
    [
        (lm(), {}, "low"),
        (lm(reasoning_effort="medium"), {}, "medium"),
        (lm(reasoning_effort="medium"), {"reasoning_effort": "high"}, "high"),
        (lm(reasoning_effort=None), {"reasoning_effort": "high"}, "high"),
        (lm("openai/gpt-5", model_type="responses"), {}, "low"),
        (lm("anthropic/claude-3-7-sonnet"), {}, "low"),
    ],
)
def test_a_reasoning_model_is_asked_for_its_own(model: Any, params: dict[str, Any], effort: str):
    signature = Signature("q -> reasoning, a").with_updated_fields("reasoning", Reasoning)
    before = dict(params)
    native, changed = Reasoning.native_feature(signature, "reasoning", model, params)
    assert native.signature == "q -> a"
    assert changed == {"reasoning_effort": effort}
    assert params == before


@pytest.mark.parametrize(
    ("model", "params"),
    [
        (lm(reasons=False), {}),
        (lm(reasoning_effort=None), {}),
        (lm(), {"reasoning_effort": None}),
        (lm("openai/gpt-5"), {"reasoning_effort": "high"}),
    ],
)
def test_other_models_are_asked_for_the_field(model: Any, params: dict[str, Any]):
    signature = Signature("q -> a").prepend("reasoning", OutputField(), Reasoning)
    native, changed = Reasoning.native_feature(signature, "reasoning", model, params)
    assert native is signature
    assert changed == params


def test_it_is_filled_from_the_response():
    assert Reasoning.parse_lm_response({"text": "x", "reasoning_content": "r"}) == "r"
    assert Reasoning.parse_lm_response({"text": "x", "reasoning_content": ""}) == ""
    assert Reasoning.parse_lm_response({"text": "x"}) is None
    assert Reasoning.parse_lm_response("x") is None


def test_it_streams():
    assert Reasoning.is_streamable()
    assert Reasoning.parse_stream_chunk(Delta("r", kind="reasoning")) == "r"
    assert Reasoning.parse_stream_chunk(Delta("t")) is None
    chunk = SimpleNamespace(choices=[SimpleNamespace(delta=SimpleNamespace(reasoning_content="r"))])
    assert Reasoning.parse_stream_chunk(chunk) == "r"
    assert (
        Reasoning.parse_stream_chunk(SimpleNamespace(choices=[SimpleNamespace(delta=SimpleNamespace())]))
        is None
    )
    assert Reasoning.parse_stream_chunk("x") is None
