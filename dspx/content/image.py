"""Images: a URL or a data URI, sent as an `image_url` block."""

from __future__ import annotations

import io
import sys
import warnings
from os import PathLike, fspath
from typing import Any, ClassVar

from pydantic import ConfigDict, model_validator

from dspx.content.base import Type
from dspx.content.encoding import data_uri, image_type, read_file, split_data_uri, type_of_name
from dspx.content.markers import blocks_in

_SCHEMES = ("http://", "https://", "gs://", "data:")
_NOT_GIVEN: Any = object()


class Image(Type):
    """An image in a prompt.

    `Image("https://…")`, `Image("gs://…")`, `Image("data:image/png;base64,…")`, `Image(png_bytes)`, `Image(pil_image)`.
    A URL stays a URL: nothing is downloaded or read from disk here, see `from_url` and `from_path`.
    """

    url: str

    model_config = ConfigDict(
        frozen=True, str_strip_whitespace=True, validate_assignment=True, extra="forbid"
    )
    _rendered_from: ClassVar[tuple[str, ...]] = ("url",)

    def __init__(
        self, source: Any = None, /, *, download: Any = _NOT_GIVEN, verify: Any = _NOT_GIVEN, **data: Any
    ) -> None:
        if source is not None:
            if "url" in data:
                raise TypeError("Image received both a source and `url`; give it one.")
            data["url"] = _url_of(_downloaded(source, download, verify))
        elif "url" in data:
            data["url"] = _url_of(data["url"])
        super().__init__(**data)

    @model_validator(mode="before")
    @classmethod
    def _read(cls, value: Any) -> Any:
        """Also values that are no dict: a URL from a model's answer, a saved image's text."""
        if isinstance(value, str):
            blocks = blocks_in(value)
            return {"url": blocks[0]["image_url"]["url"] if _is_image(blocks) else _url_of(value)}
        if isinstance(value, dict) and isinstance(value.get("url"), str):
            return {**value, "url": _url_of(value["url"])}
        return value

    def format(self) -> list[dict[str, Any]]:
        return [{"type": "image_url", "image_url": {"url": self.url}}]

    @classmethod
    def from_path(cls, file_path: str | PathLike[str]) -> Image:
        """The image in a file. `ValueError` where there is no such file, or it is no image."""
        data = read_file(file_path)
        mime_type = image_type(data) or type_of_name(fspath(file_path)) or ""
        if not mime_type.startswith("image/"):
            raise ValueError(f"Not an image, by its first bytes and by its name: {file_path}")
        return cls(data_uri(data, mime_type))

    @classmethod
    def from_url(cls, url: str, verify: bool = True, timeout: float | None = 30.0) -> Image:
        """The image behind a URL, downloaded now. (`Image(url)` leaves the download to the provider.)"""
        from dspx.content.fetch import fetch

        fetched = fetch(url, verify=verify, timeout=timeout)
        mime_type = image_type(fetched.body) or fetched.mime_type
        if not mime_type.startswith("image/"):
            raise ValueError(f"{url} is {mime_type or 'of unknown type'}, not an image.")
        return cls(data_uri(fetched.body, mime_type))

    @classmethod
    def from_file(cls, file_path: str) -> Image:
        """The old name of `from_path`."""
        warnings.warn("Image.from_file is Image.from_path now.", DeprecationWarning, stacklevel=2)
        return cls.from_path(file_path)

    @classmethod
    def from_PIL(cls, pil_image: Any) -> Image:
        """A Pillow image; `Image(pil_image)` does the same."""
        return cls(pil_image)

    def __str__(self) -> str:
        return str(self.serialize_model())

    def __repr__(self) -> str:
        parts = split_data_uri(self.url)
        if parts is None:
            return f"Image(url={self.url!r})"
        return f"Image(url=data:{parts[0]};base64,<IMAGE_BASE_64_ENCODED({len(parts[1])})>)"


def _url_of(source: Any) -> str:
    if isinstance(source, Image):
        return source.url
    if isinstance(source, str):
        url = source.strip()
        if url.startswith(_SCHEMES):
            return url
        raise ValueError(
            f"Not the URL of an image: {_shortened(url)}. It must start with http://, https://, gs:// or data:; "
            "load a local file with Image.from_path()."
        )
    if isinstance(source, (bytes, bytearray, memoryview)):
        return _uri_of_bytes(bytes(source))
    if isinstance(source, dict) and "url" in source:
        return _url_of(source["url"])
    if _is_pillow(source):
        return _uri_of_pillow(source)
    raise ValueError(
        f"Unsupported image type: {type(source)}. Give a URL, a data URI, bytes or a Pillow image."
    )


def _downloaded(source: Any, download: Any, verify: Any) -> Any:
    if download is _NOT_GIVEN and verify is _NOT_GIVEN:
        return source
    warnings.warn("Image(url, download=…) is Image.from_url(url) now.", DeprecationWarning, stacklevel=3)
    if download is True and isinstance(source, str) and source.startswith(("http://", "https://")):
        return Image.from_url(source, verify=verify is not False)
    return source


def _uri_of_bytes(data: bytes) -> str:
    mime_type = image_type(data)
    if mime_type is not None:
        return data_uri(data, mime_type)
    try:
        from PIL import Image as pillow  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise ImportError(
            "These bytes are no PNG, JPEG, GIF, WebP, BMP, TIFF, AVIF or HEIC image. "
            "Other formats are converted by Pillow: pip install 'dspx[images]'."
        ) from error
    return _uri_of_pillow(pillow.open(io.BytesIO(data)))


def _is_pillow(value: Any) -> bool:
    """Whoever has a Pillow image has imported Pillow."""
    module = sys.modules.get("PIL.Image")
    return module is not None and isinstance(value, module.Image)


def _uri_of_pillow(image: Any) -> str:
    """The image in its own format where models read that one, else as PNG."""
    chosen = image.format if image.format in ("PNG", "JPEG", "GIF", "WEBP") else "PNG"
    buffer = io.BytesIO()
    image.save(buffer, format=chosen)
    return data_uri(buffer.getvalue(), f"image/{chosen.lower()}")


def _is_image(blocks: list[dict[str, Any]]) -> bool:
    return len(blocks) == 1 and blocks[0].get("type") == "image_url"


def _shortened(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:80]}… ({len(text)} characters)"
