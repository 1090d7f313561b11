"""A folder that holds passages and their vectors: JSON, numpy's own format, FAISS's index; nothing that is run.

    config.json              k, normalize, the passages, which model embedded them
    corpus_embeddings.npy    float32, a row for each passage
    faiss_index.bin          where the corpus is searched by FAISS

DSPy 3.4 writes the same layout, and reads this one.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from dspx.core.ids import new_id
from dspx.errors import StateError
from dspx.retrievers import approximate

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FORMAT = 1
"""The version of the layout. A newer one is refused."""

_CONFIG, _VECTORS, _INDEX = "config.json", "corpus_embeddings.npy", "faiss_index.bin"


@dataclass(frozen=True, slots=True, eq=False)
class Saved:
    """What a folder holds."""

    corpus: list[str]
    vectors: NDArray[np.float32]
    k: int
    normalize: bool
    model: str | None = None
    index: Any = None


def write(path: Path, content: Saved) -> None:
    """Write a folder, in the place of the one that may be there."""
    if path.exists() and not (path / _CONFIG).is_file() and (path.is_file() or any(path.iterdir())):
        raise StateError(f"{path} holds something else than saved embeddings; give an empty or a new folder.")
    partial = path.with_name(f"{path.name}.{new_id()}.partial")
    partial.mkdir(parents=True)
    try:
        _fill(partial, content)
        _put_in_place(partial, path)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


def read(path: Path) -> Saved:
    """What a folder holds. StateError where it is not whole, or was written by a newer dspx."""
    config = _config(path)
    corpus, vectors = config["corpus"], _vectors(path / _VECTORS)
    if len(corpus) != len(vectors):
        raise StateError(f"{path} holds {len(corpus)} passages, but {len(vectors)} vectors.")
    index = None
    if config.get("has_faiss_index"):
        index = approximate.read(path / _INDEX, *vectors.shape)
    return Saved(corpus, vectors, config["k"], config["normalize"], config.get("model"), index)


def _fill(folder: Path, content: Saved) -> None:
    import numpy as np

    config = {
        "format": FORMAT,
        "k": content.k,
        "normalize": content.normalize,
        "corpus": content.corpus,
        "has_faiss_index": content.index is not None,
        "model": content.model,
    }
    (folder / _CONFIG).write_bytes(_json(config))
    np.save(folder / _VECTORS, content.vectors, allow_pickle=False)
    if content.index is not None:
        approximate.write(content.index, folder / _INDEX)


def _put_in_place(partial: Path, path: Path) -> None:
    if not path.exists():
        partial.rename(path)
        return
    old = path.with_name(f"{path.name}.{new_id()}.old")
    path.rename(old)
    partial.rename(path)
    shutil.rmtree(old)


def _config(path: Path) -> dict[str, Any]:
    try:
        config: Any = _read_json((path / _CONFIG).read_bytes())
    except FileNotFoundError as error:
        raise StateError(f"{path} is no folder of saved embeddings: it has no {_CONFIG}.") from error
    except ValueError as error:
        raise StateError(f"{path / _CONFIG} is not JSON: {error}") from error
    written = config.get("format", FORMAT) if isinstance(config, dict) else None
    if isinstance(written, int) and written > FORMAT:
        raise StateError(
            f"{path} was written by a newer dspx (format {written}); this one reads up to {FORMAT}."
        )
    fits = (
        isinstance(config, dict)
        and isinstance(config.get("k"), int)
        and config["k"] > 0
        and isinstance(config.get("normalize"), bool)
        and isinstance(config.get("corpus"), list)
        and all(isinstance(text, str) for text in config["corpus"])
    )
    if not fits:
        raise StateError(
            f"{path / _CONFIG} does not say `k`, `normalize` and `corpus` as save() writes them."
        )
    return config


def _vectors(path: Path) -> NDArray[np.float32]:
    import numpy as np
    from numpy.lib import format as npy

    try:
        with path.open("rb") as file:
            vectors: Any = npy.read_array(file, allow_pickle=False)
    except FileNotFoundError as error:
        raise StateError(f"{path} is missing.") from error
    except (ValueError, EOFError) as error:
        raise StateError(f"{path} is no array that can be read: {error}") from error
    if getattr(vectors, "ndim", 0) != 2 or vectors.dtype.kind != "f":
        raise StateError(f"{path} is not a table of vectors.")
    return np.asarray(vectors, dtype=np.float32)


def _json(value: Any) -> bytes:
    try:
        return orjson.dumps(value, option=orjson.OPT_INDENT_2)
    except TypeError:  # half of a surrogate pair in a passage: orjson refuses what json can write
        import json

        return json.dumps(value, indent=2).encode()


def _read_json(text: bytes) -> Any:
    import json

    try:
        return orjson.loads(text)
    except ValueError:
        return json.loads(text)
