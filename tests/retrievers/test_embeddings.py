from __future__ import annotations

import asyncio
import copy
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dspx
from dspx.errors import LMTransportError, UsageError
from dspx.runtime.fanout import fan_out
from dspx.testing.server.server import Server
from tests.loops import in_a_loop
from tests.retrievers.material import CORPUS, Counting, words, words_later

QUESTION = "What is the capital of Portugal?"


def test_the_passages_most_like_the_query_come_best_first_with_their_places():
    found = dspx.Embeddings(CORPUS, words, k=2)(QUESTION)
    assert found.passages == [CORPUS[0], CORPUS[2]] or found.passages[0] == CORPUS[0]
    assert found.passages == [CORPUS[place] for place in found.indices]
    assert found.keys() == ["passages", "indices"]
    assert all(type(place) is int for place in found.indices)


def test_scores_are_the_cosines():
    found = dspx.EmbeddingsWithScores(CORPUS, words, k=5)(QUESTION)
    query = np.array(words([QUESTION])[0])
    cosines = [float(np.dot(words([passage])[0], query)) for passage in found.passages]
    assert found.scores == pytest.approx(cosines, abs=1e-6)
    assert found.scores == sorted(found.scores, reverse=True)


def test_a_call_may_want_more_or_fewer_and_more_than_there_are_is_all():
    search = dspx.Embeddings(CORPUS, words, k=2)
    assert len(search(QUESTION).passages) == 2
    assert len(search(QUESTION, k=4).passages) == 4
    assert sorted(search(QUESTION, k=99).indices) == [0, 1, 2, 3, 4]


def test_without_normalize_longer_vectors_win():
    vectors = {"short": [1.0, 0.0], "long": [3.0, 3.0], "q": [1.0, 0.0]}

    def embed(texts: list[str]) -> list[list[float]]:
        return [vectors[text] for text in texts]

    assert dspx.Embeddings(["short", "long"], embed, k=1)("q").passages == ["short"]
    assert dspx.Embeddings(["short", "long"], embed, k=1, normalize=False)("q").passages == ["long"]


def test_many_queries_are_one_call_of_the_embedder():
    embed = Counting()
    search = dspx.Embeddings(CORPUS, embed, k=1)
    found = search.search(["Portugal", "Vienna", "Spain"])
    assert [prediction.passages[0] for prediction in found] == [
        search(query).passages[0] for query in ("Portugal", "Vienna", "Spain")
    ]
    assert embed.asked[1] == ["Portugal", "Vienna", "Spain"]
    assert search.search([]) == []


@pytest.mark.parametrize("embedder", [words, words_later], ids=["sync", "async"])
def test_sync_and_async_give_the_same(embedder: Any):
    search = dspx.Embeddings(CORPUS, embedder, k=3)

    async def main() -> Any:
        made = await dspx.Embeddings.acreate(CORPUS, embedder, k=3)
        assert made.corpus_embeddings.tolist() == search.corpus_embeddings.tolist()
        return await made.acall(QUESTION), (await made.asearch([QUESTION]))[0]

    assert asyncio.run(main()) == (search(QUESTION), search(QUESTION))


@in_a_loop
async def test_queries_of_tasks_that_come_meanwhile_are_embedded_together():
    asked: list[list[str]] = []

    async def embed(texts: list[str]) -> list[list[float]]:
        asked.append(texts)
        await asyncio.sleep(0)
        return words(texts)

    search = await dspx.Embeddings.acreate(CORPUS, embed)
    queries = [f"question {number}" for number in range(9)]
    found = await asyncio.gather(*(search.acall(query, k=1 + number) for number, query in enumerate(queries)))
    assert asked[1:] == [queries[:1], queries[1:]]
    assert [len(prediction.passages) for prediction in found] == [1, 2, 3, 4, 5, 5, 5, 5, 5]


@in_a_loop
async def test_an_outage_is_not_asked_about_again_for_each_who_waited():
    asked: list[list[str]] = []

    async def embed(texts: list[str]) -> list[list[float]]:
        if texts != CORPUS:
            asked.append(texts)
            await asyncio.sleep(0)
            raise LMTransportError("nobody there")
        return words(texts)

    search = await dspx.Embeddings.acreate(CORPUS, embed)
    outcomes = await fan_out(search.acall, ["a", "b", "c"], workers=3)
    assert all(isinstance(outcome.error, LMTransportError) for outcome in outcomes)
    assert asked == [["a"], ["b", "c"]]


