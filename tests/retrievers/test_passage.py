from __future__ import annotations

import pytest

import dspx
from dspx.errors import UsageError
from dspx.retrievers.passage import Passage, texts_of


@pytest.mark.parametrize(
    "found",
    [
        ["one", "two"],
        ("one", "two"),
        [Passage(long_text="one"), {"long_text": "two"}],
        [dspx.Example(long_text="one"), "two"],
        dspx.Prediction(passages=["one", "two"], indices=[4, 2]),
        (text for text in ("one", "two")),
    ],
)
def test_the_texts_of_whatever_a_retriever_gives(found: object):
    assert texts_of(found) == ["one", "two"]


def test_one_passage_need_not_be_in_a_list():
    assert texts_of("one") == texts_of(Passage(long_text="one")) == texts_of({"long_text": "one"}) == ["one"]


def test_what_has_no_text_is_named():
    with pytest.raises(UsageError, match="of type int without `long_text`"):
        texts_of([1])
    with pytest.raises(UsageError, match="of type NoneType"):
        texts_of(None)


def test_a_passages_items_are_attributes():
    assert Passage(long_text="one", score=0.5).score == 0.5
    with pytest.raises(AttributeError, match="pid"):
        _ = Passage(long_text="one").pid
