from __future__ import annotations

import pytest

from dspx.errors import UsageError
from dspx.store import ExecutionLog, Store


def test_a_share_of_the_traces_is_kept_whole(store: Store) -> None:
    log = ExecutionLog(store.executions, sample=0.3)
    for _ in range(300):
        outer = log.start({})
        log.finish(log.start({}, parent=outer), {"answer": 1})
        log.finish(outer, {"answer": 1})
    kept = store.executions.query(limit=None)
    assert 50 < len(kept) / 2 < 130
    assert all(len(store.executions.query(trace_id=e.trace_id)) == 2 for e in kept)
    assert {e.status for e in kept} == {"completed"}


@pytest.mark.parametrize(("sample", "kept"), [(0.0, 0), (1.0, 20)])
def test_none_and_all_are_shares_too(store: Store, sample: float, kept: int) -> None:
    log = ExecutionLog(store.executions, sample=sample)
    for _ in range(20):
        log.finish(log.start({}))
    assert len(store.executions.query()) == kept


def test_what_is_redacted_is_never_written_not_even_while_running(store: Store) -> None:
    log = ExecutionLog(store.executions, redact=["card"])
    started = log.start({"card": "4111-1111"})
    assert started.inputs == {"card": "4111-1111"}
    assert "4111" not in str(store.executions.find(started.id))
    ended = log.finish(started, {"answer": "paid with 4111-1111"}, error=ValueError("4111-1111"))
    assert "4111" in str(ended)
    assert "4111" not in str(store.executions.find(started.id))


def test_an_execution_has_a_bounded_size(store: Store) -> None:
    log = ExecutionLog(store.executions, max_bytes=4096)
    ended = log.finish(log.start({"q": "x"}), {"a": "y" * 100_000}, trace=["z" * 100_000])
    found = store.executions.find(ended.id)
    assert found.inputs == {"q": "x"}
    assert found.outputs["left_out"]
    assert found.trace["left_out"]


def test_settings_that_make_no_sense_are_refused(store: Store) -> None:
    with pytest.raises(UsageError, match="share"):
        ExecutionLog(store.executions, sample=2)
    with pytest.raises(UsageError, match="room"):
        ExecutionLog(store.executions, max_bytes=10)
