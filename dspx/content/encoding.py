"""Bytes as data URIs, and what kind of bytes they are."""

from __future__ import annotations

import base64
import mimetypes
from os import PathLike
from pathlib import Path

_IMAGE_STARTS = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"BM", "image/bmp"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
)
_ISO_BRANDS = {
    b"avif": "image/avif",
    b"avis": "image/avif",
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"mif1": "image/heif",
}


def to_base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def data_uri(data: bytes, mime_type: str) -> str:
    return f"data:{mime_type};base64,{to_base64(data)}"


def split_data_uri(uri: str) -> tuple[str, str] | None:
    """The MIME type and the payload of a base64 data URI; None for anything else."""
    if not uri.startswith("data:") or "," not in uri:
        return None
    header, payload = uri[5:].split(",", 1)
    return (header.split(";", 1)[0], payload) if header.endswith(";base64") else None


def image_type(data: bytes) -> str | None:
    """The MIME type of an image, from its first bytes."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    if data[4:8] == b"ftyp":
        return _ISO_BRANDS.get(data[8:12])
    return next((mime for start, mime in _IMAGE_STARTS if data.startswith(start)), None)


def type_of_name(name: str) -> str | None:
    """The MIME type that a file's or URL's ending promises."""
    return mimetypes.guess_type(name)[0]


def read_file(path: str | PathLike[str]) -> bytes:
    """The file's bytes; `ValueError` where there is no such file."""
    try:
        return Path(path).read_bytes()
    except (FileNotFoundError, IsADirectoryError) as error:
        raise ValueError(f"File not found: {path}") from error
