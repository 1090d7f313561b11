"""A program's state as versioned JSON: what the leaves know, never code."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson

from dspx.core.canonical import _plain
from dspx.core.fitting import Difference, fit_leaves, fitted_state
from dspx.core.ids import new_id
from dspx.core.metadata import check_version, fingerprint_of, metadata_of
from dspx.core.secret_names import without_secrets
from dspx.core.whole_program import save_whole
from dspx.errors import StateError, UsageError

METADATA = "metadata"
"""The name under which a file keeps what it says about itself, beside the leaves."""

_NAMED = 2
"""From this format on, a state names its fields and their types."""

logger = logging.getLogger("dspx.state")


class StateKeyError(StateError, KeyError):
    """A leaf of the program has no entry in the saved state."""

    __str__ = StateError.__str__


@dataclass(frozen=True)
class SavedState:
    """A saved program as data: its leaves' states by path, and what the file says about itself."""

    leaves: Mapping[str, Any]
    metadata: Mapping[str, Any]

    @property
    def provenance(self) -> Mapping[str, Any] | None:
        """Where it came from, as far as somebody wrote it down."""
        found = self.metadata.get("provenance")
        return found if isinstance(found, Mapping) else None


# ---------------------------------------------------------------- files


def save(
    program: Any, path: str | Path, save_program: bool, modules_to_serialize: Sequence[Any] | None
) -> None:
    """Write `program` to `path`: its state as JSON, or with `save_program` the whole of it to a folder."""
    path = Path(path)
    if save_program:
        return save_whole(program, path, modules_to_serialize)
    if path.suffix == ".pkl":
        raise UsageError(f"State is saved as JSON: use {path.with_suffix('.json')} instead of {path}.")
    if path.suffix != ".json":
        raise UsageError(
            f"{path} must end in .json (state only); for the whole program, code included, give a folder "
            "and save_program=True."
        )
    state = _plain_state(program, path)
    provenance = getattr(program, "provenance", None)
    about = metadata_of(_by_leaf(state), provenance if isinstance(provenance, Mapping) else None)
    _write(path, _encoded({**state, METADATA: about}, path))


def load(
    program: Any, path: str | Path, allow_pickle: bool, allow_unsafe_lm_state: bool, strict: bool = True
) -> None:
    """Read a state from a JSON file into `program`."""
    path = Path(path)
    if path.suffix != ".json":
        raise UsageError(
            f"{path} is not a .json state; a whole saved program is read by dspx.load(folder, allow_pickle=True)."
        )
    _fill(program, read(path), str(path), allow_unsafe_lm_state, strict)


