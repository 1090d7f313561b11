"""A progress line in the terminal or the notebook, drawn by tqdm.

`dspx.core.progress.show_progress_with(line)` makes it the one that evaluation and batches show.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any


class TqdmLine:
    """`advance` moves it; a text takes the place of the label. Outside a terminal or a notebook nothing is drawn."""

    def __init__(self, label: str, total: int) -> None:
        quiet = False if "ipykernel" in sys.modules else None  # None: tqdm looks whether this is a terminal
        self._bar: Any = _tqdm()(total=total, desc=label, dynamic_ncols=True, leave=True, disable=quiet)

    def advance(self, n: int = 1, text: str | None = None) -> None:
        if text is not None:
            self._bar.set_description_str(text, refresh=False)
        self._bar.update(n)

    def close(self) -> None:
        self._bar.close()


line = TqdmLine


def _tqdm() -> Any:
    """tqdm's bar; its notebook version only where the notebook can draw it, since it complains elsewhere."""
    in_notebook = "ipykernel" in sys.modules and "ipywidgets" in sys.modules
    return import_module("tqdm.notebook" if in_notebook else "tqdm").tqdm
