"""Which store a command reads: `--store URL`, else `DSPX_STORE`, else dspx.db in this folder."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Annotated

import typer

from dspx.errors import StoreError
from dspx.store import Store
from dspx.store.masking import masked

DEFAULT = "sqlite:///dspx.db"

StoreOption = Annotated[
    str,
    typer.Option(
        "--store",
        metavar="URL",
        envvar="DSPX_STORE",
        help="The store: sqlite:///dspx.db, postgresql+psycopg://user:password@host/database.",
    ),
]


@contextmanager
def opened(url: str, *, create: bool = False) -> Generator[Store]:
    """The store at `url`. `StoreError` where there is none, and none is made, unless `create` says so."""
    with Store(url) as store:
        if not create and store.info().schema is None:
            raise StoreError(
                f"There is no store at {masked(url)}. Name one with --store URL or DSPX_STORE; "
                "a program makes one when it is given store=."
            )
        yield store
