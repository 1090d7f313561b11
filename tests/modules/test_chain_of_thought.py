import asyncio

import pytest

import dspx
from dspx.modules.chain_of_thought import ChainOfThought
from tests.scripted import scripted


class QA(dspx.Signature):
    """Answer in one word."""

    question: str = dspx.InputField()
    answer: str = dspx.OutputField()


def thinking(signature, inputs, config):
    return {name: f"{name} to {inputs['question']}" for name in signature.output_fields}


@pytest.mark.parametrize("signature", ["question -> answer", QA])
def test_reasoning_comes_before_the_other_outputs(signature):
    module = ChainOfThought(signature)
    assert list(module.predict.signature.output_fields) == ["reasoning", "answer"]
    with scripted(thinking):
        for said in (module(question="x"), asyncio.run(module.acall(question="x"))):
            assert (said.reasoning, said.answer) == ("reasoning to x", "answer to x")


def test_the_signature_keeps_its_instructions_and_is_not_changed():
    assert ChainOfThought(QA).predict.signature.instructions == "Answer in one word."
    assert list(QA.output_fields) == ["answer"]


def test_the_reasoning_is_described_as_dspy_describes_it():
    assert ChainOfThought(QA).predict.signature.fields["reasoning"].desc == "${reasoning}"


def test_the_reasoning_can_have_a_type_or_a_field_of_its_own():
    typed = ChainOfThought(QA, rationale_field_type=list[str]).predict.signature
    assert typed.fields["reasoning"].annotation == list[str]
    own = ChainOfThought(QA, rationale_field=dspx.OutputField(desc="briefly")).predict.signature
    assert own.fields["reasoning"].desc == "briefly"


def test_config_goes_to_the_predictor_and_calls_may_override_it():
    module = ChainOfThought("question -> answer", temperature=0.2)
    assert [name for name, _ in module.named_predictors()] == ["predict"]
    with scripted(thinking):
        module(question="x")
        module(question="x", config={"temperature": 0.9})
        assert [call["config"]["temperature"] for call in dspx.settings.adapter.calls] == [0.2, 0.9]
