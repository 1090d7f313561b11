from __future__ import annotations

import pytest

from dspx.cli.times import ago, duration, moment
from dspx.errors import UsageError
from dspx.runtime import clock


@pytest.fixture
def now():
    fake = clock.FakeClock(10_000_000.0)
    with clock.use(fake):
        yield fake


@pytest.mark.parametrize(
    ("text", "seconds"), [("30s", 30), ("2h", 7_200), ("1.5d", 129_600), ("1w", 604_800), ("5 m", 300)]
)
def test_how_long_ago_is_counted_from_now(now, text, seconds):
    assert moment(text) == 10_000_000.0 - seconds


def test_dates_are_read_with_and_without_a_zone():
    assert moment("2026-01-31T12:00:00Z") == moment("2026-01-31T14:00:00+02:00")
    assert moment("2026-01-31") is not None
    assert moment(None) is None
    with pytest.raises(UsageError, match="is no time"):
        moment("soon")


def test_ago_and_duration_are_short(now):
    assert [ago(10_000_000.0 - passed) for passed in (5, 200, 8_000, 400_000)] == [
        "5 s ago", "3 min ago", "2 h ago", "4 d ago",
    ]  # fmt: skip
    assert ago(259_200.0).startswith("1970-01-0")
    assert ago(None) is ago(0.0) is None
    assert [duration(s) for s in (0.42, 12.3, 200, 7_500)] == ["0.42 s", "12 s", "3 min 20 s", "2 h 5 min"]
    assert duration(None) is None
