from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dspx.datasets.rows import find_file, read_csv, read_json, read_parquet, read_rows
from dspx.errors import UsageError


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_columns_of_numbers_and_of_truths_become_such_values(tmp_path: Path):
    text = "id,price,sold,code,name,note\n1,2.5,True,007,Ana,\n-2,3,False,123,NA,\n,,,x1,null,\n"
    rows = read_csv(written(tmp_path / "rows.csv", text))
    assert rows == [
        {"id": 1, "price": 2.5, "sold": True, "code": "007", "name": "Ana", "note": ""},
        {"id": -2, "price": 3.0, "sold": False, "code": "123", "name": "NA", "note": ""},
        {"id": None, "price": None, "sold": None, "code": "x1", "name": "null", "note": ""},
    ]
    assert [type(row["price"]) for row in rows[:2]] == [float, float]


def test_numbers_with_leading_zeros_stay_text(tmp_path: Path):
    assert read_csv(written(tmp_path / "zip.csv", "zip\n01234\n99999\n")) == [
        {"zip": "01234"},
        {"zip": "99999"},
    ]


def test_types_need_not_be_inferred(tmp_path: Path):
    assert read_csv(written(tmp_path / "a.csv", "a\n1\n"), infer_types=False) == [{"a": "1"}]


def test_quotes_line_breaks_and_a_byte_order_mark(tmp_path: Path):
    path = written(tmp_path / "a.csv", '\ufefftext,n\n"two\nlines, ""quoted""",1\n')
    assert read_csv(path) == [{"text": 'two\nlines, "quoted"', "n": 1}]


@pytest.mark.parametrize("line", ["1", "1,2,3"])
def test_a_row_with_other_cells_is_named(tmp_path: Path, line: str):
    with pytest.raises(UsageError, match=r"row 2 after the first line does not have 2 cells"):
        read_csv(written(tmp_path / "a.csv", f"a,b\n1,2\n{line}\n"))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.fixed_dictionaries({"a": st.text(), "b": st.text()}), max_size=5))
def test_what_csv_wrote_is_read(tmp_path: Path, rows: list[dict[str, str]]):
    unwritable = "\r\ud800" if sys.version_info >= (3, 11) else "\r\ud800\0"  # csv learned NUL in 3.11
    rows = [
        {name: "".join(c for c in text if c not in unwritable) for name, text in row.items()} for row in rows
    ]
    path = tmp_path / "rows.csv"
    with path.open("w", newline="", encoding="utf-8", errors="ignore") as file:
        table = csv.DictWriter(file, ["a", "b"])
        table.writeheader()
        table.writerows(rows)
    assert read_csv(path, infer_types=False) == rows


ROWS: list[dict[str, Any]] = [{"a": 1, "b": {"c": [None, True]}}, {"a": 2**70, "b": "naïve 東京\u2028"}]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(ROWS),
        json.dumps(ROWS, indent=2),
        "\n".join(json.dumps(row) for row in ROWS),
        "\n\n".join(json.dumps(row, ensure_ascii=False) for row in ROWS) + "\n",
        "\ufeff" + json.dumps(ROWS),
    ],
    ids=["list", "indented", "lines", "lines apart", "byte order mark"],
)
def test_json_is_a_list_or_one_object_a_line(tmp_path: Path, text: str):
    assert read_json(written(tmp_path / "rows.json", text)) == ROWS


def test_what_is_not_json_is_named_with_its_line(tmp_path: Path):
    with pytest.raises(UsageError, match=r"rows.jsonl, line 3: not JSON"):
        read_json(written(tmp_path / "rows.jsonl", '{"a": 1}\n\n{"a": \n'))
    with pytest.raises(UsageError, match="item 2 is a int"):
        read_json(written(tmp_path / "rows.json", '[{"a": 1}, 2]'))


def test_parquet(tmp_path: Path):
    pyarrow = pytest.importorskip("pyarrow", reason="needs pyarrow: pip install 'dspx[parquet]'")
    parquet = pytest.importorskip("pyarrow.parquet")
    rows = [{"text": "a", "n": 1, "tags": ["x"]}, {"text": None, "n": 2, "tags": []}]
    parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "rows.parquet")
    assert read_parquet(tmp_path / "rows.parquet") == rows
    assert read_rows(tmp_path / "rows.parquet") == rows


def test_parquet_without_its_extra_is_named(monkeypatch: pytest.MonkeyPatch):
    import sys

    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(UsageError, match=r'pip install "dspx\[parquet\]"'):
        read_parquet("rows.parquet")


def test_the_ending_says_how_to_read(tmp_path: Path):
    assert read_rows(written(tmp_path / "a.tsv", "a\tb\n1\tx,y\n")) == [{"a": 1, "b": "x,y"}]
    assert read_rows(written(tmp_path / "a.JSONL", '{"a": 1}')) == [{"a": 1}]
    with pytest.raises(UsageError, match=r"files ending in \.csv, \.tsv, \.json, \.jsonl, \.parquet"):
        read_rows(tmp_path / "a.xml")


def test_a_file_is_found_by_any_of_its_names(tmp_path: Path):
    path = written(tmp_path / "dev.jsonl", "")
    assert find_file(tmp_path, "validation", "dev") == path
    with pytest.raises(UsageError, match=r"has no train.jsonl or train.csv"):
        find_file(tmp_path, "train")
