"""A program's state as versioned JSON: what the leaves know, never code."""

from __future__ import annotations

import json
import logging
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from dspx.core.canonical import _plain
from dspx.core.ids import new_id
from dspx.errors import StateError, UsageError

FORMAT = 1
"""The version of the JSON layout. A newer one is refused, an older one is read."""

_METADATA = "metadata"

logger = logging.getLogger("dspx.state")


def save(
    program: Any, path: str | Path, save_program: bool, modules_to_serialize: Sequence[Any] | None
) -> None:
    """Write `program` to `path`: its state as JSON, or with `save_program` the whole of it to a folder."""
    path = Path(path)
    if save_program:
        return _save_whole(program, path, modules_to_serialize)
    if path.suffix == ".pkl":
        raise UsageError(f"State is saved as JSON: use {path.with_suffix('.json')} instead of {path}.")
    if path.suffix != ".json":
        raise UsageError(
            f"{path} must end in .json (state only); for the whole program, code included, give a folder "
            "and save_program=True."
        )
    state = program.dump_state()
    if _METADATA in state:
        raise UsageError(
            f"A predictor is called {_METADATA!r}, the name under which {path} keeps the versions; "
            "call the attribute something else."
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {**state, _METADATA: _metadata()}
    partial = path.with_name(f"{path.name}.{new_id()}.partial")
    partial.write_bytes(
        orjson.dumps(document, default=_plain, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    )
    partial.replace(path)  # a crash leaves the old file or the new one, never half of one


def load(program: Any, path: str | Path, allow_pickle: bool, allow_unsafe_lm_state: bool) -> None:
    """Read a state from a JSON file into `program`."""
    path = Path(path)
    if path.suffix != ".json":
        raise UsageError(
            f"{path} is not a .json state; a whole saved program is read by dspx.load(folder, allow_pickle=True)."
        )
    try:
        document = orjson.loads(path.read_bytes())
    except json.JSONDecodeError as error:
        raise StateError(f"{path} is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise StateError(f"{path} holds a {type(document).__name__}, not a program's state.")
    metadata = document.pop(_METADATA, {})
    _check_version(metadata, path)
    load_into(program, document, allow_unsafe_lm_state=allow_unsafe_lm_state)


def load_into(program: Any, state: Mapping[str, Any], *, allow_unsafe_lm_state: bool = False) -> None:
    """Give each leaf its saved state. Everything is checked before anything is changed."""
    if hasattr(program, "read_state") and "self" not in state:
        state = {"self": state}  # a leaf saved by itself is not filed under a name
    leaves = program.named_parameters()
    missing = [name for name, _ in leaves if name not in state]
    if missing:
        raise StateKeyError(
            f"The saved state has nothing for {missing}; it has {sorted(state)}. "
            "Load it into the program that it was saved from."
        )
    tools = [(name, tool) for name, tool in program.named_tools() if name in state]
    prepared = [
        (part, part.read_state(state[name], allow_unsafe_lm_state=allow_unsafe_lm_state))
        for name, part in [*leaves, *tools]
    ]
    for leaf, values in prepared:
        leaf.take_state(values)


class StateKeyError(StateError, KeyError):
    """A leaf of the program has no entry in the saved state."""

    __str__ = StateError.__str__


def _metadata() -> dict[str, Any]:
    from dspx.version import __version__

    return {
        "format": FORMAT,
        "dependency_versions": {"python": _python_version(), "dspx": __version__},
    }


def _check_version(metadata: Mapping[str, Any], path: Path) -> None:
    written = metadata.get("format", FORMAT)
    if isinstance(written, int) and written > FORMAT:
        raise StateError(
            f"{path} was written by a newer dspx (format {written}); this one reads up to {FORMAT}."
        )
    versions = metadata.get("dependency_versions", {})
    python = versions.get("python")
    if python is not None and python != _python_version():
        logger.info("%s was saved under Python %s; this is %s.", path, python, _python_version())


def _python_version() -> str:
    return ".".join(platform.python_version_tuple()[:2])


# ---------------------------------------------------------------- whole programs: code, so only on request


def _save_whole(program: Any, folder: Path, modules_to_serialize: Sequence[Any] | None) -> None:
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
    (folder / "metadata.json").write_bytes(orjson.dumps(_metadata(), option=orjson.OPT_INDENT_2))


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
    metadata = orjson.loads((folder / "metadata.json").read_bytes())
    _check_version(metadata, folder)
    return _cloudpickle().loads((folder / "program.pkl").read_bytes())


def _cloudpickle() -> Any:
    try:
        import cloudpickle  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise UsageError('Whole programs are kept by cloudpickle: pip install "dspx[pickle]".') from error
    return cloudpickle
