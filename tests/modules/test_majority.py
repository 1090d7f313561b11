import pytest

import dspx
from dspx.errors import UsageError
from dspx.modules.majority import majority


def test_the_most_frequent_answer_wins_case_and_punctuation_aside():
    found = majority([{"a": "x", "b": "Yes"}, {"a": "y", "b": "no"}, {"a": "z", "b": "No."}])
    assert dict(found.items()) == {"a": "y", "b": "no"}


def test_of_equally_frequent_answers_the_first_wins():
    prediction = dspx.Prediction.from_completions([{"b": "1"}, {"b": "2"}])
    assert majority(prediction).b == "1"


def test_single_letters_are_answers():
    assert majority([{"b": "A"}, {"b": "B"}, {"b": "A"}]).b == "A"  # DSPy says B


def test_the_field_is_the_signatures_last_output_or_the_one_asked_for():
    signature = dspx.Signature("q -> answer, note")
    rows = {"answer": ["1", "2", "2"], "note": ["x", "x", "y"]}
    completions = dspx.Completions(rows, signature=signature)
    assert majority(completions).answer == "1"
    assert majority(completions, field="answer").note == "x"
    assert majority(completions, field="answer").answer == "2"


def test_values_normalised_to_none_do_not_count_unless_all_are():
    assert majority([{"b": ""}, {"b": ""}, {"b": "x"}]).b == "x"
    assert majority([{"b": ""}, {"b": ""}]).b == ""


def test_any_type_can_be_voted_on():
    assert majority([{"b": 1}, {"b": 2}, {"b": 2}]).b == 2
    assert majority([{"b": ["x"]}, {"b": ["y"]}, {"b": ["y"]}]).b == ["y"]
    assert majority([{"b": -1}, {"b": 2}, {"b": -2}], normalize=abs).b == 2
    assert majority([{"b": "No"}, {"b": "no"}, {"b": "yes"}, {"b": "yes"}], normalize=None).b == "yes"


def test_nothing_to_count_says_so():
    with pytest.raises(UsageError, match="list of completions"):
        majority([])
    with pytest.raises(UsageError, match="list of completions"):
        majority("yes")
