"""The rows of a comparison as text, and in a page."""

from __future__ import annotations

import re
from collections.abc import Sequence

from benchmarks.optimizers.aa import AARow
from benchmarks.optimizers.run import Result, Row, cpu_per_rollout, score_of
from benchmarks.table import show

HEAD = (
    "optimizer",
    "DSPy: true score",
    "LM calls",
    "tokens",
    "dspx: true score",
    "LM calls",
    "tokens",
    "calls for DSPy's score",
    "CPU a rollout: DSPy",
    "dspx",
    "target",
    "reached",
)
AA_HEAD = (
    "optimizer, selection",
    "runs",
    "gain above 0",
    "interval above 0",
    "mean gain reported",
    "true gain",
)


def render(rows: Sequence[Row]) -> str:
    """An aligned table, then what is to be said of single rows."""
    notes = [f"{row.plan.name}: {note}" for row in rows for note in row.notes]
    return "\n".join([_aligned([HEAD, *map(_cells, rows)]), "", *notes])


def render_aa(rows: Sequence[AARow]) -> str:
    notes = [f"{row.title}: {note}" for row in rows for note in row.notes]
    return "\n".join([_aligned([AA_HEAD, *map(_aa_cells, rows)]), "", *notes])


def fill(page: str, rows: Sequence[Row] = (), aa: Sequence[AARow] = ()) -> str:
    """The page with the figures between `<!-- optimizers -->` or `<!-- aa -->` and `<!-- end -->` replaced.

    Those of other seeds go to `<!-- optimizers from seed 500 -->`.
    """
    if rows:
        first = rows[0].first
        page = _filled(
            page, f"optimizers from seed {first}" if first else "optimizers", [HEAD, *map(_cells, rows)]
        )
    if aa:
        page = _filled(page, "aa", [AA_HEAD, *map(_aa_cells, aa)])
    return page


def _filled(page: str, place: str, lines: Sequence[Sequence[str]]) -> str:
    head, *body = lines
    rule = "|---|" + "---:|" * (len(head) - 1)
    text = "\n".join([f"| {' | '.join(head)} |", rule, *(f"| {' | '.join(line)} |" for line in body)])
    pattern = re.compile(rf"<!-- {place} -->.*?<!-- end -->", re.DOTALL)
    return pattern.sub(lambda _: f"<!-- {place} -->\n{text}\n<!-- end -->", page)


def _cells(row: Row) -> tuple[str, ...]:
    needed = row.calls_to_match
    need = "" if row.plan.free or not row.ours else "more" if needed is None else f"{needed:,.0f}"
    reached = {True: "✓", False: "✗", None: ""}[row.met]
    return (
        row.plan.title,
        _score(row.dspy),
        _calls(row.dspy),
        _tokens(row.dspy),
        _score(row.ours) or ("not yet" if any("yet" in note for note in row.notes) else ""),
        _calls(row.ours),
        _tokens(row.ours),
        need,
        _cpu(row.dspy),
        _cpu(row.ours),
        row.plan.target,
        reached,
    )


def _score(results: Sequence[Result]) -> str:
    if not results:
        return ""
    score, error = score_of(results)
    return f"{100 * score:.1f} ± {100 * error:.1f}"


def _calls(results: Sequence[Result]) -> str:
    return f"{sum(result['lm_calls'] for result in results) / len(results):,.0f}" if results else ""


def _tokens(results: Sequence[Result]) -> str:
    """In thousands, sent and received."""
    if not results or any("tokens" not in result for result in results):
        return ""
    return f"{sum(result['tokens'] for result in results) / len(results) / 1_000:,.0f} k"


def _cpu(results: Sequence[Result]) -> str:
    cpu = cpu_per_rollout(results) if results else None
    return "" if cpu is None else show(cpu, "time")


def _aa_cells(row: AARow) -> tuple[str, ...]:
    n = len(row.results)
    if not n:
        return (row.title, "not yet", "", "", "", "")
    return (
        row.title,
        f"{n}",
        f"{100 * row.share_above_zero:.0f} %",
        "" if row.share_excluding is None else f"{100 * row.share_excluding:.0f} %",
        f"{row.mean_gain:+.1f}",
        f"{row.true_gain:+.1f}",
    )


def _aligned(lines: Sequence[Sequence[str]]) -> str:
    widths = [max(len(line[place]) for line in lines) for place in range(len(lines[0]))]
    text = [
        "  ".join(
            cell.rjust(width) if place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    ]
    text.insert(1, "─" * len(text[0]))
    return "\n".join(text)
