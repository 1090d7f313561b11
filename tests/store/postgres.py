"""A PostgreSQL server of the tests' own: a new cluster on a free port, gone after the session."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

_IN_CI = bool(os.environ.get("CI"))
_STARTS_WITHIN = 30.0


@dataclass
class Server:
    """A running server, and a schema of its own for each test."""

    port: int
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def new_url(self) -> str:
        import psycopg

        schema = f"test_{next(self._numbers)}"
        with psycopg.connect(
            f"postgresql://dspx@127.0.0.1:{self.port}/postgres", autocommit=True
        ) as connection:
            connection.execute(f"CREATE SCHEMA {schema}")
        return f"postgresql+psycopg://dspx:secret@127.0.0.1:{self.port}/postgres?options=-csearch_path%3D{schema}"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """Skips with a reason where there is no PostgreSQL to be had; in CI that is a failure."""
    pytest.importorskip("psycopg")
    programs = _programs() or _installed()
    if programs is None:
        reason = "No PostgreSQL programs (initdb, postgres) found: install the package postgresql."
        pytest.fail(reason) if _IN_CI else pytest.skip(reason)
    folder = Path(tempfile.mkdtemp(prefix="dspx-pg-"))
    try:
        yield from _serving(programs, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _serving(programs: Path, folder: Path) -> Iterator[Server]:
    as_user = _as_user(folder)
    data, port = folder / "data", _free_port()
    subprocess.run(
        [
            programs / "initdb",
            "-D",
            data,
            "-U",
            "dspx",
            "--auth=trust",
            "--no-sync",
            "--encoding=UTF8",
            "--locale=C",
        ],
        check=True,
        capture_output=True,
        cwd=folder,
        **as_user,
    )
    settings = ["--listen_addresses=127.0.0.1", f"--unix_socket_directories={folder}", "--fsync=off"]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [*_stopping_with_us(), programs / "postgres", "-D", data, "-p", str(port), *settings],
            stdout=log,
            stderr=log,
            cwd=folder,
            **as_user,
        )
        try:
            _wait_for(server, port, folder / "log")
            yield Server(port)
        finally:
            server.send_signal(signal.SIGINT)  # a fast shutdown: it does not wait for clients
            try:
                server.wait(5)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def _programs() -> Path | None:
    """The folder with initdb and postgres: newest version of Debian's, or whatever is on the path."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
    on_path = shutil.which("initdb")
    places = [*reversed(versions), *([Path(os.path.realpath(on_path)).parent] if on_path else [])]
    return next(
        (place for place in places if (place / "initdb").exists() and (place / "postgres").exists()), None
    )


def _installed() -> Path | None:
    """The same after installing them, where that is ours to do."""
    if not (hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get")):
        return None
    quiet: dict[str, Any] = {
        "capture_output": True,
        "env": {**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
    }
    for command in (
        ["apt-get", "update"],
        ["apt-get", "install", "-y", "--no-install-recommends", "postgresql"],
    ):
        if subprocess.run(command, **quiet, check=False).returncode:
            return None
    return _programs()


def _as_user(folder: Path) -> dict[str, Any]:
    """PostgreSQL refuses to run as root: then it runs as its own user, who gets the folder."""
    if os.geteuid() != 0:
        return {}
    import pwd

    names = {entry.pw_name for entry in pwd.getpwall()}
    user = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
    os.chown(folder, user.pw_uid, user.pw_gid)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _stopping_with_us() -> list[str]:
    """What to put before a command so that a test run that is killed leaves no server behind."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "INT"] if setpriv else []


def _free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return server.getsockname()[1]


def _wait_for(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    import psycopg

    deadline = time.monotonic() + _STARTS_WITHIN
    while True:
        try:
            psycopg.connect(f"postgresql://dspx@127.0.0.1:{port}/postgres").close()
            return
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text()}") from None
            time.sleep(0.05)
