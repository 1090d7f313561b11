"""Python in a sandbox: Pyodide under Deno, without files, network or environment unless granted."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from dspx.errors import SandboxError, UsageError
from dspx.runtime.bridge import in_thread
from dspx.sandbox.guest import Guest
from dspx.sandbox.install import Installation, allowed, deno_env, guest_folder, install
from dspx.sandbox.interpreter import Interpreter

_PAGES_PER_MEGABYTE = 16
_STACK = "--wasm-stack-switching-stack-size=8192"  # kilobytes; with less, deep nesting breaks Pyodide
_NO_EVAL = "--disallow-code-generation-from-strings"  # so that the code is Python, and never JavaScript
_LEAST_MEMORY = 64
_BESIDE_PYTHON = 2048  # megabytes that Deno may use besides, of which it reserves most and touches a tenth
_FILE_SECONDS = 60.0


class PythonInterpreter(Interpreter):
    """`PythonInterpreter().execute("1 + 1")`: code in WebAssembly, in a process that may do nothing.

    Args:
        deno_command: how to run Deno; found by itself otherwise.
        enable_read_paths: files (or folders of files) that the code finds as `/sandbox/<name>`.
        enable_write_paths: files that the code finds there and may change; the changes are written back.
        enable_env_vars: names of environment variables that the code may see.
        enable_network_access: hosts, as `example.com` or `127.0.0.1:8000`, that it may reach.
        sync_files: whether changes to `enable_write_paths` are written back after each success.
        tools: functions of yours that the code may call by name.
        output_fields: `{"name": …, "type": …}` of what `SUBMIT` takes; by default one `output`.
        timeout: seconds of its own that code may take; what tools take does not count. None for no bound.
        memory: megabytes that Python may use.
    """

    def __init__(
        self,
        deno_command: list[str] | None = None,
        enable_read_paths: Sequence[os.PathLike[str] | str] | None = None,
        enable_write_paths: Sequence[os.PathLike[str] | str] | None = None,
        enable_env_vars: Sequence[str] | None = None,
        enable_network_access: Sequence[str] | None = None,
        sync_files: bool = True,
        tools: Mapping[str, Callable[..., Any]] | None = None,
        output_fields: Sequence[Mapping[str, Any]] | None = None,
        callbacks: list[Any] | None = None,
        *,
        timeout: float | None = 60.0,
        memory: int = 512,
    ) -> None:
        super().__init__(tools, output_fields, callbacks, timeout)
        if memory < _LEAST_MEMORY:
            raise UsageError(f"memory={memory} MB is too little for Python; {_LEAST_MEMORY} is the least.")
        self.deno_command = tuple(deno_command) if deno_command else None
        self.enable_read_paths = [str(path) for path in enable_read_paths or ()]
        self.enable_write_paths = [str(path) for path in enable_write_paths or ()]
        self.enable_env_vars = list(enable_env_vars or ())
        self.enable_network_access = list(enable_network_access or ())
        self.sync_files = sync_files
        self.memory = memory
        self._writable: dict[str, Path] = {}

    async def _launch(self) -> Guest:
        installation = await in_thread(install, self.deno_command)
        mounts = await in_thread(self._mounts)
        return await in_thread(self._run_deno, installation, mounts)

    async def _ready(self, guest: Guest) -> None:
        for virtual, path in {**self._readable(), **self._writable}.items():
            await _ask(guest, "mount_file", {"host_path": str(path), "virtual_path": virtual})

    async def _succeeded(self, guest: Guest) -> None:
        if self.sync_files:
            for virtual, path in self._writable.items():
                await _ask(guest, "sync_file", {"host_path": str(path), "virtual_path": virtual})

    # ------------------------------------------------------------ files

    def _mounts(self) -> list[Path]:
        """Every file of the user's that Deno must read; those to be written are made where they are missing."""
        self._writable = {}
        for named in self.enable_write_paths:
            path = Path(named).expanduser()
            if path.is_dir():
                raise UsageError(f"enable_write_paths takes files, and {named} is a folder.")
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch()
            _mount(self._writable, path.name, path.resolve())
        return [*self._readable().values(), *self._writable.values()]

    def _readable(self) -> dict[str, Path]:
        mounted: dict[str, Path] = {}
        writable = set(self._writable.values())
        for named in self.enable_read_paths:
            path = Path(named).expanduser().resolve()
            if not path.exists():
                raise UsageError(f"enable_read_paths names {named}, which does not exist.")
            files = sorted(item for item in path.rglob("*") if item.is_file()) if path.is_dir() else [path]
            for file in files:
                if file not in writable:
                    _mount(mounted, str(Path(path.name) / file.relative_to(path)), file)
        if clash := mounted.keys() & self._writable.keys():
            raise UsageError(f"Two files would both be {min(clash)} in the sandbox; rename one.")
        return mounted

    # ------------------------------------------------------------ the process

    def _run_deno(self, installation: Installation, mounts: list[Path]) -> Guest:
        command = [*installation.deno, "run", *self._flags(installation, mounts)]
        config = {
            "pyodide": str(installation.pyodide),
            "snapshot": str(installation.snapshot) if installation.snapshot else None,
            "env": self.enable_env_vars,
            "net": self.enable_network_access,
        }
        granted = {name: os.environ[name] for name in self.enable_env_vars if name in os.environ}
        command += [str(guest_folder() / "main.js"), json.dumps(config)]
        return Guest(command, {**granted, **deno_env()}, data_limit=(self.memory + _BESIDE_PYTHON) << 20)

    def _flags(self, installation: Installation, mounts: list[Path]) -> list[str]:
        readable = [installation.pyodide, guest_folder(), *mounts]
        if installation.snapshot is not None:
            readable.append(installation.snapshot)
        flags = [
            f"--v8-flags=--wasm-max-mem-pages={self.memory * _PAGES_PER_MEGABYTE},{_STACK},{_NO_EVAL}",
            *("--no-config", "--no-lock", "--no-remote", "--no-npm", "--no-prompt"),
            "--unstable-worker-options",
            f"--allow-read={allowed(readable)}",
        ]
        if self._writable:
            flags.append(f"--allow-write={allowed(list(self._writable.values()))}")
        if self.enable_env_vars:
            flags.append(f"--allow-env={','.join(self.enable_env_vars)}")
        if self.enable_network_access:
            flags.append(f"--allow-net={','.join(self.enable_network_access)}")
        return flags


def _mount(mounted: dict[str, Path], name: str, path: Path) -> None:
    virtual = f"/sandbox/{Path(name).as_posix()}"
    if mounted.setdefault(virtual, path) != path:
        raise UsageError(f"{path} and {mounted[virtual]} would both be {virtual} in the sandbox; rename one.")


async def _ask(guest: Guest, method: str, params: dict[str, Any]) -> None:
    reply = await guest.request(method, params, seconds=_FILE_SECONDS)
    if "error" in reply:
        raise SandboxError(f"{method} of {params['host_path']} failed: {reply['error'].get('message')}")
