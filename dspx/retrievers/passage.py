"""A passage with what its retriever knows of it; and the texts of whatever a retriever gave."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from dspx.errors import UsageError


class Passage(dict[str, Any]):
    """A passage as ranking servers give it: `.long_text`, or `["long_text"]`; so its score, its id, …"""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


def texts_of(found: Any) -> list[str]:
    """The passages' texts, best first, of a Prediction with `passages`, one passage, or several of them.

    A passage is a string, or has `long_text` as an attribute or an item. UsageError for anything else.
    """
    passages = getattr(found, "passages", found)
    if isinstance(passages, (str, Mapping)) or not isinstance(passages, Iterable):
        passages = [passages]
    return [_text_of(passage) for passage in passages]


def _text_of(passage: Any) -> str:
    if isinstance(passage, str):
        return passage
    text = getattr(passage, "long_text", None)
    if text is None and isinstance(passage, Mapping):
        text = passage.get("long_text")
    if not isinstance(text, str):
        raise UsageError(
            f"The retriever gave a passage of type {type(passage).__name__} without `long_text`. It has to give strings, or "
            "passages that have their text as `long_text`, or a Prediction with `passages`."
        )
    return text
