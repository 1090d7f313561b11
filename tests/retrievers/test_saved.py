from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import dspx
from dspx.errors import StateError
from dspx.retrievers import saved
from tests.retrievers.material import CORPUS, words

TEXTS = st.lists(st.text() | st.just("a lone half \ud800 of a pair"), min_size=1, max_size=6)
FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False)
CONTENTS = TEXTS.flatmap(
    lambda corpus: st.builds(
        saved.Saved,
        st.just(corpus),
        arrays(np.float32, (len(corpus), 3), elements=FLOATS),
        st.integers(1, 10**6),
        st.booleans(),
        st.none() | st.text(),
    )
)


@given(CONTENTS)
def test_what_was_written_is_read(content: saved.Saved):
    with TemporaryDirectory() as folder:
        saved.write(Path(folder) / "new" / "saved", content)
        found = saved.read(Path(folder) / "new" / "saved")
    assert (found.corpus, found.k, found.normalize, found.index) == (
        content.corpus,
        content.k,
        content.normalize,
        None,
    )
    assert found.vectors.tobytes() == content.vectors.tobytes()


def test_a_loaded_one_answers_as_the_saved_one_did_and_embeds_no_passage(tmp_path: Path):
    search = dspx.EmbeddingsWithScores(CORPUS, words, k=2)
    search.save(tmp_path / "saved")
    asked: list[list[str]] = []

    def embed(texts: list[str]) -> Any:
        asked.append(texts)
        return words(texts)

    again = dspx.EmbeddingsWithScores.from_saved(str(tmp_path / "saved"), embed)
    assert again("capital of Spain") == search("capital of Spain")
    assert asked == [["capital of Spain"]]
    other = dspx.Embeddings(["something else"], words).load(tmp_path / "saved", words)
    assert other("capital of Spain").indices == search("capital of Spain").indices


def test_dspys_layout_can_be_read(tmp_path: Path):
    config = {"k": 1, "normalize": True, "corpus": CORPUS, "has_faiss_index": False}
    (tmp_path / "config.json").write_text(json.dumps(config, indent=2))
    np.save(tmp_path / "corpus_embeddings.npy", np.array(words(CORPUS)))
    assert dspx.Embeddings.from_saved(tmp_path, words)("The Danube").indices == [3]


def test_it_is_replaced_as_a_whole_and_nothing_else_is_left(tmp_path: Path):
    dspx.Embeddings(CORPUS, words).save(tmp_path / "saved")
    dspx.Embeddings(CORPUS[:2], words).save(tmp_path / "saved")
    assert len(saved.read(tmp_path / "saved").corpus) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["saved"]


def test_a_failure_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    dspx.Embeddings(CORPUS, words).save(tmp_path / "saved")

    def full(*args: Any, **kwargs: Any) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(np, "save", full)
    with pytest.raises(OSError, match="no space"):
        dspx.Embeddings(CORPUS[:2], words).save(tmp_path / "saved")
    assert saved.read(tmp_path / "saved").corpus == CORPUS
    assert [path.name for path in tmp_path.iterdir()] == ["saved"]


def test_a_folder_of_something_else_is_not_replaced(tmp_path: Path):
    (tmp_path / "thesis.txt").write_text("three years of work")
    with pytest.raises(StateError, match="holds something else"):
        dspx.Embeddings(CORPUS, words).save(tmp_path)
    assert (tmp_path / "thesis.txt").exists()


class Trap:
    def __reduce__(self) -> Any:
        return (pytest.fail, ("a pickle was loaded",))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda path: (path / "config.json").unlink(), "has no config.json"),
        (lambda path: (path / "config.json").write_text("{"), "is not JSON"),
        (lambda path: (path / "config.json").write_text("[]"), "does not say `k`"),
        (lambda path: (path / "config.json").write_text('{"format": 2}'), "newer dspx"),
        (lambda path: (path / "corpus_embeddings.npy").unlink(), "is missing"),
        (lambda path: (path / "corpus_embeddings.npy").write_bytes(b"PK\x03\x04"), "no array"),
        (lambda path: (path / "corpus_embeddings.npy").write_bytes(b""), "no array"),
        (lambda path: np.save(path / "corpus_embeddings.npy", np.zeros((2, 3))), "5 passages, but 2 vectors"),
        (lambda path: np.save(path / "corpus_embeddings.npy", np.zeros(5)), "not a table of vectors"),
        (
            lambda path: np.save(path / "corpus_embeddings.npy", np.array([[Trap()]] * 5), allow_pickle=True),
            "no array",
        ),
    ],
)
def test_a_folder_that_is_not_whole_is_refused_and_nothing_is_unpickled(
    spoil: Any, message: str, tmp_path: Path
):
    dspx.Embeddings(CORPUS, words).save(tmp_path / "saved")
    spoil(tmp_path / "saved")
    with pytest.raises(StateError, match=message):
        dspx.Embeddings.from_saved(tmp_path / "saved", words)
