"""A whole program, code included, in a folder: only on request, for reading one runs its code."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

from dspx.core.metadata import check_version, metadata
from dspx.errors import UsageError


def save_whole(program: Any, folder: Path, modules_to_serialize: Sequence[Any] | None) -> None:
    """Write the whole of `program`, code included, to a folder."""
    if folder.suffix:
        raise UsageError(f"save_program=True writes a folder; {folder} looks like a file.")
    cloudpickle = _cloudpickle()
    for module in modules_to_serialize or ():
        cloudpickle.register_pickle_by_value(module)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "program.pkl").write_bytes(cloudpickle.dumps(program))
    finally:
        for module in modules_to_serialize or ():
            cloudpickle.unregister_pickle_by_value(module)
    (folder / "metadata.json").write_bytes(orjson.dumps(metadata(), option=orjson.OPT_INDENT_2))


def load_program(path: str | Path, allow_pickle: bool = False) -> Any:
    """A whole program from a folder that `save(folder, save_program=True)` wrote.

    Loading runs code from the folder, so `allow_pickle=True` must say that you trust whoever wrote it.
    """
    folder = Path(path)
    if not allow_pickle:
        raise UsageError(
            f"Loading {folder} runs the code in it. If you trust it: dspx.load({str(path)!r}, allow_pickle=True). "
            "To keep and load state without code, use program.save('….json') and program.load('….json')."
        )
    if not (folder / "program.pkl").exists():
        raise FileNotFoundError(f"{folder} holds no saved program (no program.pkl in it).")
    written = orjson.loads((folder / "metadata.json").read_bytes())
    check_version(written, folder)
    return _cloudpickle().loads((folder / "program.pkl").read_bytes())


def _cloudpickle() -> Any:
    try:
        import cloudpickle  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise UsageError('Whole programs are kept by cloudpickle: pip install "dspx[pickle]".') from error
    return cloudpickle
