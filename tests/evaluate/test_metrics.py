"""Numbers as DSPy 3.4.1 gives them, but where a comment says otherwise."""

import pytest

import dspx
from dspx.errors import UsageError
from dspx.evaluate.metrics import (
    EM,
    F1,
    HotPotF1,
    answer_exact_match,
    answer_passage_match,
    precision_score,
)


def test_single_letter_answers_stay_apart():
    assert EM("A", ["a"])
    assert not EM("A", ["B"])
    assert not EM("A", ["the"])


def test_exact_match_takes_any_of_the_answers():
    assert EM("The Eiffel Tower", ["Louvre", "Eiffel Tower"]) is True
    assert EM("paris", ["Paris, France"]) is False
    with pytest.raises(UsageError, match="list of strings"):
        EM("x", "x")


def test_f1_is_the_overlap_of_words():
    assert F1("Eiffel Tower is in Paris", ["Paris"]) == pytest.approx(0.33333333333333337)
    assert F1("", [""]) == 0
    assert precision_score("eiffel tower in paris", "eiffel tower") == 0.5


def test_hotpot_f1_takes_yes_and_no_whole():
    assert HotPotF1("yes", ["no"]) == 0
    assert HotPotF1("yes indeed", ["yes"]) == 0
    assert HotPotF1("yes", ["no", "yes"]) == 1.0
    assert HotPotF1("in Paris", ["Paris"]) == pytest.approx(2 / 3)


def test_answer_exact_match_reads_strings_and_lists():
    one, many = dspx.Example(answer="Eiffel Tower"), dspx.Example(answer=["Louvre", "Eiffel Tower"])
    for example in (one, many):
        assert answer_exact_match(example, dspx.Prediction(answer="the eiffel tower."))
        assert not answer_exact_match(example, dspx.Prediction(answer="the tower"))
        assert answer_exact_match(example, dspx.Prediction(answer="the tower"), frac=0.5)
    with pytest.raises(UsageError, match=r"example\.answer must be"):
        answer_exact_match(dspx.Example(answer=3), dspx.Prediction(answer="3"))


@pytest.mark.parametrize(
    ("answer", "passage", "found"),
    [
        ("Eiffel Tower", "The Eiffel Tower is in Paris.", True),
        ("Eiffel Tower", "Tower Eiffel", False),
        ("New York", "in new-york city", False),
        ("U.S.", "the US army", True),
        ("café", "a cafe\u0301 here", True),
        ("York", "Newyork", False),
        # DSPy finds these three everywhere
        ("A", "vitamin C", False),
        ("A", "vitamin A", True),
        ("", "x", False),
    ],
)
def test_an_answer_is_found_in_a_passage_word_by_word(answer, passage, found):
    prediction = dspx.Prediction(context=["something else", passage])
    assert answer_passage_match(dspx.Example(answer=answer), prediction) is found
    assert answer_passage_match(dspx.Example(answer=["nowhere", answer]), prediction) is found
