"""Deno and Pyodide: found, fetched once, checked against known hashes, and a snapshot made for fast starts.

Deno comes with `pip install "dspx[sandbox]"`. Pyodide is fetched by Deno from the npm registry on first use, or
beforehand by `install()`; where there is no network, put it somewhere and name the folder in DSPX_PYODIDE_DIR.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

from dspx.cache.disk import default_directory
from dspx.errors import SandboxStartError, UsageError
from dspx.runtime.locks import Lock
from dspx.runtime.processes import output_of

PYODIDE = "314.0.7"
FILES = {
    "pyodide.mjs": "6f1d60f7bf529beb300f0f47983c921d3982363640ba20af0e38efdddbc66109",
    "pyodide.asm.mjs": "f7cdc8ece80678ceb712f8e65ebe6d3a83203a180c399865f49612a051693635",
    "pyodide.asm.wasm": "cc36e3cab04fdfc9a63ff13eb52eae2b911bf46c025cc7b281f394bd3de1d5e6",
    "python_stdlib.zip": "fa1957e5777068fc4f7437f96d860ae2fbe9c19732ba06c84e004ec16dd7dd7a",
    "pyodide-lock.json": "5dc2fc119108bc148c7457dc86e7675b5c87e1cafd420b9c34c1eaef7b36c010",
    "package.json": "40ca48e43ce4ddc68412d5b7a7ca9e2477cd4f0e672277ae468ac2245717079b",
}
"""The files of Pyodide that are used, by sha256."""

_DENO = ((2, 4), (3, 0))
_PLAIN_FLAGS = ("--no-config", "--no-lock", "--no-prompt")
_lock = Lock()


@dataclass(frozen=True, slots=True)
class Installation:
    """What a sandbox starts from. `snapshot` is None where none could be made: starts then take some seconds."""

    deno: tuple[str, ...]
    pyodide: Path
    snapshot: Path | None

    def __str__(self) -> str:
        start = "a snapshot" if self.snapshot else "no snapshot, so starts are slow"
        return (
            f"The sandbox is installed: Deno {deno_version(self.deno)}, Pyodide in {self.pyodide}, {start}."
        )


def install(deno_command: tuple[str, ...] | None = None, *, force: bool = False) -> Installation:
    """Find Deno, fetch Pyodide and make the snapshot, as far as that has not been done; with `force`, all of it again.

    `SandboxStartError` says what is missing. Safe to call from several threads and processes at once.
    """
    with _lock:
        if force:
            shutil.rmtree(folder(), ignore_errors=True)
        deno = deno_command or find_deno()
        version = deno_version(deno)
        pyodide = _given_pyodide() or _fetched_pyodide(deno)
        return Installation(deno, pyodide, _snapshot(deno, version, pyodide))


def info() -> dict[str, Any]:
    """Whether the sandbox can run here, and with what. Nothing is fetched or made."""
    found: dict[str, Any] = {"folder": str(folder())}
    try:
        deno = find_deno()
        found |= {"deno": deno[0], "deno_version": deno_version(deno)}
        pyodide = _given_pyodide() or folder() / f"pyodide-{PYODIDE}"
    except SandboxStartError as error:
        return {**found, "ready": False, "problem": str(error)}
    ready = all((pyodide / name).is_file() for name in FILES)
    return {**found, "pyodide": PYODIDE, "snapshot": any(folder().glob("snapshot-*.bin")), "ready": ready}


def folder() -> Path:
    """Where Pyodide, snapshots and Deno's own cache are kept: $DSPX_SANDBOX_DIR, or `sandbox` in dspx's cache directory."""
    named = os.environ.get("DSPX_SANDBOX_DIR")
    return Path(named).expanduser() if named else default_directory() / "sandbox"


@lru_cache(maxsize=1)
def guest_folder() -> Path:
    """The guest's own files: beside this one in an installed dspx, at the top of a checkout."""
    for candidate in (Path(__file__).parent / "guest_files", Path(__file__).parents[2] / "sandbox"):
        if (candidate / "main.js").is_file():
            return candidate.resolve()
    raise SandboxStartError("The guest's files are missing from this installation of dspx; install it again.")


def find_deno() -> tuple[str, ...]:
    """Deno: $DSPX_DENO, the one that came with `dspx[sandbox]`, or the one on the PATH."""
    if named := os.environ.get("DSPX_DENO"):
        return (named,)
    try:
        return (import_module("deno").find_deno_bin(),)
    except (ImportError, OSError):
        pass
    if found := shutil.which("deno"):
        return (found,)
    raise SandboxStartError(
        'The sandbox needs Deno: pip install "dspx[sandbox]", or put `deno` on the PATH, or name it in DSPX_DENO.'
    )


@lru_cache(maxsize=8)
def deno_version(deno: tuple[str, ...]) -> str:
    """The version of this Deno. `SandboxStartError` where it is one that the guest does not run on."""
    try:
        said = output_of([*deno, "--version"], env=deno_env(), seconds=30)
    except OSError as error:
        raise SandboxStartError(f"Deno could not be run: {error}") from error
    found = re.search(r"deno (\d+)\.(\d+)\.(\S+)", said)
    if found is None or not _DENO[0] <= (int(found[1]), int(found[2])) < _DENO[1]:
        raise SandboxStartError(
            f"The sandbox needs Deno 2.4 or newer, and older than 3; {deno[0]} is: {said[:100]}"
        )
    return f"{found[1]}.{found[2]}.{found[3]}"


