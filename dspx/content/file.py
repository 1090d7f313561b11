"""Files: data, or the id of an upload, sent as a `file` block."""

from __future__ import annotations

from os import PathLike, fspath
from pathlib import Path
from typing import Any, ClassVar

from pydantic import ConfigDict, model_validator

from dspx.content.base import Type
from dspx.content.encoding import data_uri, read_file, split_data_uri, type_of_name

_ANY_TYPE = "application/octet-stream"
_FIELDS = ("file_data", "file_id", "filename")


class File(Type):
    """A file in a prompt.

    `File("data:application/pdf;base64,…")`, `File(pdf_bytes, filename="x.pdf")`, `File(file_id="file-123")`,
    `File.from_path("report.pdf")`.
    """

    file_data: str | None = None
    file_id: str | None = None
    filename: str | None = None

    model_config = ConfigDict(
        frozen=True, str_strip_whitespace=True, validate_assignment=True, extra="forbid"
    )
    _rendered_from: ClassVar[tuple[str, ...]] = _FIELDS

    def __init__(self, source: Any = None, /, **data: Any) -> None:
        if source is not None:
            data = {**_parts_of(source), **data}
        super().__init__(**data)

    @model_validator(mode="before")
    @classmethod
    def validate_input(cls, value: Any) -> Any:
        if isinstance(value, (str, bytes)):
            value = _parts_of(value)
        if isinstance(value, dict) and all(value.get(name) is None for name in _FIELDS):
            raise ValueError("A File needs at least one of: file_data, file_id, filename.")
        return value

    def format(self) -> list[dict[str, Any]]:
        given = {name: value for name in _FIELDS if (value := getattr(self, name)) is not None}
        return [{"type": "file", "file": given}]

    @classmethod
    def from_path(
        cls, file_path: str | PathLike[str], filename: str | None = None, mime_type: str | None = None
    ) -> File:
        """The file's bytes, under its own name and the MIME type of its ending unless told otherwise."""
        data = read_file(file_path)
        kind = mime_type or type_of_name(fspath(file_path)) or _ANY_TYPE
        return cls(file_data=data_uri(data, kind), filename=filename or Path(file_path).name)

    @classmethod
    def from_bytes(cls, file_bytes: bytes, filename: str | None = None, mime_type: str = _ANY_TYPE) -> File:
        return cls(file_data=data_uri(file_bytes, mime_type), filename=filename)

    @classmethod
    def from_file_id(cls, file_id: str, filename: str | None = None) -> File:
        """A file that was uploaded to the provider before."""
        return cls(file_id=file_id, filename=filename)

    def __str__(self) -> str:
        return str(self.serialize_model())

    def __repr__(self) -> str:
        parts: list[str] = []
        if self.file_data is not None:
            parts.append(f"file_data={_summary(self.file_data)}")
        if self.file_id is not None:
            parts.append(f"file_id={self.file_id!r}")
        if self.filename is not None:
            parts.append(f"filename={self.filename!r}")
        return f"File({', '.join(parts)})"


def _parts_of(source: Any) -> dict[str, Any]:
    if isinstance(source, File):
        return {name: getattr(source, name) for name in _FIELDS}
    if isinstance(source, dict):
        return dict(source)
    if isinstance(source, (bytes, bytearray)):
        return {"file_data": data_uri(bytes(source), _ANY_TYPE)}
    if isinstance(source, str):
        if source.startswith("data:"):
            return {"file_data": source}
        raise ValueError(
            f"A string of a file must be a data URI, received: {source[:80]}. "
            "Load a local file with File.from_path(), and name an upload with File.from_file_id()."
        )
    raise ValueError(f"Unsupported file type: {type(source)}. Give a data URI or bytes.")


def _summary(data: str) -> str:
    parts = split_data_uri(data)
    return f"<DATA({len(data)} chars)>" if parts is None else f"<DATA_URI({parts[0]}, {len(parts[1])} chars)>"
