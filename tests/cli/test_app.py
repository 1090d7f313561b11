from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dspx.store import Store
from dspx.version import __version__
from tests.cli.filling import fill

ROOT = Path(__file__).parents[2]


def spawned(*arguments: str, code: str = "from dspx.cli import main; main()", **options):
    environment = {k: v for k, v in os.environ.items() if k not in ("DSPX_STORE", "COLUMNS")}
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=options.pop("cwd", ROOT),
        env={**environment, "PYTHONPATH": str(ROOT), **options},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_version_is_printed(dspx_command):
    assert dspx_command("--version").out == f"dspx {__version__}\n"


def test_every_command_has_a_help_text(dspx_command):
    for group in ("runs", "programs", "executions", "datasets", "store", "sandbox", "cache"):
        shown = dspx_command(group, "--help")
        assert shown.code == 0
        commands = shown.out.partition("Commands:\n")[2].splitlines()
        assert commands
        assert all(len(line.split(None, 1)) == 2 for line in commands)


def test_a_wrong_command_line_exits_with_2(dspx_command):
    assert dspx_command("runs", "list", "--kind", "party").code == 2
    assert dspx_command("nothing").code == 2


def test_an_error_is_a_line_and_debug_anywhere_shows_the_traceback(tmp_path):
    plain = spawned("runs", "list", cwd=tmp_path)
    assert (plain.returncode, plain.stdout, plain.stderr.count("\n")) == (2, "", 1)
    traced = spawned("runs", "list", "--debug", cwd=tmp_path)
    assert traced.returncode == 2
    assert "Traceback" in traced.stderr
    assert traced.stderr.endswith(plain.stderr)


def test_no_password_is_shown_not_even_in_a_traceback(tmp_path):
    url = "postgresql+psycopg://me:hunter2-secret@127.0.0.1:1/shop"
    for extra in ([], ["--debug"]):
        failed = spawned("runs", "list", *extra, DSPX_STORE=url)
        assert failed.returncode == 2
        assert "hunter2" not in failed.stderr + failed.stdout
        assert "me:***@127.0.0.1" in failed.stderr
    assert "hunter2" not in spawned("runs", "list", "--help", DSPX_STORE=url).stdout


def test_a_reader_that_goes_early_is_no_failure(tmp_path):
    with Store(f"sqlite:///{tmp_path}/dspx.db") as store:
        fill(store)
    script = f"{sys.executable} -c 'from dspx.cli import main; main()' runs list | head -1; echo ${{PIPESTATUS[0]}}"
    ended = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stderr == ""
    assert ended.stdout.splitlines()[-1] == "0"


@pytest.mark.parametrize("missing", ["typer", "rich"])
def test_without_the_extra_the_command_names_it(missing):
    code = f"import sys; sys.modules['{missing}'] = None; from dspx.cli import main; main()"
    failed = spawned("--version", code=code)
    assert (failed.returncode, failed.stdout) == (2, "")
    assert failed.stderr == f'dspx: the command line needs {missing}: pip install "dspx[cli]"\n'


def test_the_library_does_not_load_the_command_line():
    code = "import sys, dspx; dspx.Predict('a -> b'); print('typer' in sys.modules or 'rich' in sys.modules)"
    assert spawned(code=code).stdout == "False\n"
