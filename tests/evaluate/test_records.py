import csv
import json

import dspx
from dspx.evaluate.records import records, write_csv, write_html, write_json
from dspx.evaluate.row import Row


def row(index, example, prediction, score, error=None, repeat=0):
    return Row(index, repeat, example, prediction, score, float(score), error, "program" if error else None)


ROWS = [
    row(0, dspx.Example(question="q0", answer="0"), dspx.Prediction(answer="0", extra=[1, 2]), True),
    row(1, dspx.Example(question="q1", answer="<b>"), dspx.Prediction(), 0.5, error=ValueError("boom\nmore")),
    row(2, dspx.Example(question="q2", answer="2"), "just text", dspx.Prediction(score=0.25)),
]


def test_a_field_of_both_sides_is_told_apart_as_dspy_does():
    assert records(ROWS[:1], "exact") == [
        {"question": "q0", "example_answer": "0", "pred_answer": "0", "extra": [1, 2], "exact": True}
    ]


def test_errors_and_repeats_get_columns_only_where_there_are_any():
    found = records(ROWS, "exact")
    assert found[1] == {
        "question": "q1",
        "answer": "<b>",
        "exact": 0.5,
        "error": "program failed: ValueError: boom",
    }
    assert found[2] == {
        "question": "q2",
        "answer": "2",
        "prediction": "just text",
        "exact": 0.25,
        "error": None,
    }
    repeated = [ROWS[0], row(0, ROWS[0].example, ROWS[0].prediction, 0, repeat=1)]
    assert [record["repeat"] for record in records(repeated, "exact")] == [0, 1]


def test_rows_of_different_shape_share_one_csv(tmp_path):
    path = tmp_path / "deep" / "rows.csv"
    write_csv(path, records(ROWS, "exact"))
    found = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    assert [line["question"] for line in found] == ["q0", "q1", "q2"]
    assert found[1]["error"] == "program failed: ValueError: boom"
    assert found[0]["prediction"] == ""


def test_what_json_cannot_hold_is_written_as_text(tmp_path):
    path = tmp_path / "rows.json"
    write_json(path, [{"n": 1, "made": dspx.Example(a=1), "odd": print, "text": "ü"}])
    assert json.loads(path.read_text(encoding="utf-8")) == [
        {"n": 1, "made": {"a": 1}, "odd": "<built-in function print>", "text": "ü"}
    ]


def test_an_html_page_escapes_what_a_model_wrote(tmp_path):
    path = tmp_path / "rows.html"
    write_html(path, "exact <1>", "50 %", records(ROWS, "exact"))
    page = path.read_text(encoding="utf-8")
    assert "<b>" not in page
    assert "&lt;b&gt;" in page
    assert "✔️" in page
