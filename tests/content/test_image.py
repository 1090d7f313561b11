"""Images from URLs, bytes, Pillow and files."""

from __future__ import annotations

import base64
import builtins
import copy
import sys
import types
from pathlib import Path

import httpx
import pydantic
import pytest

from dspx.content.image import Image

respx = pytest.importorskip("respx")

URL = "https://example.com/cat.png"
PNG_BYTES = b"\x89PNG\r\n\x1a\n rest"
PNG = "data:image/png;base64," + base64.b64encode(PNG_BYTES).decode()


@pytest.mark.parametrize("url", [URL, "http://example.com", "gs://bucket/cat.jpg", PNG, "data:,x"])
def test_a_url_stays_a_url(url: str):
    assert Image(url).url == url == Image(url=url).url == Image({"url": url}).url == Image(Image(url)).url


def test_the_block_is_openais():
    assert Image(URL).format() == [{"type": "image_url", "image_url": {"url": URL}}]


def test_spaces_around_a_url_are_dropped():
    assert Image(f" {URL}\n").url == URL


@pytest.mark.parametrize(
    "text", ["nonsense", "/etc/passwd", "cat.png", "ftp://example.com/x", "file:///x.png"]
)
def test_other_strings_are_refused_and_nothing_is_read(text: str):
    with pytest.raises(ValueError, match="from_path"):
        Image(text)
    with pytest.raises(ValueError, match="from_path"):
        Image(url=text)


@pytest.mark.parametrize("source", [3, ["x"], {"src": URL}, object()])
def test_other_values_are_refused(source: object):
    with pytest.raises(ValueError, match="Unsupported image type"):
        Image(source)


def test_two_sources_are_refused():
    with pytest.raises(TypeError, match="one"):
        Image(URL, url=URL)


def test_no_source_is_a_validation_error():
    with pytest.raises(pydantic.ValidationError):
        Image()


@pytest.mark.parametrize(
    ("start", "mime"),
    [
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"BM\x00", "image/bmp"),
        (b"II*\x00", "image/tiff"),
        (b"\x00\x00\x00\x1cftypavif", "image/avif"),
        (b"\x00\x00\x00\x1cftypheic", "image/heic"),
    ],
)
def test_bytes_are_recognized_without_pillow(start: bytes, mime: str):
    assert Image(start + b"rest").url.startswith(f"data:{mime};base64,")
    assert Image(bytearray(start + b"rest")).url.startswith(f"data:{mime};base64,")


def test_unknown_bytes_name_the_extra_that_converts_them(monkeypatch: pytest.MonkeyPatch):
    real = builtins.__import__

    def without_pillow(name: str, *args: object, **kwargs: object):
        if name.startswith("PIL"):
            raise ImportError(name)
        return real(name, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", without_pillow)
    with pytest.raises(ImportError, match=r"dspx\[images\]"):
        Image(b"junk")


@pytest.fixture
def pillow(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """As much of Pillow as an image needs to be written out."""

    class FakeImage:
        def __init__(self, format: str | None = None) -> None:
            self.format = format

        def save(self, buffer, format: str) -> None:
            buffer.write(f"saved as {format}".encode())

    package, module = types.ModuleType("PIL"), types.ModuleType("PIL.Image")
    module.Image = FakeImage  # type: ignore[attr-defined]
    module.open = lambda file: FakeImage("PPM")  # type: ignore[attr-defined]
    package.Image = module  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "PIL", package)
    monkeypatch.setitem(sys.modules, "PIL.Image", module)
    return module


def test_a_pillow_image_keeps_its_format_where_models_read_it(pillow):
    assert (
        Image(pillow.Image("JPEG")).url
        == "data:image/jpeg;base64," + base64.b64encode(b"saved as JPEG").decode()
    )
    assert Image.from_PIL(pillow.Image("PPM")).url.startswith("data:image/png;base64,")
    assert Image(pillow.Image()).url.startswith("data:image/png;base64,")


def test_pillow_converts_unknown_bytes(pillow):
    assert Image(b"P6 ...").url.startswith("data:image/png;base64,")


def test_a_file_is_recognized_by_its_bytes_then_its_name(tmp_path: Path):
    (tmp_path / "wrong.jpg").write_bytes(PNG_BYTES)
    (tmp_path / "drawing.svg").write_bytes(b"<svg/>")
    assert Image.from_path(tmp_path / "wrong.jpg").url == PNG
    assert Image.from_path(str(tmp_path / "drawing.svg")).url.startswith("data:image/svg+xml;base64,")


def test_a_file_that_is_missing_or_no_image_is_refused(tmp_path: Path):
    (tmp_path / "x.txt").write_text("hi")
    with pytest.raises(ValueError, match="Not an image"):
        Image.from_path(tmp_path / "x.txt")
    with pytest.raises(ValueError, match="File not found"):
        Image.from_path(tmp_path / "none.png")
    with pytest.raises(ValueError, match="File not found"):
        Image.from_path(tmp_path)


def test_old_names_warn(tmp_path: Path):
    (tmp_path / "x.png").write_bytes(PNG_BYTES)
    with pytest.warns(DeprecationWarning, match="from_path"):
        assert Image.from_file(str(tmp_path / "x.png")).url == PNG


@respx.mock
def test_from_url_downloads_and_embeds():
    respx.get(URL).mock(
        return_value=httpx.Response(200, content=PNG_BYTES, headers={"content-type": "text/html"})
    )
    assert Image.from_url(URL).url == PNG
    with pytest.warns(DeprecationWarning, match="from_url"):
        assert Image(URL, download=True).url == PNG


@respx.mock
def test_from_url_names_what_went_wrong():
    respx.get(URL).mock(return_value=httpx.Response(404))
    with pytest.raises(ConnectionError, match=r"cat\.png.*404"):
        Image.from_url(URL)
    respx.get(URL).mock(
        return_value=httpx.Response(200, text="<html>", headers={"content-type": "text/html; x"})
    )
    with pytest.raises(ValueError, match="text/html, not an image"):
        Image.from_url(URL)
    respx.get(URL).mock(side_effect=httpx.ConnectTimeout("too slow"))
    with pytest.raises(ConnectionError, match="too slow"):
        Image.from_url(URL)


def test_reprs_hide_the_data():
    assert repr(Image(URL)) == f"Image(url='{URL}')"
    assert repr(Image(PNG)) == f"Image(url=data:image/png;base64,<IMAGE_BASE_64_ENCODED({len(PNG) - 22})>)"


def test_it_is_a_value():
    image = Image(URL)
    str(image)  # remembers its text
    assert image == Image(URL)
    assert hash(image) == hash(Image(URL))
    assert copy.deepcopy(image) == image
    assert repr(image) == repr(Image(URL))
    with pytest.raises(pydantic.ValidationError):
        image.url = "https://example.com/dog.png"


def test_its_text_is_made_once():
    image = Image(PNG)
    assert image.model_dump() is image.model_dump()
    assert image.model_copy(update={"url": URL}).model_dump() == Image(URL).model_dump()


def test_it_is_read_from_a_url_a_dict_and_its_own_text():
    adapter = pydantic.TypeAdapter(Image)
    assert adapter.validate_python(URL) == adapter.validate_python({"url": URL}) == Image(URL)
    assert adapter.validate_python(str(Image(PNG))) == Image(PNG)
    assert adapter.validate_json(adapter.dump_json(Image(PNG))) == Image(PNG)
    with pytest.raises(pydantic.ValidationError):
        adapter.validate_python("a cat")
