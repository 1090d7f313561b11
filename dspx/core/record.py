"""Records that are made for every call: dataclasses with slots, immutable by agreement.

pyright holds us to the agreement. A frozen dataclass holds its users to it too, but takes five times as long to
make, and a call makes several.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from typing_extensions import dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True)
def record(cls: type[T]) -> type[T]:
    """`cls` as a dataclass with slots, equality and a hash. Do not change one: make another (`dataclasses.replace`)."""
    return dataclass(slots=True, unsafe_hash=True)(cls)
