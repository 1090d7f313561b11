from __future__ import annotations

import json
from pathlib import Path

import pytest

import dspx
from tests.cli.filling import program

GOLDEN = Path(__file__).parents[1] / "golden" / "state"


@pytest.fixture
def two(tmp_path):
    """Two saved programs, the second one tuned."""
    before, after = program(demos=1), program("Sort the message.\nThink of who will read it.", demos=2)
    after.predict.demos[0] = dspx.Example(message="Invoice 0 is wrong.", reasoning="Money.", label="billing")
    after.predict.lm = dspx.LM("openai/gpt-4o-mini", temperature=0.2, api_key="sk-never-shown")
    after.provenance = {"optimizer": "MIPROv2", "gain": {"points": 12.5, "ci95": [3, 21]}}
    before.save(tmp_path / "a.json")
    after.save(tmp_path / "b.json")
    return str(tmp_path / "a.json"), str(tmp_path / "b.json")


def test_the_same_program_twice_is_no_difference(dspx_command, two):
    diff = dspx_command("diff", two[0], two[0])
    assert (diff.code, diff.out) == (0, "No difference.\n")
    assert dspx_command("diff", two[0], two[0], "--json").json["same"] is True


def test_a_difference_is_shown_by_leaf_and_exits_with_1(dspx_command, two):
    diff = dspx_command("diff", *two)
    assert diff.code == 1
    lines = diff.out.splitlines()
    assert "+Think of who will read it." in lines
    assert "-Sort the message." not in lines
    assert '+ {"message":"Invoice 1 is wrong.","reasoning":"It is about money.","label":"billing"}' in lines
    assert "  - reasoning: It is about money." in lines
    assert "  + reasoning: Money." in lines
    assert "+ model: openai/gpt-4o-mini" in lines
    assert "+ gain.points: 12.5" in lines
    assert "sk-never-shown" not in diff.out


def test_a_difference_is_json_too(dspx_command, two):
    diff = dspx_command("diff", *two, "--json")
    assert diff.code == 1
    leaf = diff.json["leaves"]["predict"]
    assert len(leaf["demos"]["added"]) == 1
    assert leaf["demos"]["changed"][0]["after"]["reasoning"] == "Money."
    assert leaf["lm"]["temperature"] == {"before": None, "after": 0.2}
    assert diff.json["same_program"] is False


def test_fields_and_leaves_that_came_or_went_are_shown(dspx_command, tmp_path):
    class Desk(dspx.Module):
        def __init__(self, text, extra):
            self.sort = dspx.Predict(text)
            if extra:
                self.reply = dspx.Predict("message -> reply")

    Desk("message -> label", False).save(tmp_path / "a.json")
    Desk("message -> label: list[str]", True).save(tmp_path / "b.json")
    diff = dspx_command("diff", str(tmp_path / "a.json"), str(tmp_path / "b.json"))
    assert diff.code == 1
    assert "+ leaf reply" in diff.out
    assert "- label.type: str" in diff.out
    assert "+ label.type: list[str]" in diff.out


def test_a_program_that_dspy_saved_is_shown_and_compared(dspx_command, tmp_path):
    shown = dspx_command("show", str(GOLDEN / "two_modules.json")).out
    assert "DSPy's" in shown
    assert "answer.predict" in shown
    assert "Answer the question." in shown
    ours = dspx.ChainOfThought("question -> answer")
    ours.save(tmp_path / "ours.json")
    diff = dspx_command("diff", str(GOLDEN / "chain_of_thought.json"), str(tmp_path / "ours.json"))
    assert (diff.code, diff.out) == (0, "No difference.\n")


def test_a_program_is_shown_with_where_it_came_from(dspx_command, two):
    shown = dspx_command("show", two[1]).out
    assert "optimizer    MIPROv2" in shown
    assert "gain.points  12.5" in shown
    assert "lm            openai/gpt-4o-mini (temperature 0.2)" in shown
    assert "changed by hand" not in shown
    document = json.loads(Path(two[1]).read_text())
    document["predict"]["demos"] = []
    Path(two[1]).write_text(json.dumps(document))
    assert "changed by hand since it was saved" in dspx_command("show", two[1]).out
    assert dspx_command("show", two[1], "--json").json == document


@pytest.mark.parametrize("text", ["{broken", "[1]", '{"metadata": {"format": 99}}', '{"metadata": 3}'])
def test_what_is_no_saved_program_is_an_error_in_a_line(dspx_command, two, tmp_path, text):
    (tmp_path / "bad.json").write_text(text)
    for command in (["show", str(tmp_path / "bad.json")], ["diff", two[0], str(tmp_path / "bad.json")]):
        failed = dspx_command(*command)
        assert failed.code == 2
        assert failed.out == ""
        assert failed.err.startswith("dspx: ")
        assert failed.err.count("\n") == 1


def test_a_missing_file_is_an_error_in_a_line(dspx_command):
    failed = dspx_command("diff", "no.json", "none.json")
    assert (failed.code, failed.err) == (2, "dspx: no.json: No such file or directory\n")
