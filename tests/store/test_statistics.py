from __future__ import annotations

from dspx.store.datasets import dataset_hash
from dspx.store.statistics import describe


def test_fields_are_described_by_type_length_and_labels() -> None:
    rows = [{"q": "a" * n, "label": "yes" if n % 2 else "no", "n": n} for n in range(1, 9)]
    found = describe([*rows, {"q": None}])
    assert found["size"] == 9
    assert found["fields"]["q"]["types"] == {"str": 8, "null": 1}
    assert found["fields"]["q"]["length"] == {"min": 1, "mean": 4.5, "max": 8}
    assert found["fields"]["label"]["values"] == {"yes": 4, "no": 4}
    assert "values" not in found["fields"]["n"]
    assert found["fields"]["n"]["distinct"] == 8


def test_examples_need_not_be_dicts_nor_be_there() -> None:
    assert describe([]) == {"size": 0, "fields": {}}
    assert describe(["a", "b"])["fields"]["value"]["present"] == 2


def test_a_dataset_is_what_its_examples_say_in_their_order() -> None:
    assert dataset_hash([{"a": 1, "b": 2}, {}]) == dataset_hash(iter([{"b": 2, "a": 1}, {}]))
    assert dataset_hash([{"a": 1}, {"b": 2}]) != dataset_hash([{"b": 2}, {"a": 1}])
    assert dataset_hash([]) != dataset_hash([{}])
