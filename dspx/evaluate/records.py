"""An evaluation's rows as flat records, and those as CSV, JSON or HTML."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from dspx.evaluate.row import Row

Record = dict[str, Any]


def records(rows: Sequence[Row], metric_name: str) -> list[Record]:
    """One flat dict per row: the example's fields, the prediction's, the score under the metric's name.

    A field that both have appears twice, as `example_answer` and `pred_answer`. `error` says why a row has
    no score, where any has none; `repeat` is there where examples ran more than once.
    """
    with_error = any(row.error is not None for row in rows)
    with_repeat = any(row.repeat for row in rows)
    made: list[Record] = []
    for row in rows:
        record = _merged(row.example, row.prediction)
        record[metric_name] = row.score if isinstance(row.score, (bool, int, float)) else row.value
        if with_repeat:
            record["repeat"] = row.repeat
        if with_error:
            record["error"] = row.reason
        made.append(record)
    return made


def columns(rows: Sequence[Record]) -> list[str]:
    """Every name that occurs, in the order of first sight."""
    return list(dict.fromkeys(name for row in rows for name in row))


def write_csv(path: str | Path, rows: Sequence[Record]) -> None:
    with _opened(path) as file:
        writer = csv.DictWriter(file, columns(rows))
        writer.writeheader()
        writer.writerows(rows)


def write_json(path: str | Path, rows: Sequence[Record]) -> None:
    from dspx.core.canonical import to_plain

    def plain(value: Any) -> Any:
        try:
            return to_plain(value)
        except TypeError:
            return repr(value)

    import json

    with _opened(path) as file:
        json.dump(
            [{name: plain(value) for name, value in row.items()} for row in rows], file, ensure_ascii=False
        )


def write_html(path: str | Path, title: str, summary: str, rows: Sequence[Record]) -> None:
    """A page that stands alone: the summary, then every row."""
    with _opened(path) as file:
        file.write(
            f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
            f"<style>{_STYLE}</style><h1>{escape(title)}</h1><pre>{escape(summary)}</pre>"
            f"{html_table(rows)}</html>\n"
        )


def html_table(rows: Sequence[Record], longest: int | None = None) -> str:
    """The records as an HTML table; texts longer than `longest` are cut."""
    names = columns(rows)
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(_cut(cell(row.get(name)), longest))}</td>" for name in names) + "</tr>"
        for row in rows
    )
    return f'<table class="dspx"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def cell(value: Any) -> str:
    """A value for a reader: ✔️ and ✘ for true and false, nothing for None."""
    if value is None:
        return ""
    if value is True:
        return "✔️"
    if value is False:
        return "✘"
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value)


_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;margin:2rem;color:#222}"
    "table{border-collapse:collapse}td,th{border:1px solid #ddd;padding:.3rem .6rem;vertical-align:top;"
    "text-align:left;white-space:pre-wrap;max-width:40rem}th{background:#f5f5f5;position:sticky;top:0}"
)


def _merged(example: Any, prediction: Any) -> Record:
    inputs = _fields(example) or {}
    outputs = _fields(prediction)
    if outputs is None:
        return {**inputs, "prediction": prediction}
    record = {(f"example_{name}" if name in outputs else name): value for name, value in inputs.items()}
    record.update({(f"pred_{name}" if name in inputs else name): value for name, value in outputs.items()})
    return record


def _fields(value: Any) -> Record | None:
    if isinstance(value, Mapping) or (hasattr(value, "keys") and hasattr(value, "items")):
        return dict(value.items())
    return None


def _opened(path: str | Path) -> Any:
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("w", encoding="utf-8", newline="")


def _cut(text: str, longest: int | None) -> str:
    return text if longest is None or len(text) <= longest else text[: longest - 1] + "…"
