"""`dspx sandbox`: install what the code sandbox needs, and show what is there."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Annotated, Any

import typer

from dspx.cli.printing import JsonOption, print_facts, print_json, print_text
from dspx.cli.state_views import flattened
from dspx.errors import UsageError

app = typer.Typer(help="The sandbox in which code written by models runs.", no_args_is_help=True)


@app.command("install")
def install(
    force: Annotated[bool, typer.Option("--force", help="Install again what is there.")] = False,
) -> None:
    """Fetch what the sandbox needs to run offline."""
    found = _part("install")(**({"force": True} if force else {}))
    print_text("The sandbox is installed." if found is None else str(found))


@app.command("info")
def info(json: JsonOption = False) -> None:
    """Show whether the sandbox can run here, and with what."""
    found = _part("info")()
    facts = found.to_json() if hasattr(found, "to_json") else found
    if json:
        print_json(facts)
    else:
        print_facts(dict(flattened(facts)) if isinstance(facts, dict) else {"sandbox": facts})


def _part(name: str) -> Any:
    """`install` or `info` of `dspx.sandbox.install`."""
    if find_spec("dspx.sandbox") is None or find_spec("dspx.sandbox.install") is None:
        raise UsageError("This dspx has no sandbox to install: the package dspx.sandbox is not there.")
    part = getattr(import_module("dspx.sandbox.install"), name, None)
    if part is None:
        raise UsageError(f"The sandbox of this dspx offers no {name!r}.")
    return part
