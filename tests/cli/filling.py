"""A store as some weeks of work leave it: a baseline, a search over it, programs, executions, a dataset."""

from __future__ import annotations

from typing import Any

import dspx
from dspx.core.candidate import Candidate
from dspx.store import Ask, Execution, Rollout, Run, Store

PLAIN = Candidate({"triage.instructions": "Sort the message.", "triage.demos": []})
TERSE = PLAIN.with_instructions({"triage": "Sort the message into one of: billing, technical, other."})
SHOWN = TERSE.with_demos({"triage": [dspx.Example(message="My invoice is wrong.", label="billing")]})

QUESTIONS = [f"message {number}" for number in range(12)]


def fill(store: Store) -> None:
    """Put everything into `store`."""
    _baseline(store)
    _search(store)
    _programs(store)
    _executions(store)
    store.datasets.record(
        "messages",
        [{"message": text, "label": "billing" if n % 2 else "other"} for n, text in enumerate(QUESTIONS)],
    )


def program(instructions: str = "Sort the message.", *, demos: int = 0) -> Any:
    made = dspx.ChainOfThought("message -> label: Literal['billing', 'technical', 'other']")
    made.predict.signature = made.predict.signature.with_instructions(instructions)
    made.predict.demos = [
        dspx.Example(message=f"Invoice {n} is wrong.", reasoning="It is about money.", label="billing")
        for n in range(demos)
    ]
    return made


def _baseline(store: Store) -> None:
    run = store.runs.record(
        Run(
            "triage-plain",
            kind="evaluation",
            name="Evaluate",
            metric="exact_match",
            tags=("weekly",),
            created=1.0,
        )
    )
    store.runs.update(run.id, status="running")
    store.record_rollouts(rollouts(run.id, PLAIN, [n % 2 for n in range(12)]))
    store.runs.update(run.id, status="completed")


def _search(store: Store) -> None:
    config = {"optimizer": "BootstrapFewShot", "max_bootstrapped_demos": 4}
    run = store.runs.record(
        Run(
            "triage-search", name="BootstrapFewShot", config=config, metric="exact_match", seed=3, created=2.0
        )
    )
    store.runs.update(run.id, status="running")
    store.record_rollouts(rollouts(run.id, PLAIN, [n % 2 for n in range(12)]))
    store.record_ask(Ask(run.id, "propose", inputs_hash="h1", answer={"instructions": "…"}, cost=0.01))
    store.record_rollouts(rollouts(run.id, TERSE, [1] * 6, failing=2))
    store.record_rollouts(rollouts(run.id, SHOWN, [1] * 12))
    best = {
        "candidate": SHOWN.to_json(),
        "score": 100.0,
        "baseline": 50.0,
        "gain": {
            "points": 50.0,
            "ci95": [21.4, 78.6],
            "baseline": 50.0,
            "winner": 100.0,
            "n": 12,
            "on": "valset",
        },
        "n": 12,
        "kept_student": False,
        "lineage": [
            {"hash": PLAIN.hash, "how": "given", "parents": [], "score": 50.0, "n": 12},
            {"hash": TERSE.hash, "how": "proposed", "parents": [PLAIN.hash], "score": 100.0, "n": 6},
            {"hash": SHOWN.hash, "how": "bootstrapped", "parents": [TERSE.hash], "score": 100.0, "n": 12},
        ],
    }
    spent = {"lm_calls": 132, "tokens": 48_210, "cost": 0.0713, "seconds": 41.0, "rollouts": 32}
    store.runs.update(run.id, status="completed", best=best, budget_spent=spent)


def rollouts(run_id: str, candidate: Candidate, scores: list[float], failing: int = 0) -> list[Rollout]:
    error = {"type": "LMTimeoutError", "message": "no answer within 30 s"}
    known = dict.fromkeys(range(len(scores), len(scores) + failing))
    return [
        Rollout(
            run_id,
            key=f"{candidate.hash[:8]}/{number}",
            candidate_hash=candidate.hash,
            candidate=candidate.to_json(),
            example_key=f"example-{number}",
            score=score,
            error=None if score is not None else error,
            cost=0.001,
            seconds=0.5,
        )
        for number, score in {**dict(enumerate(scores)), **known}.items()
    ]


def _programs(store: Store) -> None:
    store.programs.record("triage", program().dump_state(), tags=["first"])
    store.programs.record("triage", program("Sort it well.", demos=2).dump_state(), parent=1)
    store.programs.promote("triage", 1)


def _executions(store: Store) -> None:
    for number in range(4):
        failed = number == 3
        store.executions.record(
            Execution(
                id=f"execution-{number}",
                program="triage",
                program_version=1,
                module="ChainOfThought",
                inputs={"message": QUESTIONS[number]},
                outputs=None if failed else {"label": "other"},
                error={"type": "AdapterParseError", "message": "no `label`"} if failed else None,
                status="failed" if failed else "completed",
                duration=0.5 + number,
                cost=0.002,
                started=1_000.0 + number,
                finished=1_001.0 + number,
            )
        )
    store.executions.record(
        Execution(id="step-0", parent_id="execution-0", module="predict", status="completed", started=1_000.1)
    )
