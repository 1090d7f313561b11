import asyncio

import pytest

import dspx
from dspx.errors import UsageError
from dspx.modules.multi_chain import MultiChainComparison
from tests.scripted import scripted

ATTEMPTS = [{"reasoning": "first\nsecond", "answer": "1"}, dspx.Prediction(rationale=" so ", answer=2)]


def test_the_fields_are_those_of_dspy():
    signature = MultiChainComparison("question -> answer", M=2).predict.signature
    assert signature.signature == "question, reasoning_attempt_1, reasoning_attempt_2 -> rationale, answer"
    assert signature.fields["reasoning_attempt_2"].desc == "${reasoning attempt}"
    assert signature.fields["rationale"].desc == "${corrected reasoning}"
    assert signature.instructions == "Given the fields `question`, produce the fields `answer`."


def test_attempts_are_told_in_dspys_words():
    module = MultiChainComparison("question -> answer", M=2)
    with scripted(lambda signature, inputs, config: {"rationale": "r", "answer": "42"}):
        assert module(ATTEMPTS, question="q").answer == "42"
        assert asyncio.run(module.acall(completions=ATTEMPTS, question="q")).rationale == "r"
        for call in dspx.settings.adapter.calls:
            assert call["question"] == "q"
            assert call["reasoning_attempt_1"] == "«I'm trying to first I'm not sure but my prediction is 1»"
            assert call["reasoning_attempt_2"] == "«I'm trying to so I'm not sure but my prediction is 2»"
            assert call["config"]["temperature"] == 0.7


def test_the_number_of_attempts_must_be_m():
    with pytest.raises(UsageError, match=r"M=3.*compares 3 completions, but got 2"):
        MultiChainComparison("question -> answer")(ATTEMPTS, question="q")


def test_an_attempt_without_reasoning_or_answer_says_which():
    module = MultiChainComparison("question -> answer", M=1)
    with pytest.raises(UsageError, match="no reasoning or rationale"):
        module([{"answer": "1"}], question="q")
    with pytest.raises(UsageError, match="no answer"):
        module([{"reasoning": "1"}], question="q")
