"""Runs copied: forked within a store, exported to lines of JSON, imported from them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from dspx.errors import RecordConflict, SchemaTooNew, StoreError, UsageError
from dspx.runtime import clock
from dspx.store.base import Backend, Row, Tables, Where, equal
from dspx.store.journal import lock_of
from dspx.store.jsontext import decode, encode
from dspx.store.records import Ask, Record, Rollout, Run
from dspx.store.rows import find_one, record_of, row_of
from dspx.store.schema import ASKS, CANDIDATES, ROLLOUTS, RUNS, Table
from dspx.store.uuid7 import uuid7

FORMAT = 1
"""The version of the lines. A newer one is refused."""

_PAGE = 1000


def fork(backend: Backend, source: Run, at: int | None, new_id: str | None) -> Run:
    """A pending copy of `source` up to the place `at`; it goes on counting from there."""
    new = replace(source, id=new_id or uuid7(), status="pending", best=None, budget_spent=None)
    new = replace(new, parent=source.id, created=clock.time(), started=None, finished=None)
    with backend.writing(lock_of(new.id)) as tables:
        last = _last_place(tables, source.id)
        place = last if at is None else at
        if not 0 <= place <= last:
            raise UsageError(f"Run {source.id!r} has places 0 to {last}: it cannot be forked at {at}.")
        run = replace(new, forked_at=place)
        _refuse_existing(tables, run.id)
        tables.add(RUNS, [{**row_of(RUNS, run), "sequence": place}])
        _copy(tables, source.id, run.id, place)
    return run


def lines(backend: Backend, run: Run) -> Iterator[str]:
    """The export of `run` as it is now, read as you go."""
    with backend.reading() as tables:
        last = _last_place(tables, run.id)
        candidates = tables.find(CANDIDATES, equal(run_id=run.id))
    yield encode({"type": "dspx-run", "format": FORMAT, "sequence": last})
    yield encode({"type": "run", **run.to_json()})
    for row in candidates:
        yield encode({"type": "candidate", "hash": row["hash"], "values": decode(row["body"])})
    for kind, cls, table in (("rollout", Rollout, ROLLOUTS), ("ask", Ask, ASKS)):
        for rows in _pages(backend, table, run.id, last):
            for row in rows:
                yield encode({"type": kind, **_fields_of(cls, row)})


def written(lines: Iterator[str], path: Path) -> Iterator[str]:
    """Write `lines` to `path`, whole or not at all, and give them again."""
    partial = path.with_name(path.name + ".partial")
    with partial.open("w", encoding="utf-8") as file:
        file.writelines(line + "\n" for line in lines)
    partial.replace(path)
    return _reread(path)


def read(backend: Backend, lines: Iterable[str], new_id: str | None) -> Run:
    """Record the run that `lines` export, under its own id or another."""
    parsed = (_parsed(line, number) for number, line in enumerate(lines, 1) if line.strip())
    header, first = next(parsed, {}), next(parsed, {})
    _check(header, first)
    run = Run.from_json(first)
    run = replace(run, id=new_id or run.id)
    with backend.writing(lock_of(run.id)) as tables:
        there = find_one(tables, Run, RUNS, id=run.id)
        if there is not None:
            return _same(there, run)
        tables.add(RUNS, [{**row_of(RUNS, run), "sequence": header["sequence"]}])
        _add_entries(tables, run.id, parsed, expected=header["sequence"])
    return run


def _last_place(tables: Tables, run_id: str) -> int:
    rows = tables.find(RUNS, equal(id=run_id), columns=("sequence",))
    return rows[0]["sequence"] if rows else 0


def _refuse_existing(tables: Tables, run_id: str) -> None:
    if tables.count(RUNS, equal(id=run_id)):
        raise RecordConflict(f"There is a run {run_id!r} already. Use another id.")


def _copy(tables: Tables, source: str, target: str, place: int) -> None:
    """Candidates, and entries up to `place`."""
    candidates = tables.find(CANDIDATES, equal(run_id=source))
    tables.add(CANDIDATES, [{**row, "run_id": target} for row in candidates])
    for table in (ROLLOUTS, ASKS):
        for start in range(0, place, _PAGE):
            rows = _page(tables, table, source, start, min(place, start + _PAGE))
            tables.add(table, [{**row, "run_id": target} for row in rows])


def _pages(backend: Backend, table: Table, run_id: str, last: int) -> Iterator[list[Row]]:
    for start in range(0, last, _PAGE):
        with backend.reading() as tables:
            rows = _page(tables, table, run_id, start, min(last, start + _PAGE))
        yield rows


def _page(tables: Tables, table: Table, run_id: str, after: int, until: int) -> list[Row]:
    where = [*equal(run_id=run_id), Where("sequence", ">", after), Where("sequence", "<=", until)]
    return tables.find(table, where, order="sequence")


def _fields_of(cls: type[Record], row: Row) -> dict[str, Any]:
    fields = record_of(cls, row).to_json()
    return {name: value for name, value in fields.items() if name not in ("run_id", "candidate")}


def _reread(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield line.rstrip("\n")


def _parsed(line: str, number: int) -> dict[str, Any]:
    try:
        value = decode(line)
    except ValueError as error:
        raise StoreError(f"Line {number} of the export is not JSON: {error}") from error
    if not isinstance(value, dict) or "type" not in value:
        raise StoreError(f"Line {number} of the export is no record: {line[:80]!r}")
    return value


def _check(header: dict[str, Any], first: dict[str, Any]) -> None:
    if header.get("type") != "dspx-run" or first.get("type") != "run":
        raise StoreError("This is no export of a run: it begins with neither a header nor a run.")
    if header["format"] > FORMAT:
        raise SchemaTooNew(
            f"The export has format {header['format']}; this dspx reads up to {FORMAT}. Upgrade dspx."
        )


def _same(there: Run, run: Run) -> Run:
    if there != run:
        raise RecordConflict(
            f"Run {run.id!r} is there already, and is not as in the export. Import it under another: new_id=."
        )
    return there


def _add_entries(tables: Tables, run_id: str, entries: Iterable[dict[str, Any]], expected: int) -> None:
    """Add all of `entries`; every place of the run from 1 to `expected` must be among them."""
    rows: list[tuple[Table, Row]] = []
    places: set[int] = set()
    for entry in entries:
        rows.append(_row(run_id, entry))
        places.add(entry.get("sequence", 0))
        if len(rows) == _PAGE:
            _add(tables, rows)
    _add(tables, rows)
    if not places.issuperset(range(1, expected + 1)):
        raise StoreError(
            f"The export of run {run_id!r} is cut short: it says {expected} records and holds fewer."
        )


def _row(run_id: str, entry: dict[str, Any]) -> tuple[Table, Row]:
    kind = entry["type"]
    if kind == "candidate":
        return CANDIDATES, {"run_id": run_id, "hash": entry["hash"], "body": encode(entry["values"])}
    if kind == "rollout":
        return ROLLOUTS, row_of(
            ROLLOUTS, Rollout.from_json({**entry, "run_id": run_id}), without=("candidate",)
        )
    if kind == "ask":
        return ASKS, row_of(ASKS, Ask.from_json({**entry, "run_id": run_id}))
    raise StoreError(f"An export holds candidates, rollouts and asks, no {kind!r}.")


def _add(tables: Tables, rows: list[tuple[Table, Row]]) -> None:
    for table in (CANDIDATES, ROLLOUTS, ASKS):
        tables.add(table, [row for where, row in rows if where is table])
    rows.clear()
