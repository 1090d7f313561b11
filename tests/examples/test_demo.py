"""`make demo` and its data."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from dspx.testing import Server
from examples import demo as demo_module
from examples.iris import MEASUREMENTS, flowers

ROOT = Path(__file__).resolve().parent.parent.parent


def demo(home: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.endswith(("_API_KEY", "_API_BASE"))}
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "examples.demo"],
        cwd=ROOT,
        env={**kept, "HOME": str(home), "TMPDIR": str(home), "DSPX_DEMO_LM": "embedded", **variables},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
    )


@pytest.mark.slow
def test_the_demo_shows_that_examples_help(tmp_path: Path) -> None:
    done = demo(tmp_path, PYTHONIOENCODING="utf-8")
    assert done.returncode == 0, done.stderr
    scores = [float(score) for score in re.findall(r"([\d.]+) %  95", done.stdout)]
    assert scores[0] == pytest.approx(33.3)
    assert scores[-1] > 80
    assert re.search(r"kill -9 after \d+ recorded rollouts", done.stdout)
    replayed = re.search(r"started again: (\d+) answers replayed, (\d+) rollouts run", done.stdout)
    assert replayed is not None
    assert int(replayed[1]) >= 60
    assert int(replayed[2]) > 0
    assert "more than chance explains" in done.stdout
    assert "versicolor   (it is versicolor)" in done.stdout
    assert re.search(r"151 calls, [\d,]+ tokens", done.stdout)
    assert "\x1b" not in done.stdout
    assert len(list(tmp_path.glob("dspx-demo-*/iris.json"))) == 1


@pytest.mark.slow
def test_the_demo_runs_in_plain_ascii(tmp_path: Path) -> None:
    done = demo(tmp_path, PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    assert "####" in done.stdout


@pytest.mark.slow
def test_the_demo_asks_the_model_that_is_named(tmp_path: Path) -> None:
    with Server() as server:
        done = demo(
            tmp_path, DSPX_DEMO_LM="openai/schema", OPENAI_API_BASE=server.api_base, OPENAI_API_KEY="none"
        )
        assert done.returncode == 0, done.stderr
        assert server.stats.requests == 151
    assert "openai/schema, as DSPX_DEMO_LM says" in done.stdout


@pytest.mark.slow
def test_the_demo_says_why_a_model_could_not_be_asked(tmp_path: Path) -> None:
    with Server(api_key="sesame") as server:
        done = demo(
            tmp_path, DSPX_DEMO_LM="openai/x", OPENAI_API_BASE=server.api_base, OPENAI_API_KEY="wrong"
        )
    assert done.returncode == 1
    assert "could not be asked" in done.stderr
    assert "DSPX_DEMO_LM=embedded" in done.stderr


def test_iris_is_the_published_data() -> None:
    with (ROOT / "examples" / "iris.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert Counter(row["species"] for row in rows) == {"setosa": 50, "versicolor": 50, "virginica": 50}
    means = [round(sum(float(row[name]) for row in rows) / 150, 3) for name in MEASUREMENTS]
    assert means == [5.843, 3.057, 3.758, 1.199]
    # Two rows that the copy of the UCI repository has wrong.
    assert [rows[34][name] for name in MEASUREMENTS] == ["4.9", "3.1", "1.5", "0.2"]
    assert [rows[37][name] for name in MEASUREMENTS] == ["4.9", "3.6", "1.4", "0.1"]


def test_both_halves_hold_25_of_each_species_and_share_no_flower() -> None:
    train, dev = flowers()
    for half in (train, dev):
        assert Counter(flower.species for flower in half) == {"setosa": 25, "versicolor": 25, "virginica": 25}
        assert set(half[0].inputs().keys()) == set(MEASUREMENTS)
    assert not {id(flower) for flower in train} & {id(flower) for flower in dev}


# ---------------------------------------------------------------- which model


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment without keys, and an Ollama that is not there."""
    for name in [name for name in os.environ if name.endswith("_API_KEY") or name == "DSPX_DEMO_LM"]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(demo_module, "OLLAMA", "http://127.0.0.1:9")
    return monkeypatch


def test_without_anything_the_embedded_model_is_asked(bare: pytest.MonkeyPatch) -> None:
    assert demo_module.find_model().model == "embedded"


def test_a_key_is_found_and_a_named_model_goes_first(bare: pytest.MonkeyPatch) -> None:
    bare.setenv("ANTHROPIC_API_KEY", "k")
    assert demo_module.find_model().model.startswith("anthropic/")
    bare.setenv("DSPX_DEMO_LM", "groq/some-model")
    assert demo_module.find_model().model == "groq/some-model"
    bare.setenv("DSPX_DEMO_LM", "embedded")
    assert demo_module.find_model().model == "embedded"


@pytest.mark.parametrize(
    ("models", "expected"), [([{"name": "tiny:1b"}], "ollama/tiny:1b"), ([], "embedded")]
)
def test_a_local_ollama_is_found(
    bare: pytest.MonkeyPatch, models: list[dict[str, str]], expected: str
) -> None:
    class Tags(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps({"models": models}).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Tags) as ollama:
        thread = threading.Thread(target=ollama.handle_request)
        thread.start()
        bare.setattr(demo_module, "OLLAMA", f"http://127.0.0.1:{ollama.server_port}")
        assert demo_module.find_model().model == expected
        thread.join()
