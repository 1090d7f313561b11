"""The rows of a run as an aligned table."""

from __future__ import annotations

import re

from benchmarks.run import Row

HEAD = ("case", "dspx", "dspy", "floor", "ratio", "target", "")


def render(rows: list[Row]) -> str:
    """One line per case, then what each floor is and what failed."""
    lines = [HEAD, *[_cells(row) for row in rows]]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEAD))]
    text = [_line(line, widths) for line in lines]
    text.insert(1, "─" * len(text[0]))
    return "\n".join([*text, "", *_notes(rows)])


def fill(page: str, rows: list[Row]) -> str:
    """The page with its figures replaced by those of these rows.

    Between `<!-- figures -->` and `<!-- end -->` go all rows, with their targets; between
    `<!-- figures: format.16 http.sequential -->` and `<!-- end -->` those that are named.
    """

    def replaced(match: re.Match[str]) -> str:
        names = (match[1] or "").split()
        by_name = {row.case.name: row for row in rows}
        chosen = [by_name[name] for name in names if name in by_name] if names else rows
        return f"{match[0].partition('-->')[0]}-->\n{_markdown(chosen, brief=bool(names))}<!-- end -->"

    return _PLACE.sub(replaced, page)


_PLACE = re.compile(r"<!-- figures(?:: ([^>]*?))? -->.*?<!-- end -->", re.DOTALL)


def _markdown(rows: list[Row], brief: bool) -> str:
    if brief:
        lines = ["| | dspx | DSPy 3.4.1 | |", "|---|---:|---:|---:|"]
        lines += [f"| {_full_title(row)} | " + " | ".join(_brief(row)) + " |" for row in rows]
    else:
        lines = ["| " + " | ".join((*HEAD[:-1], "reached")) + " |", "|---|---:|---:|---:|---:|---:|:-:|"]
        for row in rows:
            title, *figures = _cells(row)
            name = f"… {title.strip()}" if title.startswith(" ") else title
            lines.append("| " + " | ".join((name, *figures)) + " |")
    return "\n".join(lines) + "\n"


def _brief(row: Row) -> tuple[str, str, str]:
    _, ours, theirs, _, ratio, _, _ = _cells(row)
    return ours, theirs, ratio if row.case.unit in ("time", "bytes") else ""


def _full_title(row: Row) -> str:
    return row.case.full_title or row.case.title.strip()


def _cells(row: Row) -> tuple[str, ...]:
    case = row.case
    figures = [_side(row, side) for side in ("dspx", "dspy", "floor")]
    ratio = "" if row.ratio is None else f"{row.ratio:,.1f}×"
    mark = {True: "✓", False: "✗", None: ""}[row.met]
    return (case.title, *figures, ratio, str(case.target or ""), mark)


def _side(row: Row, side: str) -> str:
    if side in row.errors:
        return "failed"
    value = row.figure(side)
    return "" if value is None else show(value, row.case.unit)


def show(value: float, unit: str) -> str:
    """A figure as a person reads it: `12.3 µs`, `84 MB`, `0.71`."""
    if unit == "time":
        return _time(value)
    if unit == "bytes":
        return f"{value / 1e6:,.0f} MB" if value >= 1e6 else f"{value / 1e3:,.1f} kB"
    number = f"{value:,.0f}" if value == int(value) or value >= 100 else f"{value:,.2f}"
    return f"{number} {unit}".strip()


def _time(seconds: float) -> str:
    for factor, name in ((1, "s"), (1e3, "ms"), (1e6, "µs"), (1e9, "ns")):
        if seconds * factor >= 1 or name == "ns":
            return (
                f"{seconds * factor:.3g} {name}"
                if seconds * factor < 1000
                else f"{seconds * factor:,.0f} {name}"
            )
    raise AssertionError


def _line(cells: tuple[str, ...], widths: list[int]) -> str:
    first, *others = cells
    padded = [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
    return "  ".join([first.ljust(widths[0]), *padded])


def _notes(rows: list[Row]) -> list[str]:
    floors = [f"floor of {row.case.title}: {row.case.floor_title}" for row in rows if row.case.floor_title]
    failures = [
        f"{row.case.name} failed on {side}:\n{error}" for row in rows for side, error in row.errors.items()
    ]
    judged = [row for row in rows if row.met is not None]
    reached = f"{sum(bool(row.met) for row in judged)} of {len(judged)} targets reached."
    return [*floors, "", *failures, reached]
