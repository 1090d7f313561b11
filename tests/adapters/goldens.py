"""The grid of golden files, with dspx's names in one place as the grid wants them."""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Any

import dspx
from dspx.core.example import Example
from dspx.core.fields import InputField, OutputField
from dspx.core.signature import Signature, make_signature
from tests.golden import cases as grid

api: Any = types.ModuleType("dspx")
api.__path__ = dspx.__path__
for _thing in (Signature, make_signature, InputField, OutputField, Example):
    setattr(api, _thing.__name__, _thing)


def format_cases(adapter: str) -> dict[str, Any]:
    """The cases for `format` of this adapter, by name."""
    return {case.name: case for case in grid.cases(api) if adapter in case.adapters}


def parse_cases(adapter: str) -> Iterator[Any]:
    return (case for case in grid.parse_cases(api) if case.adapter == adapter)


def parsed(adapter: Any, case: Any) -> Any:
    """What `adapter` reads in the case's completion, as the golden files write it; the error's name where it cannot."""
    from dspx.errors import AdapterParseError

    try:
        return grid.plain(adapter.parse(case.signature, case.completion))
    except AdapterParseError as error:
        return type(error).__name__
