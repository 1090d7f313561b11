"""What commands print: tables for people, JSON for machines, and no colour into a pipe."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from dspx.store.jsontext import plain

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs to read.")]

_NARROWEST_PIPE = 10_000
"""Into a pipe, nothing is wrapped or cut: `grep` and `cut` want whole lines."""


def console() -> Console:
    """Where to print, made anew so that it is the stdout of now."""
    if sys.stdout.isatty():
        return Console(highlight=False)
    # NO_COLOR and FORCE_COLOR go before what we see; COLUMNS before what we choose.
    width = None if os.environ.get("COLUMNS") else _NARROWEST_PIPE
    return Console(highlight=False, width=width, soft_wrap=True)


def print_json(value: Any) -> None:
    """Indented JSON, keys in their order."""
    sys.stdout.write(_json(_data(value), indent=True) + "\n")


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], nothing: str) -> None:
    """A table, or what to say where it has no rows. A pipe gets tabs between the cells.

    Columns whose name ends in `>` are numbers, to the right; those that end in `~` may be cut where space is short.
    """
    rows = [[_cell(value) for value in row] for row in rows]
    names = [name.rstrip(">~") for name in columns]
    if not rows:
        print(nothing, file=sys.stderr)
        return
    if not sys.stdout.isatty():
        for row in [names, *rows]:
            print("\t".join(" ".join(cell.split()) for cell in row))
        return
    table = Table(title=title, title_justify="left", header_style="bold", box=None, pad_edge=False)
    for name, column in zip(names, columns, strict=True):
        table.add_column(
            name,
            justify="right" if column.endswith(">") else "left",
            overflow="ellipsis" if column.endswith("~") else "fold",
            no_wrap=True,
            min_width=None if column.endswith("~") else len(name),
        )
    for row in rows:
        table.add_row(*(Text(cell, style=_STYLES.get(cell, "")) for cell in row))
    console().print(table)


def print_facts(facts: Mapping[str, Any]) -> None:
    """Names and values below each other; those that are None are left out."""
    known = {_cell(name): _cell(value) for name, value in facts.items() if value is not None and value != ""}
    width = max(map(len, known), default=0)
    out = console()
    for name, text in known.items():
        first, *more = text.split("\n")
        out.print(f"[bold]{escape(name.ljust(width))}[/bold]  {escape(first)}")
        for line in more:
            out.print(f"{' ' * width}  {escape(line)}")


def print_heading(text: str) -> None:
    """A line that says what follows."""
    console().print(f"\n[bold]{escape(visible(text))}[/bold]")


def print_text(text: str = "", style: str = "") -> None:
    """Text as it is: nothing in it is taken for markup."""
    console().print(Text(visible(text), style=style))


def visible(text: str) -> str:
    """Text as a terminal may be given it: what a model wrote could steer it (`\\x1b[2J` clears the screen)."""
    return _CONTROLS.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def counted(number: int, noun: str) -> str:
    """`1 run`, `2 runs`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def short(value: Any, length: int = 60) -> str:
    """A value in a line of at most so many characters."""
    text = value if isinstance(value, str) else _json(_data(value))
    text = " ".join(text.split())
    return text if len(text) <= length else text[: length - 1] + "…"


_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")

_STYLES = {
    "completed": "green",
    "production": "green",
    "running": "yellow",
    "optimizing": "yellow",
    "failed": "red",
    "interrupted": "red",
    "archived": "dim",
}


def _json(data: Any, *, indent: bool = False) -> str:
    try:
        return orjson.dumps(data, option=orjson.OPT_INDENT_2 if indent else None).decode()
    except TypeError:  # integers beyond 64 bits and halves of surrogate pairs: models write both
        return json.dumps(data, indent=2 if indent else None)


def _data(value: Any) -> Any:
    if hasattr(value, "to_json"):
        return value.to_json()
    if is_dataclass(value) and not isinstance(value, type):
        return {name: _data(item) for name, item in asdict(value).items()}
    if isinstance(value, Mapping):
        return {str(name): _data(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_data(item) for item in value]
    return plain(value)


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    return visible(value if isinstance(value, str) else str(value))
