from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dspx
from dspx.errors import StateError

pytest.importorskip("faiss", reason="needs faiss: pip install 'dspx[faiss]'")

from dspx.retrievers import approximate
from dspx.retrievers.exact import nearest, nearest_among, unit_length

K = 10


def clustered(n: int, dimensions: int, seed: int = 0) -> Any:
    """Vectors that crowd around some centres, as those of texts do."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(n // 100, dimensions))
    noise = 0.8 * random.normal(size=(n, dimensions))
    return unit_length((centres[random.integers(len(centres), size=n)] + noise).astype(np.float32))


@pytest.mark.slow
def test_nine_in_ten_of_the_true_ten_best_are_found_and_they_are_ranked_exactly():
    everything = clustered(20_000, 64)
    vectors, queries = everything[:-100], everything[-100:]
    index = approximate.build(vectors)
    found = nearest_among(approximate.candidates(index, queries, K * 10), vectors, queries, K)
    true = nearest(vectors, queries, K)
    shared = [
        len({*ours.tolist()} & {*theirs.tolist()}) for (ours, _), (theirs, _) in zip(found, true, strict=True)
    ]
    assert sum(shared) / (K * len(queries)) >= 0.95
    for places, scores in found:
        assert scores.tolist() == sorted(scores.tolist(), reverse=True)
        assert len(set(places.tolist())) == K


@pytest.mark.parametrize("n", [1, 2, 39, 80, 500])
def test_small_corpora_can_be_indexed_too(n: int):
    vectors = clustered(500, 16)[:n]
    index = approximate.build(vectors)
    for place, candidates in enumerate(approximate.candidates(index, vectors, K)):
        assert place in candidates


def test_embeddings_above_the_threshold_are_searched_by_it_and_kept_with_it(tmp_path: Path):
    vectors = clustered(400, 32)
    corpus = [f"passage {number}" for number in range(len(vectors))]

    def embed(texts: list[str]) -> Any:
        return vectors[[int(text.split()[-1]) for text in texts]]

    search = dspx.EmbeddingsWithScores(corpus, embed, k=3, brute_force_threshold=100)
    assert search.index is not None
    found = search("like 17")
    assert (found.passages[0], found.scores[0]) == ("passage 17", pytest.approx(1.0))
    search.save(tmp_path / "saved")
    again = dspx.EmbeddingsWithScores.from_saved(tmp_path / "saved", embed)
    assert again.index is not None
    assert [again(f"like {n}") for n in range(50)] == [search(f"like {n}") for n in range(50)]


def test_an_index_of_other_vectors_is_refused(tmp_path: Path):
    path = tmp_path / "index.bin"
    approximate.write(approximate.build(clustered(100, 16)), path)
    with pytest.raises(StateError, match="indexes 100 vectors of 16 numbers, but beside it are 99 of 16"):
        approximate.read(path, 99, 16)
    path.write_bytes(b"nonsense, and not an index")
    with pytest.raises(StateError, match="no index that FAISS can read"):
        approximate.read(path, 100, 16)
