"""Records that are made for every call: dataclasses with slots, immutable.

`@record` is immutable by agreement: pyright holds us to it. A frozen dataclass holds its users to it too, but takes
five times as long to make, and a call makes several. `@frozen_record` is frozen and takes twice as long as `@record`:
for what users' code gets into its hands.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar, cast

from typing_extensions import dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True)
def record(cls: type[T]) -> type[T]:
    """`cls` as a dataclass with slots, equality and a hash. Do not change one: make another (`dataclasses.replace`)."""
    return dataclass(slots=True, unsafe_hash=True)(cls)


@dataclass_transform(frozen_default=True)
def frozen_record(cls: type[T]) -> type[T]:
    """`cls` as a frozen dataclass with slots. It must have no bases.

    A new one is filled as a draft, a class with the same slots that may be changed, and then becomes what it is.
    """
    draft: Any = dataclass(slots=True, eq=False, repr=False)(_twin(cls))
    frozen: Any = dataclass(frozen=True, slots=True)(cls)
    frozen.__init__ = _filled_as(draft, frozen)
    return cast("type[T]", frozen)


def _twin(cls: type[Any]) -> type[Any]:
    """Another class of the same fields."""
    fields = {"__annotations__": cls.__annotations__, "__module__": cls.__module__}
    defaults = {name: vars(cls)[name] for name in cls.__annotations__ if name in vars(cls)}
    return type(cls.__name__, (), {**fields, **defaults})


def _filled_as(draft: Any, frozen: Any) -> Callable[..., None]:
    become, fill = object.__setattr__, draft.__init__

    @wraps(frozen.__init__)
    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        become(self, "__class__", draft)
        fill(self, *args, **kwargs)
        self.__class__ = frozen

    return init
