"""`dspx store`: what a store holds, and whether it adds up."""

from __future__ import annotations

import typer

from dspx.cli.opening import DEFAULT, StoreOption, opened
from dspx.cli.printing import JsonOption, counted, print_facts, print_json, print_text
from dspx.store import Store

app = typer.Typer(help="The store itself.", no_args_is_help=True)


@app.command("info")
def info(store: StoreOption = DEFAULT, json: JsonOption = False) -> None:
    """Show where the store is, its schema, and how much is in it. Changes nothing."""
    with Store(store) as kept:
        found = kept.info()
    if json:
        print_json(found)
        return
    if found.schema is None:
        schema = "there is no store here yet"
    elif found.schema < found.known_schema:
        schema = f"{found.schema}; this dspx brings it to {found.known_schema} at its first use"
    else:
        schema = f"{found.schema}, up to date"
    print_facts(
        {"store": found.url, "schema": schema, **{name: f"{count:,}" for name, count in found.rows.items()}}
    )


@app.command("check")
def check(store: StoreOption = DEFAULT, json: JsonOption = False) -> None:
    """Look for lost records, runs that a crash left behind, and two programs in production.

    Exit code 0: all is well; 1: something is not.
    """
    with opened(store) as kept:
        problems = kept.check()
    if json:
        print_json({"ok": not problems, "problems": problems})
    else:
        for problem in problems:
            print_text(problem, "red")
        print_text(counted(len(problems), "problem") + "." if problems else "All is well.")
    raise typer.Exit(1 if problems else 0)
