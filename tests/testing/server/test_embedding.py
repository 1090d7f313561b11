from __future__ import annotations

import base64
import math
import struct
from collections.abc import Sequence

import pytest

import dspx
from dspx.testing import Server
from dspx.testing.server.embedding import embed, embeddings


def cosine(a: Sequence[float], b: Sequence[float]) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True))


def test_vectors_have_length_one_and_stay_the_same() -> None:
    vector = embed("My card was stolen")
    assert math.isclose(cosine(vector, vector), 1.0)
    assert vector == embed("my CARD was stolen!")
    assert len(embed("x", 32)) == 32


def test_texts_that_share_words_are_nearer() -> None:
    card, other_card, loan = (
        embed("my card was stolen"),
        embed("the card was lost"),
        embed("interest on a mortgage"),
    )
    assert cosine(card, other_card) > cosine(card, loan)


def test_a_text_without_words_is_nowhere() -> None:
    assert set(embed("")) == {0.0}


def test_the_answer_has_openais_form() -> None:
    body = embeddings({"model": "m", "input": ["a b", "c"], "dimensions": 8})
    assert [each["index"] for each in body["data"]] == [0, 1]
    assert body["data"][0]["embedding"] == embed("a b", 8)
    assert body["usage"]["total_tokens"] == 2


def test_tokens_and_base64_are_understood() -> None:
    body = embeddings({"input": [1, 2, 3], "encoding_format": "base64", "dimensions": 4})
    packed = base64.b64decode(body["data"][0]["embedding"])
    assert struct.unpack("<4f", packed) == pytest.approx(embed("1 2 3", 4))


def test_the_embedder_asks_for_it() -> None:
    with Server() as server:
        embedder = dspx.Embedder("openai/hashed", api_base=server.api_base, api_key="none", caching=False)
        vectors = embedder(["my card", "my loan"])
    assert vectors.shape == (2, 256)
    assert vectors[0].tolist() == pytest.approx(embed("my card"))
