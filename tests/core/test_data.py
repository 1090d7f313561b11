"""Example, Prediction, Completions: golden against DSPy, then what dspx mends."""

import copy
import json
import pickle
from pathlib import Path

import pytest

import dspx
from tests.golden import more_cases

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "data.json").read_text())
OURS = more_cases.data(dspx)

# A prediction made by hand has itself as its completion; one made from an example keeps its values;
# and errors are ValueErrors that say what to do.
DIFFERENT = {
    "Prediction(a=1).completions",
    "Prediction(a=1).inputs()",
    "Prediction(Example(a=1))",
    "Completions({'a': [1], 'b': [1, 2]})",
}


@pytest.mark.parametrize("expression", [e for e in GOLDEN if e not in DIFFERENT])
def test_reads_as_in_dspy(expression):
    assert OURS[expression] == GOLDEN[expression]


def test_a_field_named_like_a_method_is_kept_and_the_method_still_works():
    example = dspx.Example(a=1)
    example.items = 5
    assert example["items"] == 5
    assert example.items() == [("a", 1), ("items", 5)]


def test_a_prediction_made_from_an_example_keeps_its_values():
    assert dspx.Prediction(dspx.Example(a=1)).a == 1


def test_a_deep_copy_is_independent_and_keeps_its_inputs():
    example = dspx.Example(docs=["a"], answer="b").with_inputs("docs")
    copied = copy.deepcopy(example)
    copied.docs.append("more")
    assert example.docs == ["a"]
    assert copied.inputs().toDict() == {"docs": ["a", "more"]}


def test_examples_and_predictions_can_be_sent_to_another_process():
    prediction = dspx.Prediction.from_completions([{"a": 1}, {"a": 2}])
    prediction.set_lm_usage({"m": {"total_tokens": 3}})
    received = pickle.loads(pickle.dumps(prediction))  # noqa: S301
    assert received.completions.a == [1, 2]
    assert received.get_lm_usage() == {"m": {"total_tokens": 3}}


def test_a_prediction_with_a_score_is_a_number():
    better, worse = dspx.Prediction(score=0.75), dspx.Prediction(score=0.5)
    assert better - worse == 0.25
    assert 2 * worse == 1.0
    assert max(worse, better) is better


def test_completions_of_unequal_length_are_refused():
    with pytest.raises(ValueError, match="same number of values"):
        dspx.Completions({"a": [1], "b": [1, 2]})


def test_an_unknown_attribute_error_lists_what_there_is():
    with pytest.raises(AttributeError, match=r"it has \['question'\]"):
        _ = dspx.Example(question="q").answer


def test_every_copy_of_a_prediction_still_tells_how_it_came():
    prediction = dspx.Prediction(answer="4")
    prediction.set_lm_usage({"m": {"total_tokens": 3}})
    prediction.set_lm_route("fallback")
    prediction.set_reask("no answer")
    for other in (
        prediction.copy(),
        copy.copy(prediction),
        copy.deepcopy(prediction),
        pickle.loads(pickle.dumps(prediction)),  # noqa: S301
    ):
        assert other.answer == "4"
        assert other.get_lm_usage() == {"m": {"total_tokens": 3}}
        assert (other.get_lm_route(), other.get_reask()) == ("fallback", "no answer")
    assert dspx.Prediction().copy().get_lm_route() is None
