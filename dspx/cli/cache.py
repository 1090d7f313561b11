"""`dspx cache`: the answers of language models kept on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dspx.cache.disk import DiskCache
from dspx.cli.printing import JsonOption, print_facts, print_json, print_text

app = typer.Typer(help="The disk cache of answers.", no_args_is_help=True)

_Folder = Annotated[
    str | None,
    typer.Option("--dir", metavar="FOLDER", help="Left out: DSPX_CACHEDIR, or the user's cache folder."),
]


@app.command("info")
def info(folder: _Folder = None, json: JsonOption = False) -> None:
    """Show where the cache is, how many answers it holds, and how large it is."""
    cache = DiskCache(folder)
    entries, size = len(cache), _size(cache.directory)
    cache.close()
    if json:
        facts = {
            "directory": str(cache.directory),
            "entries": entries,
            "bytes": size,
            "limit": cache.size_limit,
        }
        print_json(facts)
        return
    print_facts(
        {
            "folder": str(cache.directory),
            "answers": f"{entries:,}",
            "size": f"{_megabytes(size)} of at most {_megabytes(cache.size_limit)}",
        }
    )


@app.command("clear")
def clear(
    folder: _Folder = None, yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False
) -> None:
    """Forget all answers. Programs that run now keep what is in their memory."""
    cache = DiskCache(folder)
    entries = len(cache)
    if not entries:
        print_text(f"{cache.directory} holds no answers.")
        return
    if not yes:
        typer.confirm(f"Forget {entries:,} answers in {cache.directory}?", abort=True, err=True)
    cache.clear()
    cache.close()
    print_text(f"{entries:,} answers forgotten.")


def _size(folder: Path) -> int:
    if not folder.is_dir():
        return 0
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
