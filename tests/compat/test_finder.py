from __future__ import annotations

import importlib
import subprocess
import sys
from typing import Any

import pytest

import dspx
from dspx.compat import finder


def run_fresh(code: str) -> str:
    """What a new interpreter prints."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_dspy_program_finds_its_imports():
    code = """
import dspx as dspy
from dspx.teleprompt import LabeledFewShot
from dspx.adapters.chat_adapter import ChatAdapter
from dspx.adapters.types.image import Image
from dspx.adapters.types import History
from dspx.clients.lm import LM
from dspx.clients import BaseLM
from dspx.dsp.utils.settings import settings
from dspx.evaluate.auto_evaluation import SemanticF1
from dspx.predict.chain_of_thought import ChainOfThought
from dspx.primitives.prediction import Prediction
from dspx.signatures.field import InputField
from dspx.utils.exceptions import LMError
from dspx.utils.dummies import DummyLM
import dspx.teleprompt.vanilla
assert LabeledFewShot is dspy.LabeledFewShot is dspx.teleprompt.vanilla.LabeledFewShot
assert ChatAdapter is dspy.ChatAdapter and LM is dspy.LM and settings is dspy.settings
assert Prediction is dspy.Prediction and ChainOfThought is dspy.ChainOfThought
print("all found")
"""
    assert run_fresh(code) == "all found"


def test_attributes_work_after_a_plain_import():
    code = """
import dspx
print(dspx.teleprompt.LabeledFewShot.__name__, dspx.clients.LM.__name__, dspx.adapters.ChatAdapter.__name__,
      dspx.adapters.chat_adapter.ChatAdapter.__name__, dspx.evaluate.metrics.EM.__name__,
      dspx.utils.exceptions.LMError.__name__, dspx.dsp.utils.settings.lm, dspx.streaming.StreamListener.__name__,
      dspx.primitives.module.Module.__name__, dspx.adapters.types.image.Image.__name__)
"""
    assert run_fresh(code) == (
        "LabeledFewShot LM ChatAdapter ChatAdapter EM LMError None StreamListener Module Image"
    )


def test_an_alias_is_a_module_with_its_names():
    import dspx.predict as predict

    assert "ChainOfThought" in dir(predict)
    assert "ChainOfThought" in predict.__all__  # type: ignore[attr-defined]
    scope: dict[str, Any] = {}
    exec("from dspx.predict import *", scope)
    assert scope["ChainOfThought"] is dspx.ChainOfThought


def test_a_function_keeps_its_name_when_the_module_of_that_name_is_imported():
    importlib.import_module("dspx.utils.syncify")
    assert dspx.utils.syncify is dspx.syncify
    assert importlib.import_module("dspx.utils.syncify").syncify is dspx.syncify


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        (
            "from dspx import BootstrapFinetune",
            "dspx.BootstrapFinetune is not in this version of dspx: it arrives later, with finetuning",
        ),
        ("from dspx.teleprompt import BootstrapFinetune", "arrives later, with finetuning"),
        ("from dspx.teleprompt.grpo import GRPO", "arrives later, with finetuning"),
        ("import dspx.datasets.alfworld", "is not offered by dspx: it plays a game"),
        ("from dspx.retrievers.weaviate_rm import WeaviateRM", "one vendor's client"),
        ("import dspx.predict.avatar", "use ReAct or ReActV2"),
        ("import dspx.lm15", "is not offered by dspx: DSPy's vendored provider library"),
        ("from dspx import OldField", "use InputField and OutputField"),
    ],
)
def test_what_is_not_there_says_why(statement: str, message: str):
    with pytest.raises(ImportError, match=message):
        exec(statement, {})


def test_attributes_that_are_not_there_say_why_too():
    with pytest.raises(AttributeError, match="arrives later, with finetuning"):
        dspx.BootstrapFinetune  # type: ignore[attr-defined]
    with pytest.raises(AttributeError, match="arrives later, with finetuning"):
        dspx.teleprompt.BootstrapFinetune
    assert not hasattr(dspx, "Avatar")
    assert not hasattr(dspx.adapters, "Nothing")


def test_a_typing_error_is_pythons_own_error():
    with pytest.raises(ImportError, match="cannot import name 'Predit'"):
        exec("from dspx.predict import Predit", {})
    with pytest.raises(ModuleNotFoundError, match=r"dspx\.predct"):
        importlib.import_module("dspx.predct")
    with pytest.raises(AttributeError, match="module 'dspx' has no attribute 'Predit'"):
        dspx.Predit  # type: ignore[attr-defined]


def test_other_packages_imports_are_left_alone():
    assert finder.DSPyPaths().find_spec("dspy.teleprompt") is None
    assert finder.DSPyPaths().find_spec("json.decoder") is None


def test_activating_twice_adds_one_finder():
    finder.activate()
    finder.activate()
    assert sum(isinstance(found, finder.DSPyPaths) for found in sys.meta_path) == 1


def test_import_dspx_loads_no_table():
    code = "import sys, dspx; print([name for name in sys.modules if name.startswith('dspx.compat')])"
    assert run_fresh(code) == "['dspx.compat', 'dspx.compat.finder']"
