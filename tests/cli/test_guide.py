"""The guide says only what the command line knows."""

from __future__ import annotations

import shlex

import pytest

from tests.docs.page import ROOT, blocks

LINES = [
    line
    for page in ("command-line", "saving")
    for block in blocks((ROOT / "docs" / "guides" / f"{page}.md").read_text())
    if block.info[:1] == ("bash",)
    for line in block.text.splitlines()
    if line.startswith("dspx ")
]


@pytest.mark.parametrize("line", LINES)
def test_every_command_of_the_guide_is_one(line):
    typer = pytest.importorskip("typer")
    from dspx.cli.app import app

    words = shlex.split(line.partition("||")[0], comments=True)[1:]
    command = typer.main.get_command(app)
    context = command.make_context("dspx", [], resilient_parsing=True)
    while hasattr(command, "commands") and words and not words[0].startswith("-"):
        command = command.commands[words.pop(0)]
        context = command.make_context(command.name, list(words), resilient_parsing=True, parent=context)
    known = {option for parameter in command.get_params(context) for option in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= {*known, "--help"}
    arguments = [p for p in command.params if p.param_type_name == "argument" and p.required]
    assert all(context.params.get(argument.name) is not None for argument in arguments)
