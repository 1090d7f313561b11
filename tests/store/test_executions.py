from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dspx.errors import UsageError
from dspx.store.executions import percentile


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0, 1))
def test_a_percentile_lies_among_the_values(values: list[float], share: float) -> None:
    values.sort()
    found = percentile(values, share)
    assert found is not None
    assert values[0] <= found <= values[-1] * (1 + 1e-12)


def test_percentiles_fall_between_values_in_proportion() -> None:
    assert percentile([0.0, 10.0], 0.25) == 2.5
    assert percentile([3.0], 0.99) == 3.0
    assert percentile([], 0.5) is None
    with pytest.raises(UsageError):
        percentile([1.0], 1.5)
