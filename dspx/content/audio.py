"""Audio: base64 data and its format, sent as an `input_audio` block."""

from __future__ import annotations

import io
import warnings
from os import PathLike, fspath
from typing import Any, ClassVar

from pydantic import ConfigDict, model_validator

from dspx.content.base import Type
from dspx.content.encoding import read_file, split_data_uri, to_base64, type_of_name

# MIME's name of a format, where APIs have another
_FORMAT_NAMES = {"mpeg": "mp3", "vnd.wave": "wav", "wave": "wav"}
_HOW = "Load a local file with Audio.from_path() and a remote one with Audio.from_url()."


class Audio(Type):
    """A recording in a prompt.

    `Audio("data:audio/wav;base64,…")`, `Audio(wav_bytes)`, `Audio(mp3_bytes, audio_format="mp3")`,
    `Audio(samples, sampling_rate=16000)`, `Audio(data=base64_text, audio_format="mp3")`.
    """

    data: str
    audio_format: str

    model_config = ConfigDict(frozen=True, extra="forbid")
    _rendered_from: ClassVar[tuple[str, ...]] = ("data", "audio_format")

    def __init__(self, source: Any = None, /, **data: Any) -> None:
        if source is not None:
            if "data" in data:
                raise TypeError("Audio received both a source and `data`; give it one.")
            data = _parts_of(source, data)
        super().__init__(**data)

    @model_validator(mode="before")
    @classmethod
    def validate_input(cls, value: Any) -> Any:
        """Also values that are no dict, and bytes or a data URI as `data`."""
        if isinstance(value, (str, bytes)):
            return _parts_of(value, {})
        if isinstance(value, dict) and _needs_reading(value):
            rest = {key: item for key, item in value.items() if key != "data"}
            return _parts_of(value["data"], rest)
        return value

    def format(self) -> list[dict[str, Any]]:
        return [{"type": "input_audio", "input_audio": {"data": self.data, "format": self.audio_format}}]

    @classmethod
    def from_path(cls, file_path: str | PathLike[str]) -> Audio:
        """The recording in a file, its format by the file's ending."""
        data = read_file(file_path)
        mime_type = type_of_name(fspath(file_path)) or "of unknown type"
        return cls(data=to_base64(data), audio_format=_format_of(mime_type, fspath(file_path)))

    @classmethod
    def from_url(cls, url: str, verify: bool = True, timeout: float | None = 30.0) -> Audio:
        """The recording behind a URL, downloaded now."""
        from dspx.content.fetch import fetch

        fetched = fetch(url, verify=verify, timeout=timeout)
        return cls(data=to_base64(fetched.body), audio_format=_format_of(fetched.mime_type, url))

    @classmethod
    def from_array(cls, array: Any, sampling_rate: int, format: str = "wav") -> Audio:
        """Samples between -1 and 1, one row per frame. WAV is written here, other formats by soundfile."""
        encoded = (
            _wav(array, sampling_rate) if format == "wav" else _by_soundfile(array, sampling_rate, format)
        )
        return cls(data=to_base64(encoded), audio_format=format)

    @classmethod
    def from_file(cls, file_path: str) -> Audio:
        """The old name of `from_path`."""
        warnings.warn("Audio.from_file is Audio.from_path now.", DeprecationWarning, stacklevel=2)
        return cls.from_path(file_path)

    def __str__(self) -> str:
        return str(self.serialize_model())

    def __repr__(self) -> str:
        return f"Audio(data=<AUDIO_BASE_64_ENCODED({len(self.data)})>, audio_format={self.audio_format!r})"


def _parts_of(source: Any, given: dict[str, Any]) -> dict[str, Any]:
    """The fields of an Audio: `given`, and what the source says."""
    if isinstance(source, Audio):
        return {"data": source.data, "audio_format": source.audio_format, **given}
    if isinstance(source, dict):
        return {**source, **given}
    if isinstance(source, (bytes, bytearray)):
        return {"audio_format": "wav", **given, "data": to_base64(bytes(source))}
    if isinstance(source, str):
        parts = split_data_uri(source)
        if parts is None or not parts[0].startswith("audio/"):
            raise ValueError(f"A string of audio must be a data URI (data:audio/…;base64,…). {_HOW}")
        return {"audio_format": _format_of(parts[0], "the data URI"), **given, "data": parts[1]}
    if hasattr(source, "__array__"):
        rate = given.pop("sampling_rate", 16000)
        made = Audio.from_array(source, rate, given.get("audio_format", "wav"))
        return {"data": made.data, "audio_format": made.audio_format}
    raise ValueError(
        f"Unsupported audio type: {type(source)}. Give a data URI, bytes or an array of samples."
    )


def _needs_reading(value: dict[str, Any]) -> bool:
    data = value.get("data")
    return isinstance(data, bytes) or (isinstance(data, str) and data.startswith("data:"))


def _format_of(mime_type: str, source: str) -> str:
    if not mime_type.startswith("audio/"):
        raise ValueError(f"Unsupported MIME type for audio: {mime_type or 'none'} ({source})")
    name = mime_type[len("audio/") :].removeprefix("x-")
    return _FORMAT_NAMES.get(name, name)


def _wav(array: Any, sampling_rate: int) -> bytes:
    import wave

    import numpy as np

    samples = np.asarray(array)
    if samples.dtype.kind == "f":
        samples = (np.clip(samples, -1.0, 1.0) * 32767).round()
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1 if samples.ndim == 1 else samples.shape[1])
        file.setsampwidth(2)
        file.setframerate(sampling_rate)
        file.writeframes(samples.astype("<i2").tobytes())
    return buffer.getvalue()


def _by_soundfile(array: Any, sampling_rate: int, format: str) -> bytes:
    try:
        import soundfile  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise ImportError(f"soundfile is needed to encode {format}: pip install 'dspx[audio]'.") from error
    buffer = io.BytesIO()
    soundfile.write(buffer, array, sampling_rate, format=format.upper())
    return buffer.getvalue()
