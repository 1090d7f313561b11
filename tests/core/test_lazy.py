from __future__ import annotations

import subprocess
import sys

import pytest

import dspx


def test_a_name_loads_its_module_when_it_is_first_asked_for():
    code = (
        "import sys, dspx\n"
        "assert 'dspx.retrievers.embeddings' not in sys.modules\n"
        "import dspx.retrievers\n"
        "assert 'dspx.retrievers.embeddings' not in sys.modules\n"
        "dspx.retrievers.Embeddings\n"
        "assert 'dspx.retrievers.embeddings' in sys.modules\n"
        "assert 'Embeddings' in vars(dspx.retrievers)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_package_lists_what_it_has_not_loaded_yet():
    code = "import dspx.retrievers; assert 'ColBERTv2' in dir(dspx.retrievers)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("package", ["adapters", "datasets", "evaluate", "retrievers", "sandbox", "testing"])
def test_a_packages_modules_are_attributes_and_other_names_are_not(package: str):
    module = getattr(dspx, package)
    with pytest.raises(AttributeError, match=f"module 'dspx.{package}' has no attribute 'nonsense'"):
        _ = module.nonsense
    with pytest.raises(AttributeError, match="_private"):
        _ = module._private


def test_every_lazy_name_is_where_it_is_said_to_be():
    for package in ("adapters", "datasets", "evaluate", "retrievers", "sandbox", "testing"):
        module = getattr(dspx, package)
        for name, home in module._HOME.items():
            assert getattr(module, name) is getattr(sys.modules[home], name)
