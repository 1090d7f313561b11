from __future__ import annotations

from types import ModuleType

from dspx.cli import sandbox


def test_where_there_is_no_sandbox_it_says_so(dspx_command, monkeypatch):
    monkeypatch.setattr(sandbox, "find_spec", lambda name: None)
    for command in ("install", "info"):
        failed = dspx_command("sandbox", command)
        assert (failed.code, "This dspx has no sandbox" in failed.err) == (2, True)


def test_where_there_is_one_its_own_functions_are_called(dspx_command, monkeypatch):
    part = ModuleType("dspx.sandbox.install")
    part.info = lambda: {"deno": "2.1", "ready": True}
    part.install = lambda force=False: f"installed, force={force}"
    monkeypatch.setattr(sandbox, "find_spec", lambda name: object())
    monkeypatch.setattr(sandbox, "import_module", lambda name: part)
    assert dspx_command("sandbox", "info").out == "deno   2.1\nready  yes\n"
    assert dspx_command("sandbox", "install", "--force").out == "installed, force=True\n"
    del part.info
    assert "offers no 'info'" in dspx_command("sandbox", "info").err
