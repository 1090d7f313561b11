"""Optimizations in processes of their own, killed for real and started again."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pytest

from dspx.store import Store
from tests.optimizers.worker import optimizers

ROOT = Path(__file__).resolve().parent.parent.parent
NAMES = list(optimizers(object()))


def start(store: str, run_id: str, name: str, log: Path, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.optimizers.worker", store, run_id, name, str(log), *more]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(process: subprocess.Popen[str]) -> dict:
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err[-2000:]
    return json.loads(out.splitlines()[-1])


def lines(log: Path) -> list[str]:
    return log.read_text().splitlines() if log.exists() else []


def kill_after(process: subprocess.Popen[str], log: Path, calls: int) -> None:
    """SIGKILL as soon as the LM has answered so many more questions; the process may also be done by then."""
    wanted = len(lines(log)) + calls
    while process.poll() is None and len(lines(log)) < wanted:
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=30)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_killed_again_and_again_it_ends_as_if_it_had_not_been(name: str, tmp_path: Path) -> None:
    log = tmp_path / "whole.log"
    whole = finish(start(f"sqlite:///{tmp_path}/whole.db", "qa", name, log))
    total = len(lines(log))
    store, log = f"sqlite:///{tmp_path}/killed.db", tmp_path / "killed.log"
    rng, kills = Random(name), 2
    for _ in range(kills):
        process = start(store, "qa", name, log, "wait")
        kill_after(process, log, rng.randrange(1, max(2, total // 2)))
    ended = finish(start(store, "qa", name, log, "wait"))
    assert ended["candidate"] == whole["candidate"]
    # A rollout in the middle of which it was killed is run again: two threads, two calls each.
    assert len(lines(log)) <= total + kills * 4
    again = finish(start(store, "qa", name, log))
    assert again["candidate"] == whole["candidate"]
    assert again["calls"] == again["rollouts"] == 0


@pytest.mark.slow
def test_of_two_terminals_on_one_run_the_second_waits_or_says_who_holds_it(tmp_path: Path) -> None:
    url, log = f"sqlite:///{tmp_path}/dspx.db", tmp_path / "log"
    with Store(url) as store:
        held = store.lease("qa")  # the first terminal
        refused = start(url, "qa", "BootstrapFewShot", log)
        _, err = refused.communicate(timeout=120)
        assert refused.returncode != 0
        assert "is being worked on by" in err
        waiting = start(url, "qa", "BootstrapFewShot", log, "wait")
        with pytest.raises(subprocess.TimeoutExpired):
            waiting.communicate(timeout=3)
        held.release()
        assert finish(waiting)["calls"] > 0