def read(path: str | Path) -> SavedState:
    """A saved program as data, of any format that this dspx knows. `StateError` where the file is none."""
    try:
        document = orjson.loads(Path(path).read_bytes())
    except json.JSONDecodeError as error:
        raise StateError(f"{path} is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise StateError(f"{path} holds a {type(document).__name__}, not a program's state.")
    return saved_state(document, path)


def saved_state(document: Mapping[str, Any], where: str | Path = "The saved state") -> SavedState:
    """What `dump_state` or a file's JSON says, taken apart."""
    about = document.get(METADATA)
    if _is_leaf(about):  # dumped, not saved: a file has no leaf of this name
        about = None
    if about is not None and not isinstance(about, Mapping):
        raise StateError(f"{where} has {about!r:.80} for its {METADATA}, and that is none.")
    check_version(about or {}, where)
    leaves = {name: leaf for name, leaf in document.items() if about is None or name != METADATA}
    return SavedState(_by_leaf(leaves), about or {})


def fingerprint(program: Any) -> str:
    """What identifies a program's values: equal for two programs whose saved states would be equal."""
    return fingerprint_of(_by_leaf(_plain_state(program)))


# ---------------------------------------------------------------- into a program


def load_into(
    program: Any, state: Mapping[str, Any], *, allow_unsafe_lm_state: bool = False, strict: bool = True
) -> None:
    """Give each leaf its saved state. Everything is checked before anything is changed."""
    _fill(program, saved_state(state), "The saved state", allow_unsafe_lm_state, strict)


def _fill(program: Any, saved: SavedState, where: str, allow_unsafe_lm_state: bool, strict: bool) -> None:
    tools = {name: tool for name, tool in program.named_tools() if name in saved.leaves}
    leaves = {**dict(program.named_parameters()), **tools}  # a tool's texts are saved where they were tuned
    own = {name: leaf.dump_state() for name, leaf in leaves.items()}
    if list(leaves) == ["self"] and "self" not in saved.leaves:
        saved = replace(saved, leaves={"self": saved.leaves})
    differences: list[Difference] = []
    for difference in fit_leaves(saved.leaves, own):
        if difference.missing or saved.metadata.get("format", 1) >= _NAMED:
            differences.append(difference)
        else:
            logger.warning("%s: %s", where, difference)
    prepared: list[tuple[Any, dict[str, Any]]] = []
    for name, leaf in leaves.items():
        if name in saved.leaves:
            state, unlike = _fitted(name, saved.leaves[name], own[name], where)
            values, unread = _values(name, leaf, state, allow_unsafe_lm_state)
            differences += [*unlike, *unread]
            if values is not None:
                prepared.append((leaf, values))
    _tell(program, differences, where, strict)
    for leaf, values in prepared:
        leaf.take_state(values)
    _take_provenance(program, saved)


def _fitted(
    name: str, saved: Any, own: Mapping[str, Any], where: str
) -> tuple[dict[str, Any] | None, list[Difference]]:
    """A leaf's saved state as far as it fits, and what does not."""
    if not isinstance(saved, Mapping):
        return None, [Difference(name, f"what is saved for it is no leaf's state, but {saved!r:.80}")]
    try:
        state, fit = fitted_state(saved, own)
    except (KeyError, TypeError, AttributeError) as error:
        return None, [Difference(name, f"its saved fields cannot be read: {error!r}")]
    for assumed in fit.assumed:
        logger.warning("%s: %s: %s.", where, name, assumed)
    return state, [Difference(name, problem) for problem in fit.problems]


def _values(
    name: str, leaf: Any, state: dict[str, Any] | None, allow_unsafe_lm_state: bool
) -> tuple[dict[str, Any] | None, list[Difference]]:
    """The attributes that a leaf's state stands for; without its LM where only that is refused."""
    differences: list[Difference] = []
    if state is None:
        return None, differences
    for attempt in (state, {**state, "lm": None}):
        try:
            return leaf.read_state(attempt, allow_unsafe_lm_state=allow_unsafe_lm_state), differences
        except StateError as error:
            differences.append(Difference(name, str(error)))
        except (KeyError, TypeError, AttributeError) as error:
            differences.append(Difference(name, f"its saved state cannot be read: {error!r}"))
            break
        if state.get("lm") is None:
            break
    return None, differences


def _tell(program: Any, differences: Sequence[Difference], where: str, strict: bool) -> None:
    if not differences:
        return
    count = "1 difference" if len(differences) == 1 else f"{len(differences)} differences"
    listed = "".join(f"\n  {difference}" for difference in differences)
    text = f"{where} does not fit this {type(program).__name__}, {count}:{listed}"
    if not strict:
        logger.warning("%s\nThe rest was loaded.", text)
        return
    kind = StateKeyError if any(difference.missing for difference in differences) else StateError
    raise kind(f"{text}\nLoad it into the program that it was saved from, or with strict=False what fits.")


def _take_provenance(program: Any, saved: SavedState) -> None:
    before = getattr(program, "provenance", None)
    if saved.provenance is not None or isinstance(before, Mapping):
        program.provenance = None if saved.provenance is None else dict(saved.provenance)


# ---------------------------------------------------------------- as JSON


def _plain_state(program: Any, path: Path | None = None) -> dict[str, Any]:
    """The program's state as it will be read back, without secrets."""
    try:
        state = program.dump_state()
    except TypeError as error:
        raise _unsaveable(error, path) from error
    if METADATA in state:
        raise UsageError(
            f"A predictor is called {METADATA!r}, the name under which {path or 'a file'} keeps the versions; "
            "call the attribute something else."
        )
    plain: dict[str, Any] = orjson.loads(_encoded(state, path))
    for leaf in [plain] if _is_leaf(plain) else plain.values():
        if isinstance(leaf, dict):
            leaf.update({part: without_secrets(leaf[part]) for part in ("lm", "config") if leaf.get(part)})
    return plain


def _encoded(document: Mapping[str, Any], path: Path | None) -> bytes:
    options = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS
    try:
        return orjson.dumps(document, default=_plain, option=options | orjson.OPT_SERIALIZE_NUMPY)
    except TypeError as error:
        raise _unsaveable(error, path) from error


def _unsaveable(error: TypeError, path: Path | None) -> StateError:
    reason = error.__cause__ or error
    return StateError(f"{path or 'The program'} cannot be saved: something in it has no JSON form: {reason}")


def _write(path: Path, text: bytes) -> None:
    """A crash leaves the old file or the new one, never half of one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    target = Path(os.path.realpath(path))  # a link stays one
    partial = target.with_name(f"{target.name}.{new_id()}.partial")
    try:
        with partial.open("wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def _by_leaf(state: Mapping[str, Any]) -> Mapping[str, Any]:
    """A leaf saved by itself is not filed under a name: then it is `self`."""
    return {"self": dict(state)} if _is_leaf(state) else dict(state)


def _is_leaf(state: Any) -> bool:
    signature = state.get("signature") if isinstance(state, Mapping) else None
    return isinstance(signature, Mapping) and "fields" in signature
