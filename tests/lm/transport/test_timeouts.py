from __future__ import annotations

from dspx.lm.transport.timeouts import Timeout


def test_a_number_limits_the_whole_call_and_the_pauses_of_a_stream() -> None:
    limits = Timeout.of(5)
    assert (limits.connect, limits.read, limits.total) == (5.0, None, 5.0)
    assert (limits.for_stream().read, limits.for_stream().total) == (5.0, None)


def test_no_number_is_ten_minutes() -> None:
    assert Timeout.of(None).total == 600.0
    assert Timeout.of(None).for_stream().read == 600.0
