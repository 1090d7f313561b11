"""The known datasets: read from a folder, where nothing is downloaded; without one, or the package, they say so."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import dspx
from dspx.datasets import GSM8K, MATH, Banking77, Colors, HotPotQA, gsm8k_metric
from dspx.datasets.math_answers import same_answer
from dspx.errors import UsageError
from tests.datasets.material import gsm8k, hotpotqa, math


def put(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(json.dumps(row) for row in rows))


@pytest.mark.parametrize("make", [GSM8K, HotPotQA, lambda: MATH("algebra"), Banking77])
def test_without_a_folder_and_the_package_both_are_named(make: Any, no_hub: None):
    with pytest.raises(UsageError, match=r'(?s)pip install "dspx\[datasets\]".*path='):
        make()


def test_a_folder_that_is_none_and_one_without_the_files_are_named(tmp_path: Path):
    with pytest.raises(UsageError, match="is not a folder"):
        GSM8K(path=tmp_path / "nowhere")
    with pytest.raises(UsageError, match=r"has no train\.jsonl or train\.csv"):
        GSM8K(path=tmp_path)


# ---------------------------------------------------------------- GSM8K


def test_gsm8k_of_a_folder_is_that_of_the_hub(tmp_path: Path, hub: list[Any]):
    for split in ("train", "test"):
        put(tmp_path / f"{split}.jsonl", gsm8k(split))
    local, remote = GSM8K(path=tmp_path), GSM8K()
    assert (local.train, local.dev, local.test) == (remote.train, remote.dev, remote.test)
    assert len(hub) == 2
    assert local.train[0].inputs().keys() == ["question"]


def test_a_problem_without_its_number_is_named(tmp_path: Path):
    put(tmp_path / "train.jsonl", [{"question": "q", "answer": "no number"}])
    with pytest.raises(UsageError, match="does not end in `#### number`: 'no number'"):
        GSM8K(path=tmp_path)


def test_the_real_gsm8k(data: Path):
    dataset = GSM8K(path=data / "gsm8k")
    assert (len(dataset.train), len(dataset.dev), len(dataset.test)) == (200, 300, 1319)
    for example in dataset.test:
        assert gsm8k_metric(example, dspx.Prediction(answer=f"That makes ${int(example.answer):,}."))
        assert not gsm8k_metric(example, dspx.Prediction(answer=f"It is {int(example.answer) + 1}"))


# ---------------------------------------------------------------- HotPotQA


def test_hotpotqa_of_a_folder_is_that_of_the_hub(tmp_path: Path, hub: list[Any]):
    for split in ("train", "validation"):
        put(tmp_path / f"{split}.jsonl", hotpotqa(split))
    local, remote = HotPotQA(path=tmp_path), HotPotQA()
    assert (local.train, local.dev, local.test) == (remote.train, remote.dev, remote.test)
    assert local.train[0].inputs().keys() == ["question"]


def test_hotpotqa_in_its_authors_form(tmp_path: Path):
    for split, name in (("train", "train"), ("validation", "dev")):
        rows = [
            {
                **{field: value for field, value in row.items() if field != "id"},
                "_id": row["id"],
                "supporting_facts": [[title, 0] for title in row["supporting_facts"]["title"]],
            }
            for row in hotpotqa(split)
        ]
        (tmp_path / f"{name}.json").write_text(json.dumps(rows))
    dataset = HotPotQA(path=tmp_path, unofficial_dev=False)
    assert dataset.test[0].gold_titles == [f"T{dataset.test[0].id[2:]}", f"U{dataset.test[0].id[2:]}"]
    with pytest.raises(UsageError, match="HotPotQA has no dev part"):
        _ = dataset.dev


def test_easy_questions_are_only_ever_trained_on(hub: list[Any]):
    dataset = HotPotQA(only_hard_examples=False, keep_details=True)
    assert len(dataset.train) == 15
    easy = {f"train {number}" for number in range(0, 20, 3)}
    assert easy & {example.question for example in dataset.train}
    assert not easy & {example.question for example in dataset.dev}


# ---------------------------------------------------------------- MATH


def test_math_of_a_folder_is_that_of_the_hub(tmp_path: Path, hub: list[Any]):
    put(tmp_path / "algebra" / "test.jsonl", math("test"))
    local, remote = MATH("algebra", path=tmp_path), MATH("algebra")
    assert (local.train, local.dev, local.test) == (remote.train, remote.dev, remote.test)
    assert (len(local.train), len(local.dev), len(local.test)) == (350, 350, 500)
    example = local.train[0]
    assert local.metric(example, dspx.Prediction(answer=f"So it is \\boxed{{{example.answer}.0}}"))
    assert not local.metric(example, dspx.Prediction(answer="x"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("\\frac{1}{2}", "1/2"),
        ("0.5", "\\dfrac12"),
        (".5", "\\tfrac{1}2"),
        ("-\\frac{3}{4}", "-0.75"),
        ("1,000,000", "1000000"),
        ("10{,}000", "10000"),
        ("x = 5", "5"),
        ("5\\text{ cm}", "5"),
        ("5\\text{ cm}^2", "5"),
        ("90^\\circ", "90"),
        ("50\\%", "50"),
        ("\\$3.50", "3.5"),
        ("\\left( 3, \\frac{\\pi}{2} \\right)", "(3,\\frac{\\pi}{2})"),
        ("\\sqrt3", "\\sqrt{3}"),
        ("\\text{Evelyn}", "Evelyn"),
        ("2\\!\\cdot 3", "2\\cdot3"),
        ("7.", "7"),
    ],
)
def test_answers_that_say_the_same(one: str, other: str):
    assert same_answer(one, other)
    assert same_answer(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1", "2"),
        ("\\frac{1}{2}", "\\frac{1}{3}"),
        ("(1,000)", "1000"),
        ("(1,2)", "(2,1)"),
        ("x", "y"),
        ("-5", "5"),
        ("\\frac{1}{0}", "1"),
        ("\\leftarrow", "arrow"),
        ("3x", "3"),
        ("", "0"),
    ],
)
def test_answers_that_do_not(one: str, other: str):
    assert not same_answer(one, other)


# ---------------------------------------------------------------- Colors, Banking77


def test_colors_need_no_download(no_hub: None):
    colors = Colors(train_size=5, input_keys=["color"])
    assert len(colors.train) == 5
    endings = {example.color.split()[-1] for example in Colors().train} & {
        example.color.split()[-1] for example in Colors().dev
    }
    assert not endings - {"yellow"}
    unsorted = Colors(sort_by_suffix=False)
    assert {e.color for e in unsorted.train + unsorted.dev} == {
        e.color for e in Colors().train + Colors().dev
    }


def test_banking77_of_a_folder(tmp_path: Path):
    for split, rows in (("train", 40), ("test", 8)):
        lines = [f"question {n} of {split},{'card_lost' if n % 2 else 'transfer_late'}" for n in range(rows)]
        (tmp_path / f"{split}.csv").write_text("\n".join(["text,category", *lines]))
    dataset = Banking77(path=tmp_path, test_size=5)
    assert (len(dataset.train), len(dataset.dev), len(dataset.test)) == (30, 10, 5)
    assert dataset.intents == ("card_lost", "transfer_late")
    assert dataset.test[0].inputs().keys() == ["text"]
    assert len(Banking77(path=tmp_path, unofficial_dev=False).train) == 40


def test_the_real_banking77(data: Path):
    dataset = Banking77(path=data / "banking77")
    assert (len(dataset.train), len(dataset.dev), len(dataset.test)) == (7502, 2501, 3080)
    assert len(dataset.intents) == 77
    assert list(dataset.intents) == sorted(json.loads((data / "banking77" / "categories.json").read_text()))
    assert all(isinstance(example.text, str) and example.intent for example in dataset.test)


def test_banking77_of_the_hub_has_its_labels_by_name(monkeypatch: pytest.MonkeyPatch):
    class Split(list[dict[str, Any]]):
        features = {"label": SimpleNamespace(int2str=["card_lost", "transfer_late"].__getitem__)}

    def load_dataset(name: str, *, split: str) -> Split:
        assert name == "legacy-datasets/banking77"
        return Split({"text": f"{split} {n}", "label": n % 2} for n in range(8))

    monkeypatch.setitem(sys.modules, "datasets", SimpleNamespace(load_dataset=load_dataset))
    dataset = Banking77()
    assert dataset.intents == ("card_lost", "transfer_late")
    assert {(example.text, example.intent) for example in dataset.test} >= {
        ("test 0", "card_lost"),
        ("test 1", "transfer_late"),
    }
