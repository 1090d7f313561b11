"""What to test programs with: models that need no key, a server that fails on demand, recorded answers.

| | |
|---|---|
| `DummyLM` | answers with the values you give it, in the adapter's layout (DSPy's) |
| `ScriptedLM` | says, raises and delays what you tell it to; keeps the requests |
| `SchemaLM` | answers any signature validly |
| `NearestLM` | learns from the examples in the prompt, and from nothing else |
| `SimulatedLM` | does a `SimulatedTask` as well as its prompt lets it, with known truth: for optimizers |
| `Server` | the same models behind HTTP, with faults: `dspx.testing.server` |
| `Cassette` | records answers once and replays them |
| `no_network` | forbids connections to anywhere but this machine |
| `check_adapter`, `check_lm`, `check_retriever` | whether your own adapter, LM or retriever keeps its contract |
| `FakeInterpreter` | an interpreter without a sandbox: a script, or a test's own code |
| `InterpreterConformance` | whether your own interpreter of code keeps its contract |
| `DummyVectorizer`, `dummy_rm` | vectors and retrieval without a model (DSPy's) |

The pytest plugin (`--dspx-mode`, `dspx_lm`, `dspx_server`, `dspx_cassette`) comes with the package.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dspx.core.lazy import lazily

if TYPE_CHECKING:
    from dspx.testing.cassette import Cassette as Cassette
    from dspx.testing.cassette import CassetteMiss as CassetteMiss
    from dspx.testing.conformance import check_adapter as check_adapter
    from dspx.testing.conformance import check_lm as check_lm
    from dspx.testing.dummy import DummyLM as DummyLM
    from dspx.testing.fake_interpreter import FakeInterpreter as FakeInterpreter
    from dspx.testing.interpreter_conformance import InterpreterConformance as InterpreterConformance
    from dspx.testing.model_lm import ModelLM as ModelLM
    from dspx.testing.model_lm import NearestLM as NearestLM
    from dspx.testing.model_lm import SchemaLM as SchemaLM
    from dspx.testing.models.script import Fault as Fault
    from dspx.testing.network import NetworkForbidden as NetworkForbidden
    from dspx.testing.network import no_network as no_network
    from dspx.testing.retrieval import DummyVectorizer as DummyVectorizer
    from dspx.testing.retrieval import dummy_rm as dummy_rm
    from dspx.testing.retriever_conformance import check_retriever as check_retriever
    from dspx.testing.scripted import ScriptedLM as ScriptedLM
    from dspx.testing.server.faults import Faults as Faults
    from dspx.testing.server.server import Server as Server
    from dspx.testing.simulated.lm import SimulatedLM as SimulatedLM
    from dspx.testing.simulated.task import SimulatedTask as SimulatedTask

_LAZY: dict[str, tuple[str, ...]] = {
    "dspx.testing.cassette": ("Cassette", "CassetteMiss"),
    "dspx.testing.conformance": ("check_adapter", "check_lm"),
    "dspx.testing.dummy": ("DummyLM",),
    "dspx.testing.fake_interpreter": ("FakeInterpreter",),
    "dspx.testing.interpreter_conformance": ("InterpreterConformance",),
    "dspx.testing.model_lm": ("ModelLM", "NearestLM", "SchemaLM"),
    "dspx.testing.models.script": ("Fault",),
    "dspx.testing.network": ("NetworkForbidden", "no_network"),
    "dspx.testing.retrieval": ("DummyVectorizer", "dummy_rm"),
    "dspx.testing.retriever_conformance": ("check_retriever",),
    "dspx.testing.scripted": ("ScriptedLM",),
    "dspx.testing.server.faults": ("Faults",),
    "dspx.testing.server.server": ("Server",),
    "dspx.testing.simulated.lm": ("SimulatedLM",),
    "dspx.testing.simulated.task": ("SimulatedTask",),
}
_HOME = {name: module for module, names in _LAZY.items() for name in names}

__getattr__, __dir__ = lazily(__name__, _HOME)


__all__ = sorted(_HOME)  # pyright: ignore[reportUnsupportedDunderAll]
