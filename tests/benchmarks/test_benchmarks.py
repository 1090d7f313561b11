"""Every benchmark runs, once and small; how fast is not asked here."""

from __future__ import annotations

import pytest

from benchmarks.cases import AtLeast, AtMost, Case, Times, load_all
from benchmarks.run import Row, run
from benchmarks.table import fill, render, show
from tests.sandboxes import installed

CASES = load_all()
GROUPS = sorted({case.group for case in CASES.values()})


def _case(**changes: object) -> Case:
    values: dict[str, object] = {
        "name": "group.case",
        "title": "a case",
        "measure": lambda side: 1.0,
        "floor": None,
        "floor_title": "",
        "unit": "time",
        "target": Times(10),
        "higher_is_better": False,
        "heavy": False,
        "dspy": True,
    }
    return Case(**{**values, **changes})  # type: ignore[arg-type]


@pytest.mark.slow
@pytest.mark.parametrize("group", GROUPS)
def test_every_case_of_the_group_gives_a_figure(group: str) -> None:
    if group == "sandbox":
        installed()
    rows = run([case for case in CASES.values() if case.group == group], "tiny", ("dspx", "floor"))
    for row in rows:
        assert not row.errors, f"{row.case.name}: {row.errors}"
        assert row.figure("dspx") is not None
        assert row.case.floor is None or row.figure("floor") is not None


def test_a_ratio_says_how_many_times_better_dspx_is() -> None:
    assert _case().ratio(1.0, 15.0) == 15.0
    assert _case(higher_is_better=True).ratio(15.0, 1.0) == 15.0
    assert _case().ratio(None, 1.0) is None


def test_targets_judge_the_ratio_or_the_figure() -> None:
    assert Times(10).met(1.0, 12.0) is True
    assert Times(10).met(1.0, None) is None
    assert AtMost(300).met(301, 99) is False
    assert AtLeast(0.6).met(0.7, None) is True


def test_the_median_of_the_samples_is_shown() -> None:
    row = Row(_case(), {"dspx": [1e-6, 9e-6, 2e-6], "dspy": [30e-6]})
    assert row.ratio == pytest.approx(15.0)
    assert row.met is True
    assert "2 µs" in render([row])
    assert "15.0×" in render([row])


def test_a_case_that_raised_is_shown_as_failed_with_its_reason() -> None:
    row = Row(_case(), {"dspx": []}, {"dspx": "ZeroDivisionError"})
    assert "failed" in render([row])
    assert "ZeroDivisionError" in render([row])


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (1.5e-3, "time", "1.5 ms"),
        (3.21e-8, "time", "32.1 ns"),
        (2.0, "time", "2 s"),
        (102e6, "bytes", "102 MB"),
        (64.0, "requests", "64 requests"),
        (0.712, "", "0.71"),
    ],
)
def test_figures_are_shown_as_a_person_reads_them(value: float, unit: str, text: str) -> None:
    assert show(value, unit) == text


def test_a_page_is_filled_with_the_rows_that_it_names() -> None:
    rows = [Row(_case(name=name, title=name), {"dspx": [1e-6], "dspy": [15e-6]}) for name in ("a.b", "c.d")]
    page = "Before\n<!-- figures: c.d -->\nold\n<!-- end -->\nAfter\n<!-- figures -->\n<!-- end -->\n"
    named, everything = fill(page, rows).split("After")
    assert "| c.d | 1 µs | 15 µs | 15.0× |" in named
    assert "a.b" not in named
    assert "old" not in named
    assert "| a.b |" in everything
    assert fill(fill(page, rows), rows) == fill(page, rows)
