import copy

import pytest

from dspx.compat.dsp import deduplicate, dotdict


def test_deduplicate_keeps_the_first_of_each_in_order():
    assert deduplicate(["b", "a", "b", "c", "a"]) == ["b", "a", "c"]


def test_a_dotdicts_items_are_attributes():
    passage = dotdict(long_text="x")
    passage.score = 1
    assert passage == {"long_text": "x", "score": 1}
    assert passage.long_text == "x"
    del passage.score
    assert copy.deepcopy(passage) == passage
    with pytest.raises(AttributeError, match="score"):
        passage.score
    with pytest.raises(AttributeError, match="score"):
        del passage.score
