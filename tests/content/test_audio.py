"""Recordings from data URIs, bytes, samples and files."""

from __future__ import annotations

import base64
import io
import wave
from pathlib import Path

import httpx
import numpy as np
import pydantic
import pytest

from dspx.content.audio import Audio

respx = pytest.importorskip("respx")
WAV = "data:audio/wav;base64,QUJD"


def test_a_data_uri_says_data_and_format():
    assert Audio(WAV) == Audio(data="QUJD", audio_format="wav") == Audio(Audio(WAV))
    assert Audio("data:audio/x-wav;base64,QUJD").audio_format == "wav"
    assert Audio("data:audio/ogg;codecs=opus;base64,QUJD").audio_format == "ogg"


def test_mpeg_has_the_name_that_apis_know():
    assert Audio("data:audio/mpeg;base64,QUJD").audio_format == "mp3"


def test_bytes_are_encoded():
    assert Audio(b"ABC") == Audio(data="QUJD", audio_format="wav")
    assert Audio(b"ABC", audio_format="mp3").audio_format == "mp3"
    assert Audio(data=b"ABC", audio_format="mp3") == Audio(data="QUJD", audio_format="mp3")
    assert Audio({"data": "QUJD", "audio_format": "flac"}).audio_format == "flac"


def test_the_block_is_openais():
    assert Audio(WAV).format() == [{"type": "input_audio", "input_audio": {"data": "QUJD", "format": "wav"}}]


@pytest.mark.parametrize(
    "text", ["nonsense", "https://example.com/a.mp3", "/x.wav", "data:image/png;base64,QUJD"]
)
def test_other_strings_are_refused(text: str):
    with pytest.raises(ValueError, match="data URI"):
        Audio(text)


def test_other_values_are_refused():
    with pytest.raises(ValueError, match="Unsupported audio type"):
        Audio(3)
    with pytest.raises(TypeError, match="one"):
        Audio(WAV, data="x")
    with pytest.raises(pydantic.ValidationError):
        Audio()


def test_samples_become_a_wav_file():
    audio = Audio(np.array([0.0, 0.5, -1.0, 2.0]), sampling_rate=8000)
    with wave.open(io.BytesIO(base64.b64decode(audio.data))) as file:
        assert (file.getnchannels(), file.getframerate(), file.getnframes()) == (1, 8000, 4)
        assert np.frombuffer(file.readframes(4), "<i2").tolist() == [0, 16384, -32767, 32767]
    stereo = Audio.from_array(np.zeros((3, 2), dtype=np.int16), 16000)
    with wave.open(io.BytesIO(base64.b64decode(stereo.data))) as file:
        assert (file.getnchannels(), file.getnframes()) == (2, 3)


def test_other_formats_name_the_extra(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(__import__("sys").modules, "soundfile", None)
    with pytest.raises(ImportError, match=r"dspx\[audio\]"):
        Audio.from_array(np.zeros(3), 16000, format="flac")


def test_a_file_has_the_format_of_its_name(tmp_path: Path):
    (tmp_path / "x.mp3").write_bytes(b"ABC")
    (tmp_path / "x.txt").write_bytes(b"ABC")
    assert Audio.from_path(tmp_path / "x.mp3") == Audio(data="QUJD", audio_format="mp3")
    with pytest.raises(ValueError, match="text/plain"):
        Audio.from_path(tmp_path / "x.txt")
    with pytest.raises(ValueError, match="File not found"):
        Audio.from_path(tmp_path / "none.wav")
    with pytest.warns(DeprecationWarning, match="from_path"):
        Audio.from_file(str(tmp_path / "x.mp3"))


@respx.mock
def test_from_url_downloads():
    respx.get("https://example.com/a").mock(
        return_value=httpx.Response(200, content=b"ABC", headers={"content-type": "audio/mpeg"})
    )
    assert Audio.from_url("https://example.com/a") == Audio(data="QUJD", audio_format="mp3")


def test_it_is_a_value_and_hides_its_data():
    audio = Audio(WAV)
    assert repr(audio) == "Audio(data=<AUDIO_BASE_64_ENCODED(4)>, audio_format='wav')"
    assert audio.model_dump() is audio.model_dump() == str(audio)
    assert audio == Audio(WAV)
    assert pydantic.TypeAdapter(Audio).validate_python(WAV) == audio
