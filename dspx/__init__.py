"""Program language models: signatures say what to ask, modules how, evaluation how well, optimizers make it better.

import dspx

dspx.configure(lm=dspx.LM("openai/gpt-4o-mini"))
qa = dspx.ChainOfThought("question -> answer")
qa(question="What is the capital of Portugal?").answer
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from dspx.compat.finder import activate as _activate_dspy_paths
from dspx.core.candidate import Candidate
from dspx.core.events import BaseCallback
from dspx.core.example import Example
from dspx.core.fields import InputField, OutputField, infer_prefix
from dspx.core.lazy import lazily
from dspx.core.module import BaseModule, Module, Parameter
from dspx.core.prediction import Completions, Prediction
from dspx.core.progress import Progress, show_progress_with
from dspx.core.settings import configure, context, settings
from dspx.core.signature import Signature, SignatureMeta, ensure_signature, make_signature
from dspx.core.usage import track_usage
from dspx.core.whole_program import load_program as load
from dspx.errors import (
    AdapterParseError,
    AgentError,
    BudgetExhausted,
    CodeExecutionError,
    CodeInterpreterError,
    ConfigurationError,
    ContextWindowExceededError,
    DSPxError,
    DSPyError,
    EvaluationError,
    LMAuthError,
    LMBillingError,
    LMCircuitOpenError,
    LMCollectionLimitError,
    LMConfigurationError,
    LMError,
    LMInvalidRequestError,
    LMLockTimeoutError,
    LMNotConfiguredError,
    LMOverloadedError,
    LMProviderError,
    LMQueueTimeoutError,
    LMRateLimitError,
    LMServerError,
    LMStreamAssemblyError,
    LMTimeoutError,
    LMTransportError,
    LMUnexpectedError,
    LMUnsupportedFeatureError,
    LMUnsupportedModelError,
    SandboxError,
    SandboxStartError,
    SandboxTimeout,
    SearchDiverged,
    SignatureError,
    StateError,
    ToolArgumentsError,
    ToolError,
    ToolRefused,
    UnsatisfiableSpace,
    UsageError,
    is_retryable_lm_error,
)
from dspx.modules.predict import Predict
from dspx.runtime.fanout import bind_context
from dspx.version import __version__

if TYPE_CHECKING:
    from dspx.adapters.baml import BAMLAdapter as BAMLAdapter
    from dspx.adapters.base import Adapter as Adapter
    from dspx.adapters.chat import ChatAdapter as ChatAdapter
    from dspx.adapters.json import JSONAdapter as JSONAdapter
    from dspx.adapters.template import TemplateAdapter as TemplateAdapter
    from dspx.adapters.two_step import TwoStepAdapter as TwoStepAdapter
    from dspx.adapters.xml import XMLAdapter as XMLAdapter
    from dspx.cache.configured import configure_cache as configure_cache
    from dspx.compat.asyncify import asyncify as asyncify
    from dspx.compat.asyncify import syncify as syncify
    from dspx.content.audio import Audio as Audio
    from dspx.content.base import Type as Type
    from dspx.content.citations import Citations as Citations
    from dspx.content.code import Code as Code
    from dspx.content.document import Document as Document
    from dspx.content.file import File as File
    from dspx.content.history import History as History
    from dspx.content.image import Image as Image
    from dspx.content.reasoning import Reasoning as Reasoning
    from dspx.content.tool_calls import ToolCallResults as ToolCallResults
    from dspx.content.tool_calls import ToolCalls as ToolCalls
    from dspx.core.budget import Budget as Budget
    from dspx.core.candidate import Candidate as Candidate
    from dspx.core.space import Space as Space
    from dspx.core.variable import Bool as Bool
    from dspx.core.variable import Choice as Choice
    from dspx.core.variable import Demos as Demos
    from dspx.core.variable import Derived as Derived
    from dspx.core.variable import Embedding as Embedding
    from dspx.core.variable import Float as Float
    from dspx.core.variable import Integer as Integer
    from dspx.core.variable import Probability as Probability
    from dspx.core.variable import Tensor as Tensor
    from dspx.core.variable import Text as Text
    from dspx.evaluate.compare import Comparison as Comparison
    from dspx.evaluate.compare import acompare as acompare
    from dspx.evaluate.compare import compare as compare
    from dspx.evaluate.evaluate import Evaluate as Evaluate
    from dspx.evaluate.result import EvaluationResult as EvaluationResult
    from dspx.lm.base import BaseLM as BaseLM
    from dspx.lm.embedder import Embedder as Embedder
    from dspx.lm.history import inspect_history as inspect_history
    from dspx.lm.lm import LM as LM
    from dspx.lm.providers import register_provider as register_provider
    from dspx.modules.best_of_n import BestOfN as BestOfN
    from dspx.modules.chain_of_thought import ChainOfThought as ChainOfThought
    from dspx.modules.code.code_act import CodeAct as CodeAct
    from dspx.modules.code.program_of_thought import ProgramOfThought as ProgramOfThought
    from dspx.modules.code.rlm import RLM as RLM
    from dspx.modules.knn import KNN as KNN
    from dspx.modules.majority import majority as majority
    from dspx.modules.multi_chain import MultiChainComparison as MultiChainComparison
    from dspx.modules.parallel import Parallel as Parallel
    from dspx.modules.react import ReAct as ReAct
    from dspx.modules.react_v2 import ReActV2 as ReActV2
    from dspx.modules.refine import Refine as Refine
    from dspx.optimizers.beacon import BEACON as BEACON
    from dspx.optimizers.better_together import BetterTogether as BetterTogether
    from dspx.optimizers.bootstrap_few_shot import BootstrapFewShot as BootstrapFewShot
    from dspx.optimizers.bootstrap_optuna import BootstrapFewShotWithOptuna as BootstrapFewShotWithOptuna
    from dspx.optimizers.copro import COPRO as COPRO
    from dspx.optimizers.ensemble import Ensemble as Ensemble
    from dspx.optimizers.gepa import GEPA as GEPA
    from dspx.optimizers.infer_rules import InferRules as InferRules
    from dspx.optimizers.knn_few_shot import KNNFewShot as KNNFewShot
    from dspx.optimizers.labeled_few_shot import LabeledFewShot as LabeledFewShot
    from dspx.optimizers.mipro import MIPROv2 as MIPROv2
    from dspx.optimizers.optimizer import Optimizer as Optimizer
    from dspx.optimizers.optimizer import Teleprompter as Teleprompter
    from dspx.optimizers.random_search import (
        BootstrapFewShotWithRandomSearch as BootstrapFewShotWithRandomSearch,
    )
    from dspx.optimizers.random_search import BootstrapRS as BootstrapRS
    from dspx.optimizers.report import Report as Report
    from dspx.optimizers.simba import SIMBA as SIMBA
    from dspx.retrievers.colbert import ColBERTv2 as ColBERTv2
    from dspx.retrievers.embeddings import Embeddings as Embeddings
    from dspx.retrievers.embeddings import EmbeddingsWithScores as EmbeddingsWithScores
    from dspx.retrievers.retrieve import Retrieve as Retrieve
    from dspx.sandbox.contract import CodeInterpreter as CodeInterpreter
    from dspx.sandbox.contract import FinalOutput as FinalOutput
    from dspx.sandbox.factory import resolve_interpreter_factory as resolve_interpreter_factory
    from dspx.sandbox.local_interpreter import LocalInterpreter as LocalInterpreter
    from dspx.sandbox.pool import SandboxPool as SandboxPool
    from dspx.sandbox.python_interpreter import PythonInterpreter as PythonInterpreter
    from dspx.sandbox.serializable import SandboxSerializable as SandboxSerializable
    from dspx.streaming.streamify import streamify as streamify
    from dspx.telemetry.logging import (
        configure_dspy_loggers as configure_dspy_loggers,
    )
    from dspx.telemetry.logging import (
        disable_logging as disable_logging,
    )
    from dspx.telemetry.logging import (
        enable_logging as enable_logging,
    )
    from dspx.tools.tool import Tool as Tool

# Loaded on first use, so that `import dspx` stays cheap. One line per module.
_LAZY: dict[str, tuple[str, ...]] = {
    "dspx.adapters.base": ("Adapter",),
    "dspx.adapters.baml": ("BAMLAdapter",),
    "dspx.adapters.chat": ("ChatAdapter",),
    "dspx.adapters.json": ("JSONAdapter",),
    "dspx.adapters.template": ("TemplateAdapter",),
    "dspx.adapters.two_step": ("TwoStepAdapter",),
    "dspx.adapters.xml": ("XMLAdapter",),
    "dspx.cache.configured": ("configure_cache",),
    "dspx.compat.asyncify": ("asyncify", "syncify"),
    "dspx.content.audio": ("Audio",),
    "dspx.content.base": ("Type",),
    "dspx.content.citations": ("Citations",),
    "dspx.content.code": ("Code",),
    "dspx.content.document": ("Document",),
    "dspx.content.file": ("File",),
    "dspx.content.history": ("History",),
    "dspx.content.image": ("Image",),
    "dspx.content.reasoning": ("Reasoning",),
    "dspx.core.budget": ("Budget",),
    "dspx.core.candidate": ("Candidate",),
    "dspx.core.space": ("Space",),
    "dspx.core.variable": (
        "Bool",
        "Choice",
        "Demos",
        "Derived",
        "Embedding",
        "Float",
        "Integer",
        "Probability",
        "Tensor",
        "Text",
    ),
    "dspx.content.tool_calls": ("ToolCallResults", "ToolCalls"),
    "dspx.evaluate.compare": ("Comparison", "acompare", "compare"),
    "dspx.evaluate.evaluate": ("Evaluate",),
    "dspx.evaluate.result": ("EvaluationResult",),
    "dspx.lm.base": ("BaseLM",),
    "dspx.lm.embedder": ("Embedder",),
    "dspx.lm.history": ("inspect_history",),
    "dspx.lm.lm": ("LM",),
    "dspx.lm.providers": ("register_provider",),
    "dspx.modules.best_of_n": ("BestOfN",),
    "dspx.modules.chain_of_thought": ("ChainOfThought",),
    "dspx.modules.code.code_act": ("CodeAct",),
    "dspx.modules.code.program_of_thought": ("ProgramOfThought",),
    "dspx.modules.code.rlm": ("RLM",),
    "dspx.modules.knn": ("KNN",),
    "dspx.modules.majority": ("majority",),
    "dspx.modules.multi_chain": ("MultiChainComparison",),
    "dspx.modules.parallel": ("Parallel",),
    "dspx.modules.react": ("ReAct",),
    "dspx.modules.react_v2": ("ReActV2",),
    "dspx.modules.refine": ("Refine",),
    "dspx.optimizers.beacon": ("BEACON",),
    "dspx.optimizers.better_together": ("BetterTogether",),
    "dspx.optimizers.bootstrap_few_shot": ("BootstrapFewShot",),
    "dspx.optimizers.bootstrap_optuna": ("BootstrapFewShotWithOptuna",),
    "dspx.optimizers.copro": ("COPRO",),
    "dspx.optimizers.ensemble": ("Ensemble",),
    "dspx.optimizers.gepa": ("GEPA",),
    "dspx.optimizers.infer_rules": ("InferRules",),
    "dspx.optimizers.knn_few_shot": ("KNNFewShot",),
    "dspx.optimizers.labeled_few_shot": ("LabeledFewShot",),
    "dspx.optimizers.mipro": ("MIPROv2",),
    "dspx.optimizers.optimizer": (
        "Optimizer",
        "Teleprompter",
    ),
    "dspx.optimizers.random_search": (
        "BootstrapFewShotWithRandomSearch",
        "BootstrapRS",
    ),
    "dspx.optimizers.report": ("Report",),
    "dspx.optimizers.simba": ("SIMBA",),
    "dspx.retrievers.colbert": ("ColBERTv2",),
    "dspx.retrievers.embeddings": ("Embeddings", "EmbeddingsWithScores"),
    "dspx.retrievers.retrieve": ("Retrieve",),
    "dspx.sandbox.contract": ("CodeInterpreter", "FinalOutput"),
    "dspx.sandbox.factory": ("resolve_interpreter_factory",),
    "dspx.sandbox.local_interpreter": ("LocalInterpreter",),
    "dspx.sandbox.pool": ("SandboxPool",),
    "dspx.sandbox.python_interpreter": ("PythonInterpreter",),
    "dspx.sandbox.serializable": ("SandboxSerializable",),
    "dspx.streaming.streamify": ("streamify",),
    "dspx.telemetry.logging": ("configure_dspy_loggers", "disable_logging", "enable_logging"),
    "dspx.tools.tool": ("Tool",),
}
_HOME = {name: module for module, names in _LAZY.items() for name in names}

_activate_dspy_paths()


def _progress_line(label: str, total: int) -> Progress:
    return import_module("dspx.telemetry.progress").line(label, total)


show_progress_with(_progress_line)

__getattr__, __dir__ = lazily(__name__, _HOME)


__all__ = [
    "Adapter",
    "AdapterParseError",
    "AgentError",
    "Audio",
    "BAMLAdapter",
    "BEACON",
    "BaseCallback",
    "BaseLM",
    "BaseModule",
    "BestOfN",
    "BetterTogether",
    "Bool",
    "BootstrapFewShot",
    "BootstrapFewShotWithOptuna",
    "BootstrapFewShotWithRandomSearch",
    "BootstrapRS",
    "Budget",
    "BudgetExhausted",
    "COPRO",
    "Candidate",
    "ChainOfThought",
    "ChatAdapter",
    "Choice",
    "Citations",
    "Code",
    "CodeAct",
    "CodeExecutionError",
    "CodeInterpreter",
    "CodeInterpreterError",
    "ColBERTv2",
    "Comparison",
    "Completions",
    "ConfigurationError",
    "ContextWindowExceededError",
    "DSPxError",
    "DSPyError",
    "Demos",
    "Derived",
    "Document",
    "Embedder",
    "Embedding",
    "Embeddings",
    "EmbeddingsWithScores",
    "Ensemble",
    "Evaluate",
    "EvaluationError",
    "EvaluationResult",
    "Example",
    "File",
    "FinalOutput",
    "Float",
    "GEPA",
    "History",
    "Image",
    "InferRules",
    "InputField",
    "Integer",
    "JSONAdapter",
    "KNN",
    "KNNFewShot",
    "LM",
    "LMAuthError",
    "LMBillingError",
    "LMCircuitOpenError",
    "LMCollectionLimitError",
    "LMConfigurationError",
    "LMError",
    "LMInvalidRequestError",
    "LMLockTimeoutError",
    "LMNotConfiguredError",
    "LMOverloadedError",
    "LMProviderError",
    "LMQueueTimeoutError",
    "LMRateLimitError",
    "LMServerError",
    "LMStreamAssemblyError",
    "LMTimeoutError",
    "LMTransportError",
    "LMUnexpectedError",
    "LMUnsupportedFeatureError",
    "LMUnsupportedModelError",
    "LabeledFewShot",
    "LocalInterpreter",
    "MIPROv2",
    "Module",
    "MultiChainComparison",
    "Optimizer",
    "OutputField",
    "Parallel",
    "Parameter",
    "Predict",
    "Prediction",
    "Probability",
    "ProgramOfThought",
    "PythonInterpreter",
    "RLM",
    "ReAct",
    "ReActV2",
    "Reasoning",
    "Refine",
    "Report",
    "Retrieve",
    "SIMBA",
    "SandboxError",
    "SandboxPool",
    "SandboxSerializable",
    "SandboxStartError",
    "SandboxTimeout",
    "SearchDiverged",
    "Signature",
    "SignatureError",
    "SignatureMeta",
    "Space",
    "StateError",
    "Teleprompter",
    "TemplateAdapter",
    "Tensor",
    "Text",
    "Tool",
    "ToolArgumentsError",
    "ToolCallResults",
    "ToolCalls",
    "ToolError",
    "ToolRefused",
    "TwoStepAdapter",
    "Type",
    "UnsatisfiableSpace",
    "UsageError",
    "XMLAdapter",
    "__version__",
    "acompare",
    "asyncify",
    "bind_context",
    "compare",
    "configure",
    "configure_cache",
    "configure_dspy_loggers",
    "context",
    "disable_logging",
    "enable_logging",
    "ensure_signature",
    "infer_prefix",
    "inspect_history",
    "is_retryable_lm_error",
    "load",
    "majority",
    "make_signature",
    "register_provider",
    "resolve_interpreter_factory",
    "settings",
    "streamify",
    "syncify",
    "track_usage",
]
