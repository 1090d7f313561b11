from __future__ import annotations

import logging
from typing import Any

import pytest

from dspx.datasets import Dataset
from dspx.errors import UsageError
from dspx.store import dataset_hash
from tests.datasets.material import numbers


class Numbers(Dataset):
    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._train, self._dev, self._test = numbers(0), numbers(100), numbers(200)


def test_a_part_is_made_once_and_anew_for_other_seeds():
    dataset = Numbers(train_size=3)
    first = dataset.train
    assert dataset.train is first
    dataset.reset_seeds(train_seed=5)
    assert (dataset.train_seed, dataset.train_size, dataset.dev_size) == (5, 3, None)
    assert [example.q for example in dataset.train] != [example.q for example in first]


def test_a_larger_part_begins_with_the_smaller():
    small, large = Numbers(train_size=3).train, Numbers(train_size=7).train
    assert large[:3] == small


def test_examples_know_their_part_and_an_id_that_is_the_same_everywhere():
    by_id = {example.dspy_uuid: example.q for example in Numbers().train}
    assert len(by_id) == 10
    for example in Numbers(train_seed=3, train_size=5).train:
        assert by_id[example.dspy_uuid] == example.q
        assert example.dspy_split == "train"
        assert example.keys() == ["q", "a"]
    assert dataset_hash(Numbers().train) == dataset_hash(Numbers().train)


def test_input_keys_mark_the_inputs():
    assert Numbers(input_keys=["q"]).dev[0].inputs().keys() == ["q"]


def test_rows_may_be_examples_and_may_keep_their_order():
    class Ordered(Dataset):
        do_shuffle = False

        def __init__(self) -> None:
            super().__init__()
            self._train = Numbers(input_keys=["q"]).train

    assert [example.q for example in Ordered().train] == [example.q for example in Numbers().train]
    assert Ordered().train[0].inputs().keys() == ["q"]


def test_a_part_that_is_not_there_is_said():
    class Half(Dataset):
        def __init__(self) -> None:
            super().__init__()
            self._train = numbers(0)

    assert len(Half().train) == 10
    with pytest.raises(UsageError, match="Half has no test part"):
        _ = Half().test


def test_too_large_a_size_gives_all_and_says_so(caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.WARNING, "dspx.datasets"):
        assert len(Numbers(dev_size=50).dev) == 10
    assert "50 dev examples were asked for, and there are 10" in caplog.text


def test_nobody_elses_randomness_is_touched():
    import random

    random.seed(1)
    before = random.getstate()
    _ = Numbers().train
    assert random.getstate() == before
