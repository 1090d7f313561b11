from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

import dspx
from dspx.errors import StateError, UsageError
from dspx.testing import dummy_rm
from tests.retrievers.material import CORPUS, words


def test_it_gives_the_texts_of_what_the_settings_retriever_finds():
    with dspx.context(rm=dummy_rm(CORPUS)):
        found = dspx.Retrieve(k=2)("capital of Portugal")
    assert found == dspx.Prediction(
        passages=[text.long_text for text in dummy_rm(CORPUS)("capital of Portugal", k=2)]
    )


def test_a_call_may_want_another_number_and_give_keywords_to_the_retriever():
    asked: list[Any] = []

    def rm(query: str, k: int, **settings: Any) -> list[str]:
        asked.append((query, k, settings))
        return ["a"] * k

    with dspx.context(rm=rm):
        retrieve = dspx.Retrieve(k=3)
        assert len(retrieve("q").passages) == 3
        assert len(retrieve(query="q", k=1, language="pt").passages) == 1
    assert asked == [("q", 3, {}), ("q", 1, {"language": "pt"})]


@pytest.mark.parametrize("is_async", [False, True])
def test_sync_and_async_retrievers_serve_sync_and_async_calls(is_async: bool):
    async def later(query: str, k: int) -> list[str]:
        return [query] * k

    rm = later if is_async else lambda query, k: [query] * k
    with dspx.context(rm=rm):
        assert dspx.Retrieve(k=1)("q").passages == ["q"]
        assert asyncio.run(dspx.Retrieve(k=1).acall("q")).passages == ["q"]


def test_embeddings_are_a_retriever():
    with dspx.context(rm=dspx.Embeddings(CORPUS, words)):
        assert dspx.Retrieve(k=1)("The Danube").passages == [CORPUS[3]]


def test_without_a_retriever_it_says_what_to_write():
    with pytest.raises(UsageError, match=r"dspx.configure\(rm=…\)"):
        dspx.Retrieve()("q")


def test_it_is_a_leaf_whose_state_is_kept(tmp_path: Path):
    class Program(dspx.Module):
        def __init__(self, k: int = 3) -> None:
            self.retrieve = dspx.Retrieve(k=k)
            self.answer = dspx.Predict("question, passages -> answer")

    program = Program(k=7)
    assert [name for name, _ in program.named_parameters()] == ["retrieve", "answer"]
    assert [name for name, _ in program.named_predictors()] == ["answer"]
    program.save(tmp_path / "program.json")
    again = Program()
    again.load(tmp_path / "program.json")
    assert again.retrieve.k == 7
    assert again.deepcopy().reset_copy().retrieve.k == 7


def test_bad_numbers_are_refused():
    with pytest.raises(UsageError, match="k=0"):
        dspx.Retrieve(k=0)
    with pytest.raises(StateError, match="k='many'"):
        dspx.Retrieve().load_state({"k": "many"})
