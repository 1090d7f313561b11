"""Texts as vectors, without a model: words hashed into a fixed number of buckets. Shared words, near vectors."""

from __future__ import annotations

import base64
import math
import re
import struct
from typing import Any
from zlib import crc32

from dspx.testing.models.base import count_tokens

DIMENSIONS = 256


def embed(text: str, dimensions: int = DIMENSIONS) -> list[float]:
    """A vector of length 1; the same text gives the same one, everywhere. All zeros for a text without words."""
    vector = [0.0] * dimensions
    for word in re.findall(r"\w+", text.lower()):
        digest = crc32(word.encode())
        vector[digest % dimensions] += 1.0 if digest & 0x10000 else -1.0
    length = math.sqrt(sum(value * value for value in vector)) or 1.0
    return [value / length for value in vector]


def embeddings(body: dict[str, Any]) -> dict[str, Any]:
    """The answer to POST /v1/embeddings."""
    given = body["input"]
    texts: list[Any] = [given] if isinstance(given, str) or (given and isinstance(given[0], int)) else given
    size = int(body.get("dimensions") or DIMENSIONS)
    vectors = [embed(text if isinstance(text, str) else " ".join(map(str, text)), size) for text in texts]
    packed = body.get("encoding_format") == "base64"
    sent = sum(count_tokens(str(text)) for text in texts)
    return {
        "object": "list",
        "model": body.get("model", "hashed"),
        "data": [
            {"object": "embedding", "index": index, "embedding": _packed(vector) if packed else vector}
            for index, vector in enumerate(vectors)
        ],
        "usage": {"prompt_tokens": sent, "total_tokens": sent},
    }


def _packed(vector: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
