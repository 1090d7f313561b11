from __future__ import annotations

import pytest

from dspx.core.halton import halton, primes


def test_the_sequence_is_haltons() -> None:
    assert [halton(i, 2) for i in range(1, 6)] == [0.5, 0.25, 0.75, 0.125, 0.625]
    assert [halton(i, 3) for i in range(1, 4)] == pytest.approx([1 / 3, 2 / 3, 1 / 9])
    assert primes(6) == [2, 3, 5, 7, 11, 13]
