"""Which status may follow which: programs and runs."""

from __future__ import annotations

from dspx.store.errors import IllegalTransition
from dspx.store.records import ProgramStatus, RunStatus

_PROGRAMS: dict[ProgramStatus, tuple[ProgramStatus, ...]] = {
    "draft": ("optimizing", "production", "archived"),
    "optimizing": ("production", "draft", "archived"),  # draft again: it failed, or was rejected
    "production": ("archived",),
    "archived": (),
}
_RUNS: dict[RunStatus, tuple[RunStatus, ...]] = {
    "pending": ("running", "completed", "failed", "interrupted"),
    "running": ("completed", "failed", "interrupted"),
    "failed": ("running",),
    "interrupted": ("running",),
    "completed": (),
}


def check_program(name: str, version: int, now: ProgramStatus, then: ProgramStatus) -> None:
    """`IllegalTransition` unless a program may go from `now` to `then`."""
    if then not in _PROGRAMS[now]:
        raise IllegalTransition(
            f"{name!r} version {version} is {now} and cannot become {then}; {_choices(now, _PROGRAMS[now])}"
        )


def check_run(run_id: str, now: RunStatus, then: RunStatus) -> None:
    """`IllegalTransition` unless a run may go from `now` to `then`."""
    if then not in _RUNS[now]:
        raise IllegalTransition(
            f"Run {run_id!r} is {now} and cannot become {then}; {_choices(now, _RUNS[now])}"
        )


def _choices(now: str, then: tuple[str, ...]) -> str:
    return f"from {now} it goes to {' or '.join(then)}." if then else f"{now} is final."