def test_cache_remembers_the_queries_of_a_function():
    embed = Counting()
    search = dspx.Embeddings(CORPUS, embed, cache=True)
    search(QUESTION)
    search(QUESTION)
    assert embed.asked == [CORPUS, [QUESTION]]


def test_a_provider_can_embed():
    with Server(model="schema") as server:
        embedder = dspx.Embedder("openai/hashed", api_base=server.api_base, api_key="none", caching=False)
        search = dspx.Embeddings(CORPUS, embedder, k=1)
        assert search("Which river flows through Vienna?").passages == [CORPUS[3]]


def test_a_callback_hears_of_each_call():
    heard: list[Any] = []

    class Listener(dspx.BaseCallback):
        def on_module_start(self, call_id: str, instance: Any, inputs: dict[str, Any]) -> None:
            heard.append(inputs)

        def on_module_end(self, call_id: str, outputs: Any, exception: Exception | None = None) -> None:
            heard.append(outputs)

    found = dspx.Embeddings(CORPUS, words, k=1, callbacks=[Listener()])(QUESTION)
    assert heard == [{"query": QUESTION, "k": 1}, found]


def test_a_subclass_may_override_forward_as_in_dspy():
    class Shouting(dspx.Embeddings):
        def forward(self, query: str) -> Any:
            found = super().forward(query)
            return dspx.Prediction(passages=[text.upper() for text in found.passages])

    assert Shouting(CORPUS, words, k=1)(QUESTION).passages == [CORPUS[0].upper()]


def test_copies_of_a_program_share_it():
    class Program(dspx.Module):
        def __init__(self) -> None:
            self.search = dspx.Embeddings(CORPUS, words)

    program = Program()
    assert program.deepcopy().search is program.search
    assert copy.deepcopy(program.search) is program.search


# ---------------------------------------------------------------- what cannot work


@pytest.mark.parametrize(
    ("corpus", "settings", "message"),
    [
        ([], {}, "the corpus is empty"),
        ("one text", {}, "a list of strings, not a string"),
        ([1, "a"], {}, r"a list of strings, not \['int', 'str'\]"),
        (CORPUS, {"k": 0}, "k=0"),
    ],
)
def test_what_cannot_be_searched_is_refused(corpus: Any, settings: dict[str, Any], message: str):
    with pytest.raises(UsageError, match=message):
        dspx.Embeddings(corpus, words, **settings)


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        ([[1.0, 2.0]], r"given 5 texts and returned an array of shape \(1, 2\)"),
        ([1.0] * 5, r"shape \(5,\)"),
        ([[1.0, 2.0]] * 4 + [[float("nan"), 1.0]], "'Vienna is the capital of Austria' holds a NaN"),
    ],
)
def test_an_embedder_that_does_not_keep_its_promise_is_named(vectors: Any, message: str):
    with pytest.raises(UsageError, match=message):
        dspx.Embeddings(CORPUS, lambda texts: vectors)


def test_queries_by_another_model_are_refused():
    search = dspx.Embeddings(CORPUS, lambda texts: np.ones((len(texts), 8 if len(texts) > 1 else 4)))
    with pytest.raises(UsageError, match="has 4 numbers, those of the passages 8"):
        search("question")


def test_a_query_is_a_string():
    with pytest.raises(UsageError, match="not \\['int'\\]"):
        dspx.Embeddings(CORPUS, words)(3)  # pyright: ignore[reportArgumentType]


# ---------------------------------------------------------------- a large corpus


def test_above_the_threshold_faiss_is_needed_and_named(monkeypatch: pytest.MonkeyPatch):
    from dspx.retrievers import approximate

    def nothing(name: str) -> Any:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(approximate, "import_module", nothing)
    with pytest.raises(UsageError, match=r'pip install "dspx\[faiss\]".*brute_force_threshold=5'):
        dspx.Embeddings(CORPUS, words, brute_force_threshold=4)
    assert dspx.Embeddings(CORPUS, words, brute_force_threshold=5).index is None


def test_a_saved_one_says_so_when_the_model_is_another(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    with Server(model="schema") as server:
        settings = {"api_base": server.api_base, "api_key": "none", "caching": False}
        dspx.Embeddings(CORPUS, dspx.Embedder("openai/one", **settings)).save(tmp_path / "saved")
        with caplog.at_level(logging.WARNING, "dspx.retrievers"):
            dspx.Embeddings.from_saved(tmp_path / "saved", dspx.Embedder("openai/one", **settings))
            assert not caplog.records
            dspx.Embeddings.from_saved(tmp_path / "saved", dspx.Embedder("openai/two", **settings))
    assert "was embedded by openai/one; its queries will be by openai/two" in caplog.text
