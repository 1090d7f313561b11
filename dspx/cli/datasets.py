"""`dspx datasets`: what was trained and measured on."""

from __future__ import annotations

from itertools import islice
from typing import Annotated, Any

import typer

from dspx.cli.opening import DEFAULT, StoreOption, opened
from dspx.cli.printing import (
    JsonOption,
    print_facts,
    print_heading,
    print_json,
    print_table,
    print_text,
    short,
)
from dspx.cli.times import date

app = typer.Typer(help="Datasets by content, in versions.", no_args_is_help=True)


@app.command("list")
def list_datasets(
    name: Annotated[str | None, typer.Option(help="Only versions of this one.")] = None,
    store: StoreOption = DEFAULT,
    json: JsonOption = False,
) -> None:
    """List datasets, version by version."""
    with opened(store) as kept:
        found = kept.datasets.find_all(name)
    if json:
        print_json(found)
        return
    rows = [(one.name, one.version, one.size, one.hash[:12], date(one.created)) for one in found]
    print_table("", ["name", "version>", "examples>", "hash", "created"], rows, "No datasets.")


@app.command("show")
def show_dataset(
    name: Annotated[str, typer.Argument(metavar="NAME")],
    version: Annotated[int | None, typer.Option(min=1, help="Left out: the latest.")] = None,
    examples: Annotated[int, typer.Option(min=0, help="How many examples to show.")] = 3,
    store: StoreOption = DEFAULT,
    json: JsonOption = False,
) -> None:
    """Show a dataset: its fields, and its first examples where they were kept."""
    with opened(store) as kept:
        found = kept.datasets.find(name, version)
        first = list(islice(kept.datasets.examples(found.hash), examples))
    if json:
        print_json({**found.to_json(), "examples": first})
        return
    about = {"dataset": f"{found.name} version {found.version}", "examples": found.size, "hash": found.hash}
    print_facts({**about, "created": date(found.created)})
    fields: dict[str, Any] = (found.statistics or {}).get("fields", {})
    print_heading("fields")
    columns = ["field", "type~", "present>", "distinct>", "length", "values~"]
    print_table("", columns, [_row(field, facts) for field, facts in fields.items()], "No fields.")
    if first:
        print_heading("examples")
        for example in first:
            print_text(f"  {short(example, 200)}")


def _row(name: str, facts: dict[str, Any]) -> list[Any]:
    length = facts.get("length")
    values = facts.get("values") or {}
    return [
        name,
        ", ".join(facts.get("types", {})),
        facts.get("present"),
        facts.get("distinct"),
        f"{length['min']} to {length['max']}, mean {length['mean']:g}" if length else "",
        short(", ".join(f"{value} ({count})" for value, count in values.items()), 80),
    ]
