"""Make texts comparable: the same words, whatever their case, punctuation and articles."""

from __future__ import annotations

import re
import string
import unicodedata

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_WITHOUT_PUNCTUATION = str.maketrans("", "", string.punctuation)


def normalize_text(text: str) -> str:
    """`text` in lower case, without punctuation and English articles, its blanks collapsed.

    >>> normalize_text("The,  Eiffel  Tower!")
    'eiffel tower'

    A text of which nothing would be left keeps its words, so that the answer "A" of a multiple-choice
    question stays different from "" and from "the".
    """
    lowered = unicodedata.normalize("NFD", text).lower()
    words = lowered.translate(_WITHOUT_PUNCTUATION)
    return _joined(_ARTICLES.sub(" ", words)) or _joined(words) or _joined(lowered)


def _joined(text: str) -> str:
    return " ".join(text.split())
