"""What an installation puts on the disk: bytes and distributions, with everything it depends on."""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import metadata
from pathlib import Path

from benchmarks.cases import AtMost, Times, case
from benchmarks.environment import ROOT
from benchmarks.side import Side


@lru_cache(maxsize=1)
def _needed(name: str) -> tuple[metadata.Distribution, ...]:
    """The distribution and all it requires without extras."""
    found: dict[str, metadata.Distribution] = {}
    waiting = [name]
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if name in found:
            continue
        try:
            found[name] = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue  # a requirement of another platform
        waiting += [need for line in found[name].requires or () if (need := _applies(line))]
    return tuple(found.values())


def _applies(line: str) -> str | None:
    from packaging.requirements import Requirement

    requirement = Requirement(line)
    if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
        return None
    return requirement.name


def _size(distribution: metadata.Distribution) -> int:
    files = [Path(str(distribution.locate_file(file))) for file in distribution.files or ()]
    if distribution.metadata["Name"] == "dspx":  # installed editable: its files are the package's folder
        files = list((ROOT / "dspx").rglob("*"))
    return sum(file.stat().st_size for file in files if file.is_file())


@case("install.bytes", "installed, with dependencies", unit="bytes", target=Times(2), heavy=True)
def size(side: Side) -> float:
    return sum(_size(distribution) for distribution in _needed(side.name))


@case(
    "install.distributions",
    "  distributions",
    full_title="installed distributions",
    unit="",
    target=AtMost(35),
    heavy=True,
)
def distributions(side: Side) -> float:
    return len(_needed(side.name))
