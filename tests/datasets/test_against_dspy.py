"""Parts, orders and values are DSPy's: a seed names the same examples in both."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from dspx.datasets import GSM8K, MATH, Colors, HotPotQA
from dspx.datasets.gsm8k import parse_integer_answer
from dspx.datasets.math import extract_answer
from tests.datasets.material import ANSWERS, BOXES
from tests.datasets.record import rows, taken
from tests.datasets.test_dataset import Numbers

DSPY: dict[str, Any] = json.loads((Path(__file__).parent / "dspy.json").read_text())


def test_parts_by_seed_and_size():
    assert taken(Numbers()) == DSPY["numbers"]
    sized = Numbers(train_seed=1, train_size=4, eval_seed=2, dev_size=5, test_size=3, input_keys=["q"])
    assert taken(sized) == DSPY["numbers sized"]


def test_sets_for_several_seeds():
    for name, divide in (("numbers divided", True), ("numbers whole", False)):
        sets = Numbers.prepare_by_seed(
            train_seeds=[1, 2], train_size=2, dev_size=6, divide_eval_per_seed=divide
        )
        assert [[rows(part) for part in parts] for parts in (sets.train_sets, sets.eval_sets)] == DSPY[name]


def test_gsm8k(hub: list[Any]):
    assert taken(GSM8K(), 4) == DSPY["gsm8k"]
    assert [split["split"] for _, _, split in hub] == ["train", "test"]


def test_hotpotqa(hub: list[Any]):
    """gold_titles is a list here, in the order of the facts; DSPy's is a set."""
    variants: dict[str, dict[str, Any]] = {
        "hotpotqa": {},
        "hotpotqa sized": {"train_seed": 1, "train_size": 3, "dev_size": 2, "test_size": 2},
        "hotpotqa detailed": {"keep_details": True},
        "hotpotqa bare": {"keep_details": False},
    }
    for name, settings in variants.items():
        assert taken(HotPotQA(**settings)) == DSPY[name]
    assert hub[0] == ("hotpotqa/hotpot_qa", ("fullwiki",), {"split": "train"})


def test_math(hub: list[Any]):
    assert taken(MATH("algebra"), 4) == DSPY["math"]
    assert hub == [("DigitalLearningGmbH/MATH-lighteval", ("algebra",), {"split": "test"})]


def test_colors():
    colors = Colors()
    assert {"train": rows(colors.train), "dev": rows(colors.dev)} == DSPY["colors"]


def test_whole_numbers_are_read_as_dspy_does_except_for_the_minus_sign():
    assert [[parse_integer_answer(text), parse_integer_answer(text, False)] for text in ANSWERS] == DSPY[
        "integers"
    ]
    assert [parse_integer_answer(text) for text in ("-5", "-$1,200", "$-3", "it is -7 degrees")] == [
        -5,
        -1200,
        -3,
        -7,
    ]
    assert parse_integer_answer(7) == 7
    assert parse_integer_answer(".5") == 0


def test_boxes():
    assert [extract_answer(text) for text in BOXES] == DSPY["boxes"]
