"""Finding and fetching what the sandbox needs, and saying what is missing."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from dspx.errors import SandboxStartError, UsageError
from dspx.sandbox import PythonInterpreter, install
from dspx.sandbox.install import FILES, Installation


def test_a_folder_of_pyodide_can_be_given(
    installation: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = tmp_path / "pyodide"
    shutil.copytree(installation.pyodide, given)
    monkeypatch.setenv("DSPX_PYODIDE_DIR", str(given))
    assert install.install().pyodide == given
    (given / "python_stdlib.zip").unlink()
    with pytest.raises(SandboxStartError, match=r"lacks python_stdlib\.zip"):
        install.install()


def test_a_damaged_snapshot_is_made_again(
    installation: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DSPX_SANDBOX_DIR", str(tmp_path / "sandbox"))
    monkeypatch.setenv("DSPX_PYODIDE_DIR", str(installation.pyodide))
    made: list[Path] = []

    def make(deno: object, pyodide: object, out: Path) -> None:
        made.append(out)
        out.write_bytes(b"snapshot")

    monkeypatch.setattr(install, "_make_snapshot", make)
    snapshot = install.install().snapshot
    assert snapshot is not None
    assert install.install().snapshot == snapshot
    assert len(made) == 1
    snapshot.write_bytes(b"snapsh")
    install.install()
    assert len(made) == 2
    assert snapshot.read_bytes() == b"snapshot"


def test_without_a_snapshot_it_starts_all_the_same(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = Installation(installation.deno, installation.pyodide, None)
    monkeypatch.setattr("dspx.sandbox.python_interpreter.install", lambda deno: plain)
    with PythonInterpreter() as sandbox:
        assert sandbox._guest is not None
        assert not sandbox._guest.from_snapshot
        assert sandbox.execute("import re, random\n1 + 1") == 2


def test_a_snapshot_that_pyodide_refuses_costs_only_time(
    installation: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bad.bin").write_bytes(b"no snapshot at all")
    bad = Installation(installation.deno, installation.pyodide, tmp_path / "bad.bin")
    monkeypatch.setattr("dspx.sandbox.python_interpreter.install", lambda deno: bad)
    with PythonInterpreter() as sandbox:
        assert sandbox.execute("1 + 1") == 2


def test_it_starts_from_the_snapshot(installation: Installation) -> None:
    if installation.snapshot is None:
        pytest.fail("no snapshot could be made")
    with PythonInterpreter() as sandbox:
        assert sandbox._guest is not None
        assert sandbox._guest.from_snapshot


def test_files_that_are_not_pyodides_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DSPX_SANDBOX_DIR", str(tmp_path / "sandbox"))
    monkeypatch.delenv("DSPX_PYODIDE_DIR", raising=False)

    def fetched(command: object, *, env: dict[str, str], seconds: float) -> str:
        package = Path(env["DENO_DIR"]) / "npm" / "registry" / "pyodide" / install.PYODIDE
        package.mkdir(parents=True)
        for name in FILES:
            (package / name).write_bytes(b"something else")
        return ""

    monkeypatch.setattr(install, "output_of", fetched)
    with pytest.raises(SandboxStartError, match=r"is not that of Pyodide.*(?s:.*)DSPX_PYODIDE_DIR"):
        install._fetched_pyodide(("deno",))
    assert list((tmp_path / "sandbox").iterdir()) == []


@pytest.mark.parametrize("said", ["deno 1.46.3 (stable)", "deno 2.3.9", "deno 3.0.0", "something else"])
def test_a_deno_of_another_age_is_refused(monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    monkeypatch.setattr(install, "output_of", lambda *_, **__: said)
    install.deno_version.cache_clear()
    with pytest.raises(SandboxStartError, match=r"2\.4 or newer"):
        install.deno_version(("deno", said))
    install.deno_version.cache_clear()


def test_a_deno_can_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DSPX_DENO", "/opt/deno")
    assert install.find_deno() == ("/opt/deno",)


def test_without_deno_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DSPX_DENO", raising=False)
    monkeypatch.setattr(install, "import_module", lambda name: (_ for _ in ()).throw(ImportError(name)))
    monkeypatch.setattr(install.shutil, "which", lambda name: None)
    with pytest.raises(SandboxStartError, match=r'pip install "dspx\[sandbox\]"'):
        install.find_deno()


def test_a_path_that_a_permission_cannot_say_is_refused() -> None:
    with pytest.raises(UsageError, match="comma"):
        install.allowed([Path("/a,b")])


def test_the_hashes_are_those_of_what_is_used(installation: Installation) -> None:
    for name, expected in FILES.items():
        assert hashlib.sha256((installation.pyodide / name).read_bytes()).hexdigest() == expected


def test_info_says_what_is_there_and_fetches_nothing(
    installation: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert install.info()["ready"] is True
    assert str(installation).startswith("The sandbox is installed: Deno 2.")
    monkeypatch.delenv("DSPX_PYODIDE_DIR", raising=False)
    monkeypatch.setenv("DSPX_SANDBOX_DIR", str(tmp_path / "empty"))
    told = install.info()
    assert (told["ready"], told["snapshot"]) == (False, False)
    monkeypatch.setattr(install, "find_deno", lambda: (_ for _ in ()).throw(SandboxStartError("no Deno")))
    assert install.info()["problem"] == "no Deno"
    assert not (tmp_path / "empty" / f"pyodide-{install.PYODIDE}").exists()


def test_force_fetches_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DSPX_SANDBOX_DIR", str(tmp_path))
    (tmp_path / "left").touch()
    monkeypatch.setattr(install, "find_deno", lambda: ("deno",))
    monkeypatch.setattr(install, "deno_version", lambda deno: "2.9.8")
    monkeypatch.setattr(install, "_fetched_pyodide", lambda deno: tmp_path)
    monkeypatch.setattr(install, "_snapshot", lambda *_: None)
    monkeypatch.delenv("DSPX_PYODIDE_DIR", raising=False)
    assert "no snapshot" in str(install.install())
    assert (tmp_path / "left").exists()
    install.install(force=True)
    assert not (tmp_path / "left").exists()
