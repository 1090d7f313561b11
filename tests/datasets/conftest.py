"""Stands in for Hugging Face's `datasets`, and for its absence; where the real data is."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.datasets.material import by_name

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """A `datasets` package that has what `material` makes up. What was asked of it is the fixture's value."""
    asked: list[Any] = []

    def load_dataset(name: str, *args: Any, **settings: Any) -> Any:
        asked.append((name, args, settings))
        return by_name(name, settings["split"])

    module: Any = ModuleType("datasets")
    module.load_dataset = load_dataset
    monkeypatch.setitem(sys.modules, "datasets", module)
    return asked


@pytest.fixture
def no_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the package."""
    monkeypatch.setitem(sys.modules, "datasets", None)


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real data: $DSPX_DATA, or `shared/data` beside the repository."""
    named = os.environ.get("DSPX_DATA")
    candidates = [Path(named)] if named else [parent / "shared" / "data" for parent in ROOT.parents]
    for folder in candidates:
        if (folder / "banking77" / "train.csv").exists() and (folder / "gsm8k" / "train.jsonl").exists():
            return folder
    pytest.skip("needs the real data: DSPX_DATA=a folder with banking77/ and gsm8k/")
