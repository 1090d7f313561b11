from __future__ import annotations

from dataclasses import FrozenInstanceError
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dspx.errors import StoreError, UsageError
from dspx.store import Ask, Configuration, Dataset, Execution, ProgramVersion, Rollout, Run, SpaceVersion
from dspx.store.records import Record
from dspx.store.rows import record_of, row_of
from dspx.store.schema import (
    ASKS,
    CONFIGURATIONS,
    DATASETS,
    EXECUTIONS,
    PROGRAMS,
    ROLLOUTS,
    RUNS,
    SPACES,
    Table,
)
from tests.store.test_jsontext import JSON

TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), max_size=20)
NAME = TEXT.filter(bool)
NUMBER = st.none() | st.floats(allow_nan=False, allow_infinity=False)
COUNT = st.integers(0, 2**31)
TIME = st.floats(0, 1e10)
TAGS = st.lists(TEXT, max_size=3).map(tuple)

KINDS: list[tuple[type[Record], Table, dict[str, Any]]] = [
    (
        ProgramVersion,
        PROGRAMS,
        {
            "name": NAME,
            "version": COUNT,
            "status": st.just("draft"),
            "state": JSON,
            "parent": st.none() | COUNT,
        },
    ),
    (
        Run,
        RUNS,
        {
            "id": NAME,
            "name": TEXT,
            "config": JSON,
            "seed": st.none() | st.integers(),
            "best": JSON,
            "tags": TAGS,
        },
    ),
    (
        Rollout,
        ROLLOUTS,
        {
            **dict.fromkeys(("run_id", "key", "candidate_hash", "example_key"), NAME),
            **dict.fromkeys(("candidate", "values", "error", "trace", "usage"), JSON),
            "score": NUMBER,
            "cost": NUMBER,
            "seconds": TIME,
            "sequence": COUNT,
        },
    ),
    (Ask, ASKS, {"run_id": NAME, "label": NAME, "inputs_hash": NAME, "occurrence": COUNT, "answer": JSON}),
    (
        Execution,
        EXECUTIONS,
        {
            "id": NAME,
            "session": st.none() | TEXT,
            "inputs": JSON,
            "outputs": JSON,
            "cost": NUMBER,
            "tags": TAGS,
        },
    ),
    (Dataset, DATASETS, {"name": NAME, "hash": NAME, "version": COUNT, "statistics": JSON, "created": TIME}),
    (SpaceVersion, SPACES, {"space_id": NAME, "version": COUNT, "definition": JSON, "created": TIME}),
    (Configuration, CONFIGURATIONS, {"space_id": NAME, "version": COUNT, "values": JSON, "created": TIME}),
]
RECORDS = st.one_of([st.tuples(st.builds(cls, **fields), st.just(table)) for cls, table, fields in KINDS])


@given(RECORDS)
def test_a_record_survives_json(made: tuple[Record, Table]) -> None:
    record, _ = made
    assert type(record).from_json(record.to_json()) == record


@given(RECORDS)
def test_a_record_survives_its_row(made: tuple[Record, Table]) -> None:
    record, table = made
    assert record_of(type(record), row_of(table, record)) == record


def test_a_record_is_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        Run("r").status = "running"  # pyright: ignore


def test_json_is_plain_data() -> None:
    written = orjson.dumps(Run("r", config={"pair": (1, 2)}, tags=["a"]).to_json())  # pyright: ignore
    assert Run.from_json(orjson.loads(written)) == Run("r", config={"pair": [1, 2]}, tags=("a",))


def test_names_that_a_later_dspx_added_are_passed_over() -> None:
    assert Ask.from_json({"run_id": "r", "label": "l", "inputs_hash": "h", "mood": "good"}) == Ask(
        "r", "l", "h"
    )


def test_what_lacks_something_says_what() -> None:
    with pytest.raises(StoreError, match=r"no Ask.*inputs_hash.*It has \['label', 'run_id'\]"):
        Ask.from_json({"run_id": "r", "label": "l"})


@pytest.mark.parametrize("score", [float("nan"), float("inf")])
def test_a_score_that_is_no_number_is_refused_at_once(score: float) -> None:
    with pytest.raises(UsageError, match="no measurement"):
        Rollout("r", "k", "c", "e", score=score)


def test_scores_of_other_number_types_become_floats() -> None:
    import numpy as np

    assert Rollout("r", "k", "c", "e", score=True).score == 1.0
    assert type(Rollout("r", "k", "c", "e", score=np.float32(0.5)).score) is float  # pyright: ignore


def test_runs_and_executions_get_an_id_of_their_own() -> None:
    assert Run().id != Run().id
    assert Execution().id < Execution().id
