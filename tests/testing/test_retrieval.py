from __future__ import annotations

import numpy as np
import pytest

import dspx
from dspx.testing import DummyVectorizer, dummy_rm


def test_vectors_are_those_of_dspy() -> None:
    vectors = DummyVectorizer(20)(["hello world", "abc"])
    assert vectors.dtype == np.float32
    assert vectors.shape == (2, 20)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0)
    assert np.allclose(vectors.mean(axis=1), 0.0, atol=1e-6)


def test_equal_texts_have_equal_vectors() -> None:
    first, second, other = DummyVectorizer()(["hello world", "hello world", "something else"])
    assert np.array_equal(first, second)
    assert first @ second > first @ other


def test_the_nearest_passages_come_first() -> None:
    retrieve = dummy_rm(["aaa bbb", "ccc ddd", "hello there"])
    assert [passage.long_text for passage in retrieve("ccc", k=1)] == ["ccc ddd"]
    assert retrieve("hello", k=3)[0]["long_text"] == "hello there"
    with pytest.raises(AttributeError):
        _ = retrieve("x", k=1)[0].score


def test_more_than_there_are_cannot_be_had() -> None:
    with pytest.raises(dspx.UsageError, match="2 passages"):
        dummy_rm(["a", "b"])("x", k=3)


def test_without_passages_there_is_nothing_to_retrieve() -> None:
    with pytest.raises(ValueError, match="No passages"):
        dummy_rm()("x", k=1)
