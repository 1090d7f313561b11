"""Names of a package that load their module when they are first asked for, so that importing the package is cheap."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def lazily(package: str, home: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """A package's `__getattr__` and `__dir__`. `home` says for each name which module it is in.

    >>> __getattr__, __dir__ = lazily(__name__, {"Embeddings": "dspx.retrievers.embeddings"})

    The package's modules are attributes too, as if they had been imported.
    """
    names = vars(sys.modules[package])

    def get(name: str) -> Any:
        module = home.get(name)
        if module is None:
            return submodule(package, name)
        value = names[name] = getattr(import_module(module), name)
        return value

    def listed() -> list[str]:
        return sorted({*names, *home})

    return get, listed


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
