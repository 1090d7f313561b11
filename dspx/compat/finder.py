"""Make DSPy's import paths work: `from dspx.teleprompt import LabeledFewShot`.

A finder at the end of `sys.meta_path` sees only what nothing else has found. A path in the table becomes a
module whose names are looked up in dspx when they are asked for; a name of DSPy's that dspx does not have
becomes an ImportError that says why. Nothing else is changed, and nothing is loaded before it is used.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec

_PREFIX = "dspx."


def activate() -> None:
    """Let DSPy's paths be imported. Once is enough, twice does no harm."""
    if not any(isinstance(finder, DSPyPaths) for finder in sys.meta_path):
        sys.meta_path.append(cast("Any", DSPyPaths()))


class DSPyPaths:
    """Finds DSPy's modules and says what became of the names that are not there."""

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if not fullname.startswith(_PREFIX):
            return None
        from importlib.machinery import ModuleSpec

        from dspx.compat import names, paths

        module = fullname[len(_PREFIX) :]
        if module in paths.PATHS:
            return ModuleSpec(fullname, cast("Any", self), is_package=True)
        package, _, name = module.rpartition(".")
        reason = names.absence_of_module(module) or names.absence(package, name)
        if reason is not None:
            raise ImportError(f"{fullname} {reason}", name=fullname)
        return None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Alias(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        module.__all__ = sorted(_homes(module.__name__))  # type: ignore[attr-defined]


class _Alias(ModuleType):
    """A module of DSPy's whose names live elsewhere in dspx."""

    def __getattr__(self, name: str) -> Any:
        home = _homes(self.__name__).get(name)
        if home is None:
            from dspx.core.lazy import submodule

            return submodule(self.__name__, name)
        module, _, theirs = home.partition(":")
        value = getattr(import_module(module), theirs or name)
        self.__dict__[name] = value
        return value

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, ModuleType) and name in _homes(self.__name__):
            return  # as in DSPy, dspx.utils.syncify stays the function when the module of that name is imported
        super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *_homes(self.__name__)})


def _homes(fullname: str) -> dict[str, str]:
    from dspx.compat.paths import PATHS

    return PATHS[fullname[len(_PREFIX) :]]
