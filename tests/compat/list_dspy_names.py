"""Write the golden list of DSPy's public names; run it with a Python that has dspy==3.4.1.

    python tests/compat/list_dspy_names.py tests/compat/dspy_names.json

A name counts under a module where the module defines it (a class, a function), names it in `__all__`, or is
the package that re-exports it. Private modules, vendored code and what DSPy itself imports from elsewhere do not.
"""

from __future__ import annotations

import importlib
import json
import pathlib
import sys
import types
import warnings
from typing import Any


def modules(root: pathlib.Path) -> list[str]:
    found: list[str] = []
    for path in sorted(root.rglob("*.py")):
        parts = [*path.relative_to(root).with_suffix("").parts]
        if parts[-1] == "__init__":
            parts.pop()
        if not any(part.startswith("_") for part in parts):
            found.append(".".join(parts))
    return found


def public_names(module: Any, is_package: bool) -> list[str]:
    listed = set(getattr(module, "__all__", ()))
    for name, value in vars(module).items():
        if name.startswith("_") or isinstance(value, types.ModuleType):
            continue
        home = getattr(value, "__module__", None)
        own = isinstance(value, (type, types.FunctionType)) and home == module.__name__
        passed_on = is_package and isinstance(home, str) and home.partition(".")[0] == "dspy"
        if (own or passed_on) and "._" not in f"{home}":
            listed.add(name)
    return sorted(listed)


def main() -> None:
    warnings.simplefilter("ignore")
    dspy = importlib.import_module("dspy")
    listing: dict[str, list[str]] = {}
    for path in modules(pathlib.Path(dspy.__path__[0])):
        try:
            module = importlib.import_module(f"dspy.{path}" if path else "dspy")
        except ImportError:
            continue  # a vendor's package is missing, or the module only says that it has gone
        listing[path] = public_names(module, hasattr(module, "__path__"))
    listing[""] = sorted({*listing[""], "cache", "settings"})  # made on first use; an object of a class
    text = json.dumps({"version": dspy.__version__, "modules": listing}, indent=1)
    pathlib.Path(sys.argv[1]).write_text(text + "\n")


if __name__ == "__main__":
    main()
