from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor

from dspx.runtime import clock
from dspx.runtime.clock import FakeClock
from dspx.store.uuid7 import uuid7


def test_it_is_a_uuid_of_version_7_and_says_when_it_was_made() -> None:
    with clock.use(FakeClock(1_700_000_000.123)):
        made = uuid.UUID(uuid7())
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert made.int >> 80 == 1_700_000_000_123


def test_later_ones_sort_after_earlier_ones() -> None:
    made = [uuid7() for _ in range(2000)]
    assert made == sorted(made)
    with clock.use(FakeClock(5.0)):
        at_once = [uuid7() for _ in range(2000)]
    assert at_once == sorted(at_once)


def test_no_two_are_equal() -> None:
    with clock.use(FakeClock(5.0)), ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: uuid7(), range(4000)))
    assert len(set(made)) == 4000