def deno_env() -> dict[str, str]:
    """The environment of Deno: nothing of the user's but what a program needs to run."""
    kept = ("PATH", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR", "LD_LIBRARY_PATH")
    inherited = {name: os.environ[name] for name in kept if name in os.environ}
    return {**inherited, "DENO_DIR": str(folder() / "deno"), "DENO_NO_PACKAGE_JSON": "1", "NO_COLOR": "1"}


def allowed(paths: Sequence[Path]) -> str:
    """Paths as one of Deno's permission flags takes them. `UsageError` for one that they cannot say."""
    for path in paths:
        if "," in str(path):
            raise UsageError(f"{path} has a comma in it, and Deno cannot be granted such a path; rename it.")
    return ",".join(str(path) for path in paths)


# ---------------------------------------------------------------- Pyodide


def _given_pyodide() -> Path | None:
    named = os.environ.get("DSPX_PYODIDE_DIR")
    if not named:
        return None
    given = Path(named).expanduser().resolve()
    missing = [name for name in FILES if not (given / name).is_file()]
    if missing:
        raise SandboxStartError(f"DSPX_PYODIDE_DIR={given} lacks {', '.join(missing)} of Pyodide {PYODIDE}.")
    return given


def _fetched_pyodide(deno: tuple[str, ...]) -> Path:
    kept = folder() / f"pyodide-{PYODIDE}"
    if all((kept / name).is_file() for name in FILES):
        return kept.resolve()
    fetching = folder() / f"fetching-{secrets.token_hex(8)}"
    try:
        fetching.mkdir(parents=True)
        _fetch(deno, fetching)
        _move(fetching / "ready", kept)
    except OSError as error:
        raise SandboxStartError(
            f"Pyodide {PYODIDE} could not be fetched into {folder()}: {error}\n"
            "Where the npm registry cannot be reached, put Pyodide's files in a folder and name it in DSPX_PYODIDE_DIR."
        ) from error
    finally:
        shutil.rmtree(fetching, ignore_errors=True)
    return kept.resolve()


def _fetch(deno: tuple[str, ...], into: Path) -> None:
    """Have Deno fetch the package, and keep the files that are used, each the one that it should be."""
    env = {**os.environ, **deno_env(), "DENO_DIR": str(into / "deno")}
    command = [*deno, "cache", *_PLAIN_FLAGS[:2], "--node-modules-dir=none", f"npm:pyodide@{PYODIDE}"]
    output_of(command, env=env, seconds=300)
    found = next((into / "deno" / "npm").glob(f"*/pyodide/{PYODIDE}"), None)
    if found is None:
        raise OSError(f"Deno fetched no pyodide {PYODIDE}")
    ready = into / "ready"
    ready.mkdir()
    for name, expected in FILES.items():
        shutil.copyfile(found / name, ready / name)
        if (actual := _sha256(ready / name)) != expected:
            raise OSError(f"{name} is not that of Pyodide {PYODIDE}: its sha256 is {actual}")


def _move(made: Path, to: Path) -> None:
    """Put it in its place at once, unless another process was faster."""
    try:
        made.rename(to)
    except OSError:
        if not all((to / name).is_file() for name in FILES):
            shutil.rmtree(to, ignore_errors=True)
            made.rename(to)


# ---------------------------------------------------------------- the snapshot


def _snapshot(deno: tuple[str, ...], version: str, pyodide: Path) -> Path | None:
    """The snapshot for exactly these files and this Deno, made where it is missing or damaged."""
    key = _snapshot_key(version, pyodide)
    snapshot, record = folder() / f"snapshot-{key}.bin", folder() / f"snapshot-{key}.json"
    if _is_whole(snapshot, record):
        return snapshot.resolve()
    making = folder() / f"making-{secrets.token_hex(8)}.bin"
    try:
        folder().mkdir(parents=True, exist_ok=True)
        _make_snapshot(deno, pyodide, making)
        text = json.dumps({"sha256": _sha256(making), "pyodide": PYODIDE, "deno": version})
        making.replace(snapshot)
        written = making.with_suffix(".json")
        written.write_text(text, encoding="utf-8")
        written.replace(record)
    except OSError:
        return None  # a plain start works too
    finally:
        making.unlink(missing_ok=True)
    return snapshot.resolve()


def _make_snapshot(deno: tuple[str, ...], pyodide: Path, out: Path) -> None:
    guest = guest_folder()
    command = [*deno, "run", *_PLAIN_FLAGS, "--no-remote", "--no-npm"]
    command += [f"--allow-read={allowed([pyodide, guest])}", f"--allow-write={allowed([out.resolve()])}"]
    output_of(
        [*command, str(guest / "snapshot.js"), str(pyodide), str(out.resolve())], env=deno_env(), seconds=300
    )
    if out.stat().st_size == 0:
        raise OSError("the snapshot is empty")


def _snapshot_key(version: str, pyodide: Path) -> str:
    files = [guest_folder() / name for name in ("session.py", "pyodide.js", "snapshot.js")]
    files += [pyodide / name for name in ("pyodide.asm.wasm", "pyodide.asm.mjs", "python_stdlib.zip")]
    parts = [version, *(_remembered_sha256(path) for path in files)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:24]


def _is_whole(snapshot: Path, record: Path) -> bool:
    try:
        expected = json.loads(record.read_text(encoding="utf-8"))["sha256"]
        return _remembered_sha256(snapshot) == expected
    except (OSError, ValueError, KeyError):
        return False


def _remembered_sha256(path: Path) -> str:
    """Hashed once per process, unless the file has changed."""
    stat = path.stat()
    return _sha256_as_of(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=64)
def _sha256_as_of(path: Path, changed: int, size: int) -> str:
    return _sha256(path)


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
