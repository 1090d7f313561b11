from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dspx.retrievers import exact

VECTORS = st.integers(1, 30).flatmap(
    lambda n: arrays(np.float32, (n, 4), elements=st.sampled_from([-2.0, -1.0, 0.0, 0.5, 1.0, 3.0]))
)
QUERIES = arrays(np.float32, (3, 4), elements=st.sampled_from([-1.0, 0.0, 0.25, 2.0]))


@given(VECTORS, QUERIES, st.integers(1, 40))
def test_it_is_the_head_of_a_stable_sort_of_all(vectors, queries, k):
    for (places, scores), query in zip(exact.nearest(vectors, queries, k), queries, strict=True):
        everything = vectors @ query
        expected = np.argsort(-everything, kind="stable")[:k]
        assert places.tolist() == expected.tolist()
        assert scores.tolist() == everything[expected].tolist()


@given(VECTORS, QUERIES, st.integers(1, 40))
def test_with_all_as_candidates_it_is_the_same(vectors, queries, k):
    candidates = [np.concatenate([np.arange(len(vectors))[::-1]] * 2)] * len(queries)
    among = exact.nearest_among(candidates, vectors, queries, k)
    for (places, _), (expected, _) in zip(among, exact.nearest(vectors, queries, k), strict=True):
        assert places.tolist() == expected.tolist()


def test_many_queries_are_compared_a_block_at_a_time(monkeypatch):
    monkeypatch.setattr(exact, "_BLOCK", 5)
    vectors, queries = np.eye(3, dtype=np.float32), np.eye(3, dtype=np.float32)[[2, 0, 1, 1]]
    assert [int(places[0]) for places, _ in exact.nearest(vectors, queries, 1)] == [2, 0, 1, 1]


def test_vectors_get_length_1_and_zeros_stay_zeros():
    vectors = exact.unit_length(np.array([[3, 4], [0, 0], [1e-3, 0]], dtype=np.float32))
    assert vectors.round(6).tolist() == [[np.float32(0.6).item(), np.float32(0.8).item()], [0, 0], [1, 0]]
