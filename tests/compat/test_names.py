from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path

import pytest

from dspx.compat.names import absence, absence_of_module, is_present
from dspx.compat.paths import PACKAGES, PATHS, TOP_LEVEL

GOLDEN = json.loads((Path(__file__).parent / "dspy_names.json").read_text())
NAMES = [(module, name) for module, names in GOLDEN["modules"].items() for name in names]


SAYS_WHY = "arrives later|is not offered"


def is_a_real_file(module: str) -> bool:
    """A module of dspx's own that is no package: Python itself says that the name is not there."""
    return module in PACKAGES and "." in module


def dspx_path(module: str) -> str:
    return f"dspx.{module}" if module else "dspx"


@pytest.mark.parametrize("module", [module for module in GOLDEN["modules"] if module])
def test_every_module_of_dspy_is_importable_or_says_what_became_of_it(module: str):
    if absence_of_module(module) is None:
        import_module(dspx_path(module))
    else:
        with pytest.raises(ImportError, match=SAYS_WHY):
            import_module(dspx_path(module))


@pytest.mark.parametrize(("module", "name"), NAMES, ids=[f"{module}.{name}" for module, name in NAMES])
def test_every_name_of_dspy_is_present_or_later_or_not_offered(module: str, name: str):
    reason = absence(module, name)
    if is_present(module, name):
        scope: dict[str, object] = {}
        exec(f"from {dspx_path(module)} import {name}", scope)
        assert name in scope
    else:
        assert reason is not None, f"{module}.{name} is neither in dspx.compat.paths nor in dspx.compat.names"
        with pytest.raises(ImportError, match=None if is_a_real_file(module) else SAYS_WHY):
            exec(f"from {dspx_path(module)} import {name}", {})


def test_no_name_is_written_in_two_lists():
    twice = [
        f"{module}.{name}"
        for module, name in NAMES
        if is_present(module, name) and absence(module, name) is not None
    ]
    assert not twice


def test_what_is_listed_as_present_is_what_the_table_holds():
    for module, names in {**PACKAGES, "": TOP_LEVEL}.items():
        for name in names.split():
            assert hasattr(import_module(dspx_path(module)), name), f"{module}.{name}"
    for module, homes in PATHS.items():
        for name in homes:
            assert hasattr(import_module(dspx_path(module)), name), f"{module}.{name}"
