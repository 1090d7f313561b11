"""What a saved program says about itself: its format, versions, schema, variables, and where it came from."""

from __future__ import annotations

import logging
import platform
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from dspx.core.canonical import stable_hash
from dspx.core.schema import program_schema
from dspx.core.secret_names import without_secrets
from dspx.errors import StateError
from dspx.runtime import clock

FORMAT = 2
"""The version of the JSON layout. A newer one is refused, an older one is read."""

_TUNED = ("instructions", "demos", "lm")

logger = logging.getLogger("dspx.state")


def metadata() -> dict[str, Any]:
    """The versions that write, and when."""
    from dspx.version import __version__

    created = datetime.fromtimestamp(clock.time(), timezone.utc).isoformat(timespec="seconds")
    return {
        "format": FORMAT,
        "created": created,
        "dependency_versions": {"python": _python_version(), "dspx": __version__},
    }


def metadata_of(state: Mapping[str, Any], provenance: Mapping[str, Any] | None) -> dict[str, Any]:
    """What is written beside `state`, which is plain JSON by leaf."""
    return {
        **metadata(),
        "fingerprint": fingerprint_of(state),
        "schema": program_schema(state),
        "variables": variables_of(state),
        "provenance": without_secrets(provenance) if provenance else None,
    }


def fingerprint_of(state: Mapping[str, Any]) -> str:
    """What identifies the values of a state: 16 hexadecimal digits, the same for the same state anywhere."""
    return stable_hash(state)[:16]


def variables_of(state: Mapping[str, Any]) -> dict[str, str]:
    """What can be tuned, by the name that candidates use too: `{"answer.instructions": "instructions", …}`."""
    return {
        f"{name}.{kind}": kind
        for name, leaf in state.items()
        if isinstance(leaf, Mapping) and "signature" in leaf
        for kind in _TUNED
    }


def check_version(written: Mapping[str, Any], path: Path | str) -> None:
    """`StateError` for a format that this dspx does not know."""
    number = written.get("format", 1)
    if type(number) is not int or number < 1:
        raise StateError(f"{path} has format {number!r}, which no dspx has written.")
    if number > FORMAT:
        raise StateError(
            f"{path} was written by a newer dspx (format {number}); this one reads up to {FORMAT}. Upgrade dspx."
        )
    python = (written.get("dependency_versions") or {}).get("python")
    if python is not None and python != _python_version():
        logger.info("%s was saved under Python %s; this is %s.", path, python, _python_version())


def _python_version() -> str:
    return ".".join(platform.python_version_tuple()[:2])
