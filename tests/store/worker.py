"""A process of its own at a store: `python -m tests.store.worker <what> <url> …`. It says on stdout how far it is."""

from __future__ import annotations

import sys
from itertools import count

from dspx.store import Run, Store
from dspx.testing.store_conformance import rollout


def write_one_by_one(url: str, run_id: str, first: str) -> None:
    """Commit rollouts for ever, and say each key once it is committed."""
    with Store(url) as store:
        store.runs.record(Run(run_id))
        for number in count(int(first)):
            say(store.record_rollout(rollout(run_id, number)).key)


def write_batches(url: str, run_id: str, size: str) -> None:
    """Commit batches for ever, and say the number of each once it is committed."""
    with Store(url) as store:
        store.runs.record(Run(run_id))
        for batch in count():
            start = batch * int(size)
            store.record_rollouts([rollout(run_id, start + n) for n in range(int(size))])
            say(str(batch))


def write_some(url: str, run_id: str, name: str, how_many: str) -> None:
    """Commit so many rollouts under keys of this process's own."""
    with Store(url) as store:
        store.runs.record(Run(run_id))
        for number in range(int(how_many)):
            store.record_rollout(rollout(run_id, number, key=f"{name}-{number}"))


def hold(url: str, run_id: str, seconds: str) -> None:
    """Hold a run until stdin is closed."""
    with Store(url) as store, store.lease(run_id, "holder", float(seconds)):
        say("held")
        sys.stdin.read()
    say("released")


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
