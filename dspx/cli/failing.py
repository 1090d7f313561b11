"""How a command fails: one line on stderr that says what happened, and exit code 2; the traceback on request."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import typer
from typer.core import TyperGroup

from dspx.errors import DSPxError, StoreError
from dspx.runtime.scope import Scoped
from dspx.store.masking import masked

FAILED = 2

_debug: Scoped[bool] = Scoped("dspx_cli_debug", False)


@contextmanager
def debugging(on: bool) -> Generator[None]:
    """Whether tracebacks are printed, for a block."""
    with _debug.using(on):
        yield


class Commands(TyperGroup):
    """A group of commands whose errors are said in a line."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise typer.Exit(0) from None
        except (DSPxError, OSError) as error:
            _say(error, bool(ctx.params.get("debug")))
            raise typer.Exit(FAILED) from error


def _say(error: Exception, debug: bool) -> None:
    if debug or _debug.get():
        print(masked("".join(traceback.format_exception(error))), file=sys.stderr)
    print(f"dspx: {masked(_text(error))}", file=sys.stderr)


def _text(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    text = str(error) or type(error).__name__
    return " ".join(text.split()) if isinstance(error, StoreError) else text
