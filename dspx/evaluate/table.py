"""Rows as a table: plain text in a terminal, HTML in a notebook."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence

from dspx.evaluate.records import Record, cell, columns, html_table

_NARROWEST = 8
_GAP = "  "


def show_table(rows: Sequence[Record], limit: int | None = None) -> None:
    """Show the records, or the first `limit` of them, and say how many more there are."""
    shown = rows if limit is None else rows[:limit]
    left_out = len(rows) - len(shown)
    note = f"… {left_out} more rows" if left_out else ""
    if in_notebook():
        from importlib import import_module

        display = import_module("IPython.display")
        display.display(display.HTML(html_table(shown, longest=300) + note))
        return
    print(text_table(shown))
    if note:
        print(note)


def text_table(rows: Sequence[Record], width: int | None = None) -> str:
    """The records as lines no longer than `width` (the terminal's): long texts are cut, line breaks become blanks."""
    names = columns(rows)
    grid = [[_one_line(cell(row.get(name))) for name in names] for row in rows]
    wanted = [max(len(text) for text in column) for column in zip(names, *grid, strict=True)]
    widths = _fitted(wanted, width or shutil.get_terminal_size((120, 24)).columns)
    lines = [_line(names, widths), _GAP.join("-" * width for width in widths)]
    return "\n".join([*lines, *(_line(texts, widths) for texts in grid)])


def in_notebook() -> bool:
    """Whether this is a Jupyter kernel, which can show HTML."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and "IPKernelApp" in getattr(shell, "config", {})


def _fitted(wanted: list[int], width: int) -> list[int]:
    """Widths that fit: narrow columns get what they want, wide ones share the rest."""
    room = max(width - len(_GAP) * (len(wanted) - 1), _NARROWEST * len(wanted))
    widths = list(wanted)
    open_columns = sorted(range(len(wanted)), key=wanted.__getitem__)
    while open_columns:
        share = max(_NARROWEST, room // len(open_columns))
        column = open_columns.pop(0)
        widths[column] = min(wanted[column], share)
        room -= widths[column]
    return widths


def _line(texts: Sequence[str], widths: Sequence[int]) -> str:
    cut = (
        (text if len(text) <= width else text[: width - 1] + "…").ljust(width)
        for text, width in zip(texts, widths, strict=True)
    )
    return _GAP.join(cut).rstrip()


def _one_line(text: str) -> str:
    return " ".join(text.split())
