from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import dspx
from dspx.datasets import DataLoader
from dspx.errors import UsageError

LOADER = DataLoader()


@pytest.fixture
def tickets(tmp_path: Path) -> Path:
    path = tmp_path / "tickets.csv"
    path.write_text("id,text,urgent\n1,the card is gone,True\n2,thank you,False\n")
    return path


def test_rows_of_a_file_become_examples(tickets: Path):
    first, second = LOADER.from_csv(tickets, input_keys=("text",))
    assert first == dspx.Example(id=1, text="the card is gone", urgent=True)
    assert first.inputs().keys() == ["text"]
    assert second.labels().keys() == ["id", "urgent"]


def test_fields_are_chosen_and_a_missing_one_is_named(tickets: Path):
    assert LOADER.from_csv(tickets, fields=["urgent"], infer_types=False)[0].items() == [("urgent", "True")]
    with pytest.raises(UsageError, match=r"has no \['when'\]; its fields are \['id', 'text', 'urgent'\]"):
        LOADER.from_csv(tickets, fields=["text", "when"])


def test_a_string_of_input_keys_is_refused(tickets: Path):
    with pytest.raises(UsageError, match="give a tuple of names"):
        LOADER.from_csv(tickets, input_keys="text")


def test_json_lines(tmp_path: Path):
    (tmp_path / "a.jsonl").write_text('{"q": "2+2", "a": 4}\n{"q": "3+3", "a": 6}\n')
    assert [example.a for example in LOADER.from_json(tmp_path / "a.jsonl", input_keys=["q"])] == [4, 6]


def test_parquet(tmp_path: Path):
    pyarrow = pytest.importorskip("pyarrow", reason="needs pyarrow: pip install 'dspx[parquet]'")
    parquet = pytest.importorskip("pyarrow.parquet")
    parquet.write_table(pyarrow.Table.from_pylist([{"q": "2+2", "a": 4}]), tmp_path / "a.parquet")
    assert LOADER.from_parquet(tmp_path / "a.parquet", fields=["a"]) == [dspx.Example(a=4)]


def test_a_table_that_gives_records_as_pandas_does():
    class Frame:
        def to_dict(self, orient: str) -> list[dict[str, Any]]:
            assert orient == "records"
            return [{"q": "2+2", "a": 4}]

    assert LOADER.from_pandas(Frame(), input_keys=("q",))[0].inputs().q == "2+2"


def test_pandas():
    pandas = pytest.importorskip("pandas", reason="needs pandas: pip install 'dspx[pandas]'")
    assert LOADER.from_pandas(pandas.DataFrame({"a": [1, 2]})) == [dspx.Example(a=1), dspx.Example(a=2)]


# ---------------------------------------------------------------- Hugging Face


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """A `datasets` package with two splits."""
    calls: list[Any] = []
    splits = {"train": [{"q": "a", "n": 1}], "test": [{"q": "b", "n": 2}]}

    def load_dataset(name: str, *args: Any, **settings: Any) -> Any:
        calls.append((name, args, settings))
        split = settings.get("split")
        if split is None:
            return splits
        return splits[split] if isinstance(split, str) else [splits[one] for one in split]

    module: Any = ModuleType("datasets")
    module.load_dataset = load_dataset
    monkeypatch.setitem(sys.modules, "datasets", module)
    return calls


def test_a_split_of_hugging_face_is_a_list_and_several_are_lists_by_name(asked: list[Any]):
    assert LOADER.from_huggingface("bank/tickets", "en", split="train", revision="v2") == [
        dspx.Example(q="a", n=1)
    ]
    by_name = LOADER.from_huggingface("bank/tickets", input_keys=("q",), fields=("q",))
    assert by_name == {"train": [dspx.Example(q="a")], "test": [dspx.Example(q="b")]}
    assert LOADER.from_huggingface("bank/tickets", split=["test", "train"], fields=("q",)) == {
        "test": [dspx.Example(q="b")],
        "train": [dspx.Example(q="a")],
    }
    assert asked[0] == ("bank/tickets", ("en",), {"split": "train", "revision": "v2"})


def test_without_the_package_the_extra_is_named(no_hub: None):
    with pytest.raises(UsageError, match=r'bank/tickets is loaded by .* pip install "dspx\[datasets\]"'):
        LOADER.from_huggingface("bank/tickets")


# ---------------------------------------------------------------- a retriever's objects


def test_a_retriever_that_gives_objects_away():
    class Shelf:
        def get_objects(self, num_samples: int, fields: list[str]) -> list[dict[str, Any]]:
            return [dict.fromkeys(fields, number) for number in range(num_samples)]

    with dspx.context(rm=Shelf()):
        assert LOADER.from_rm(2, ["a"], ["a"]) == [dspx.Example(a=0), dspx.Example(a=1)]
    with dspx.context(rm=len), pytest.raises(UsageError, match="has no get_objects"):
        LOADER.from_rm(2, ["a"], ["a"])
    with pytest.raises(UsageError, match="There is no retriever"):
        LOADER.from_rm(2, ["a"], ["a"])


# ---------------------------------------------------------------- samples and splits

DATA = list(range(10))


def test_a_sample_is_the_same_for_the_same_seed():
    assert LOADER.sample(DATA, 4) == LOADER.sample(DATA, 4)
    assert LOADER.sample(DATA, 4, seed=1) != LOADER.sample(DATA, 4, seed=2)
    assert len(set(LOADER.sample(DATA, 10))) == 10
    with pytest.raises(UsageError, match="11 examples were asked for, and there are 10"):
        LOADER.sample(DATA, 11)


def test_a_split_is_dspys_for_the_same_random_state():
    assert LOADER.train_test_split(DATA, 0.7, random_state=1) == {
        "train": [6, 8, 9, 7, 5, 3, 0],
        "test": [4, 1, 2],
    }
    assert LOADER.train_test_split(DATA, 3, 2, random_state=1) == {"train": [6, 8, 9], "test": [7, 5]}
    assert LOADER.train_test_split(DATA) == LOADER.train_test_split(DATA)


@pytest.mark.parametrize(
    "sizes", [(20,), (1.5,), (-1,), (0.5, 0.7), (7, 7), (0.5, -2)], ids=lambda sizes: str(sizes)
)
def test_a_split_that_cannot_be_is_refused(sizes: tuple[float, ...]):
    with pytest.raises(UsageError, match=r"train_size=|test_size="):
        LOADER.train_test_split(DATA, *sizes)
