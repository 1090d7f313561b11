import pytest

from dspx.errors import UsageError
from dspx.evaluate.splits import k_folds, split

DATA = list(range(103))


def test_a_split_is_shuffled_complete_and_the_same_every_time():
    train, test = split(DATA, 0.8)
    assert (len(train), len(test)) == (82, 21)
    assert sorted(train + test) == DATA
    assert train != DATA[:82]
    assert split(DATA, 0.8) == [train, test]
    assert split(DATA, 0.8, seed=1) != [train, test]


def test_shares_that_add_up_leave_no_empty_part():
    parts = split(DATA, 0.6, 0.2, 0.2)
    assert [len(part) for part in parts] == [62, 20, 21]
    assert sorted(item for part in parts for item in part) == DATA


def test_counts_give_what_they_say_and_the_rest():
    assert [len(part) for part in split(DATA, 50, 30)] == [50, 30, 23]


@pytest.mark.parametrize("sizes", [(), (1.5,), (-1,), (100, 10)])
def test_impossible_sizes_say_so(sizes):
    with pytest.raises(UsageError, match="split"):
        split(DATA, *sizes)


def test_every_example_is_tested_in_one_fold_and_trained_on_in_the_others():
    folds = k_folds(DATA, 5)
    assert sorted(item for _, test in folds for item in test) == DATA
    for train, test in folds:
        assert sorted(train + test) == DATA
    with pytest.raises(UsageError, match="2 to 3 folds"):
        k_folds([1, 2, 3], 4)
