"""For a package's `__getattr__`: its modules as attributes, loaded when they are first asked for."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def submodule(package: str, name: str) -> Any:
    """The module `package.name`. AttributeError where there is none; with the reason, where the import gave one."""
    fullname = f"{package}.{name}"
    if not name.startswith("_"):
        try:
            return import_module(fullname)
        except ModuleNotFoundError as error:
            if error.name != fullname:
                raise
        except ImportError as error:
            if error.name != fullname:
                raise
            raise AttributeError(str(error)) from error
    raise AttributeError(f"module {package!r} has no attribute {name!r}")
