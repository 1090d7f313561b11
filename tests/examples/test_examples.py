"""Every example runs from the root of the repository, offline, as its docstring says."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sandboxes import shared_with_programs

ROOT = Path(__file__).resolve().parent.parent.parent


def _run(name: str, *arguments: str, home: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    kept = {key: value for key, value in os.environ.items() if not key.endswith(("_API_KEY", "_API_BASE"))}
    kept.pop("DSPX_DATA", None)
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", f"examples.{name}", *arguments],
        cwd=ROOT,
        env={**kept, "HOME": str(home), "DSPX_CACHEDIR": str(home / "cache"), **variables},
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("quickstart", "better than a"),
        ("async_server", "30 answers"),
        ("notebook_loop", "await evaluate: 100.0"),
        ("custom_lm", "Portugal: Lisbon"),
        ("retrieval", "k=3: the passage is found for 100 %"),
        ("research_agent", "The Lanterna is 22 m higher. (22 m; finish)"),
        ("mcp_agent", "→ 155 tins."),
        ("optimizers.bootstrap_few_shot", "True score: "),
        ("optimizers.random_search", "True score: "),
        ("optimizers.bootstrap_optuna", "True score: "),
        ("optimizers.copro", "True score: "),
        ("optimizers.mipro", "True score: "),
        ("optimizers.simba", "True score: "),
        ("optimizers.gepa", "True score: "),
        ("optimizers.infer_rules", "True score: "),
        ("optimizers.better_together", "True score: "),
        ("optimizers.beacon", "True score: "),
        ("optimizers.ensemble", "nearest examples: "),
    ],
)
def test_the_example_runs(name: str, says: str, tmp_path: Path) -> None:
    done = _run(name, home=tmp_path)
    assert done.returncode == 0, done.stderr
    assert says in done.stdout


@pytest.mark.slow
def test_the_code_agent_runs_in_the_sandbox_and_without(tmp_path: Path) -> None:
    for arguments, variables in ((("--unsafe",), {}), ((), shared_with_programs())):
        done = _run("code_agent", *arguments, home=tmp_path, **variables)
        assert done.returncode == 0, done.stderr
        assert "KeyError: 'cost'" in done.stdout
        assert done.stdout.endswith("Almeida: 42.00\n")


@pytest.mark.slow
def test_banking77_runs_on_data_of_its_form(tmp_path: Path) -> None:
    folder = tmp_path / "banking77"
    folder.mkdir()
    intents = ["card_lost", "transfer_late"]
    texts = {"card_lost": "my card is gone, number {}", "transfer_late": "where is transfer {}"}
    (folder / "categories.json").write_text(json.dumps(intents))
    for name, start in (("train.csv", 0), ("test.csv", 100)):
        with (folder / name).open("w", newline="") as file:
            table = csv.writer(file)
            table.writerow(["text", "category"])
            table.writerows(
                [texts[intent].format(start + i), intent] for i in range(20) for intent in intents
            )
    saved = tmp_path / "intent.json"
    done = _run(
        "banking77",
        "--data",
        str(tmp_path),
        "--examples",
        "30",
        "--demos",
        "8",
        "--save",
        str(saved),
        home=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert "compiled  100 %" in done.stdout
    assert len(json.loads(saved.read_text())["demos"]) == 8


def test_banking77_says_where_to_get_the_data(tmp_path: Path) -> None:
    done = _run("banking77", home=tmp_path, DSPX_DATA=str(tmp_path))
    assert done.returncode == 1
    assert "No Banking77 in" in done.stderr
    assert "--data FOLDER" in done.stderr
