import asyncio

import pytest

import dspx
from dspx.evaluate.judges import CompleteAndGrounded, SemanticF1
from tests.scripted import scripted

EXAMPLE = dspx.Example(question="Who?", response="Ada and Grace")
SAID = dspx.Prediction(response="Ada", context=["Ada was there."])


def answers(**values):
    def answer(signature, inputs, config):
        return {name: values.get(name, "…") for name in signature.output_fields}

    return scripted(answer)


@pytest.mark.parametrize("decompositional", [False, True])
def test_semantic_f1_is_the_harmonic_mean_of_what_the_judge_says(decompositional):
    judge = SemanticF1(decompositional=decompositional)
    with answers(recall=0.5, precision=1.0):
        assert judge(EXAMPLE, SAID).score == pytest.approx(2 / 3)
        assert asyncio.run(judge.acall(EXAMPLE, SAID)).score == pytest.approx(2 / 3)
    with answers(recall=7.0, precision=-1.0):
        assert judge(EXAMPLE, SAID).score == 0.0


def test_with_a_trace_the_score_is_whether_the_threshold_is_reached():
    with answers(recall=0.5, precision=1.0):
        assert SemanticF1(threshold=0.66)(EXAMPLE, SAID, trace=[]).score is True
        assert SemanticF1(threshold=0.67)(EXAMPLE, SAID, trace=[]).score is False


def test_complete_and_grounded_asks_both_questions():
    with answers(completeness=0.5, groundedness=1.0) as _:
        judge = CompleteAndGrounded()
        assert judge(EXAMPLE, SAID).score == pytest.approx(2 / 3)
        assert judge(EXAMPLE, SAID, trace=[]).score is True
        seen = dspx.settings.adapter.calls
    assert [("retrieved_context" in call) for call in seen] == [False, True] * 2


def test_a_judge_is_a_metric():
    examples = [dspx.Example(question=f"q{i}", response="r").with_inputs("question") for i in range(6)]

    class Program(dspx.Module):
        def forward(self, question):
            return dspx.Prediction(response=question)

    with answers(recall=1.0, precision=0.5):
        evaluate = dspx.Evaluate(devset=examples, metric=SemanticF1(), num_threads=3)
        assert evaluate(Program()).score == 66.67
        assert asyncio.run(evaluate.acall(Program())).score == 66.67
