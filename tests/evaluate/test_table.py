import sys
import types

from dspx.evaluate import table

ROWS = [
    {"question": "a long question " * 20, "answer": "x\ny", "exact": True},
    {"question": "short", "answer": "z", "exact": False, "error": None},
]


def test_lines_fit_the_width_and_cells_take_one_line():
    lines = table.text_table(ROWS, width=60).splitlines()
    assert len(lines) == 4
    assert all(len(line) <= 60 for line in lines)
    assert lines[0].split() == ["question", "answer", "exact", "error"]
    assert "…" in lines[2]
    assert "x y" in lines[2]


def test_only_true_and_false_get_marks():
    text = table.text_table([{"m": True}, {"m": False}, {"m": 0.5}, {"m": 1}], width=40)
    assert [line.strip() for line in text.splitlines()[2:]] == ["✔️", "✘", "0.5", "1"]


def test_a_limit_says_how_many_rows_are_left_out(capsys):
    table.show_table(ROWS, limit=1)
    shown = capsys.readouterr().out
    assert "short" not in shown
    assert shown.endswith("… 1 more rows\n")


def test_a_notebook_gets_html(monkeypatch, capsys):
    shown = []
    ipython = types.SimpleNamespace(get_ipython=lambda: types.SimpleNamespace(config={"IPKernelApp": {}}))
    display = types.SimpleNamespace(display=shown.append, HTML=lambda html: ("html", html))
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    table.show_table(ROWS)
    assert shown[0][0] == "html"
    assert shown[0][1].startswith("<table")
    assert capsys.readouterr().out == ""
