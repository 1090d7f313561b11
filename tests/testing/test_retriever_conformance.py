from __future__ import annotations

from typing import Any

import pytest

import dspx
from dspx.testing import check_retriever, dummy_rm
from dspx.testing.retriever_conformance import RETRIEVER_CHECKS, Asked
from tests.retrievers.material import CORPUS, words, words_later

RETRIEVERS: dict[str, Any] = {
    "Embeddings": lambda: dspx.Embeddings(CORPUS, words),
    "Embeddings, async": lambda: dspx.Embeddings(CORPUS, words_later),
    "EmbeddingsWithScores": lambda: dspx.EmbeddingsWithScores(CORPUS, words),
    "dummy_rm": lambda: dummy_rm(CORPUS),
}


@pytest.mark.parametrize("check", RETRIEVER_CHECKS, ids=str)
@pytest.mark.parametrize("make", RETRIEVERS.values(), ids=list(RETRIEVERS))
def test_retrievers_keep_their_contract(make: Any, check: Any) -> None:
    check(Asked(make()))


def test_the_names_of_what_passed_come_back() -> None:
    assert check_retriever(dummy_rm(CORPUS)) == [check.name for check in RETRIEVER_CHECKS]


@pytest.mark.parametrize(
    ("retriever", "message"),
    [
        (lambda query, k: [], "no passages for"),
        (lambda query, k: [1, 2], "of type int without `long_text`"),
        (lambda query, k: CORPUS, "k=1 gave 5 passages"),
        (lambda query, k: CORPUS[-k:], "k=3 begins with"),
        (lambda query, k: dspx.Prediction(passages=CORPUS[:k], scores=[1.0]), "1 scores for 3 passages"),
        (
            lambda query, k: dspx.Prediction(passages=CORPUS[:k], scores=list(range(k))),
            "not in order, best first",
        ),
    ],
)
def test_what_is_wrong_is_found_out(retriever: Any, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_retriever(retriever)


def test_a_retriever_that_gives_its_own_list_away_is_found_out() -> None:
    kept = {k: CORPUS[:k] for k in range(1, 4)}
    with pytest.raises(AssertionError, match="one and the same list"):
        check_retriever(lambda query, k: kept[k])
