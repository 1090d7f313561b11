"""Where DSPy's names live in dspx: old module → name → new home (`module` or `module:name there`)."""

from __future__ import annotations


def _table(rows: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    """`{old module: {new module: "Name other=name_there"}}` by name."""
    table: dict[str, dict[str, str]] = {}
    for old, homes in rows.items():
        names = table[old] = {}
        for home, listed in homes.items():
            for entry in listed.split():
                name, _, theirs = entry.partition("=")
                names[name] = f"dspx.{home}:{theirs or name}"
    return table


_ERRORS = (
    "AdapterParseError ContextWindowExceededError DSPyError LMAuthError LMBillingError LMCollectionLimitError "
    "LMConfigurationError LMError LMInvalidRequestError LMLockTimeoutError LMNotConfiguredError LMProviderError "
    "LMRateLimitError LMServerError LMStreamAssemblyError LMTimeoutError LMTransportError LMUnexpectedError "
    "LMUnsupportedFeatureError LMUnsupportedModelError is_retryable_lm_error"
)
_INTERPRETERS = {
    "errors": "CodeExecutionError CodeInterpreterError",
    "sandbox.contract": "CodeInterpreter FinalOutput",
    "sandbox.factory": "resolve_interpreter_factory",
}
_FIELDS = "InputField OutputField"
_SIGNATURES = "Signature SignatureMeta ensure_signature make_signature"

PATHS = _table(
    {
        "adapters.baml_adapter": {"adapters.baml": "BAMLAdapter"},
        "adapters.chat_adapter": {"adapters.chat": "ChatAdapter"},
        "adapters.json_adapter": {"adapters.json": "JSONAdapter"},
        "adapters.two_step_adapter": {"adapters.two_step": "TwoStepAdapter"},
        "adapters.xml_adapter": {"adapters.xml": "XMLAdapter"},
        "adapters.types": {
            "content.audio": "Audio",
            "content.base": "Type",
            "content.citations": "Citations",
            "content.code": "Code",
            "content.document": "Document",
            "content.file": "File",
            "content.history": "History",
            "content.image": "Image",
            "content.reasoning": "Reasoning",
            "content.tool_calls": "ToolCallResults ToolCalls",
            "tools.tool": "Tool",
        },
        "adapters.types.audio": {"content.audio": "Audio"},
        "adapters.types.base_type": {"content.base": "Type"},
        "adapters.types.citation": {"content.citations": "Citations"},
        "adapters.types.code": {"content.code": "Code"},
        "adapters.types.document": {"content.document": "Document"},
        "adapters.types.file": {"content.file": "File"},
        "adapters.types.history": {"content.history": "History"},
        "adapters.types.image": {"content.image": "Image"},
        "adapters.types.reasoning": {"content.reasoning": "Reasoning"},
        "adapters.types.tool": {"content.tool_calls": "ToolCallResults ToolCalls", "tools.tool": "Tool"},
        "clients": {
            "cache.configured": "configure_cache",
            "cache.facade": "Cache",
            "lm.base": "BaseLM",
            "lm.embedder": "Embedder",
            "lm.history": "inspect_history",
            "lm.lm": "LM",
        },
        "clients.base_lm": {"lm.base": "BaseLM", "lm.history": "GLOBAL_HISTORY inspect_history"},
        "clients.cache": {"cache.facade": "Cache"},
        "clients.embedding": {"lm.embedder": "Embedder"},
        "clients.lm": {"lm.lm": "LM"},
        "dsp": {},
        "dsp.colbertv2": {"retrievers.colbert": "ColBERTv2"},
        "dsp.utils": {
            "compat.dsp": "deduplicate dotdict",
            "core.settings": "Settings settings",
        },
        "dsp.utils.settings": {"core.settings": "Settings settings"},
        "dsp.utils.utils": {"compat.dsp": "deduplicate dotdict"},
        "evaluate.auto_evaluation": {"evaluate.judges": "CompleteAndGrounded SemanticF1 f1_score"},
        "experimental": {"content.citations": "Citations", "content.document": "Document"},
        "predict": {
            "modules.best_of_n": "BestOfN",
            "modules.chain_of_thought": "ChainOfThought",
            "modules.code.code_act": "CodeAct",
            "modules.code.program_of_thought": "ProgramOfThought",
            "modules.code.rlm": "RLM",
            "modules.knn": "KNN",
            "modules.majority": "majority",
            "modules.multi_chain": "MultiChainComparison",
            "modules.parallel": "Parallel",
            "modules.predict": "Predict",
            "modules.react": "ReAct",
            "modules.react_v2": "ReActV2",
            "modules.refine": "Refine",
            "tools.tool": "Tool",
        },
        "predict.aggregation": {"modules.majority": "default_normalize majority"},
        "predict.best_of_n": {"modules.best_of_n": "BestOfN"},
        "predict.chain_of_thought": {"modules.chain_of_thought": "ChainOfThought"},
        "predict.code_act": {"modules.code.code_act": "CodeAct"},
        "predict.knn": {"modules.knn": "KNN"},
        "predict.multi_chain_comparison": {"modules.multi_chain": "MultiChainComparison"},
        "predict.parallel": {"modules.parallel": "Parallel"},
        "predict.parameter": {"core.module": "Parameter"},
        "predict.predict": {"modules.predict": "Predict"},
        "predict.react": {"modules.react": "ReAct"},
        "predict.react_v2": {"modules.react_v2": "ReActV2"},
        "predict.program_of_thought": {"modules.code.program_of_thought": "ProgramOfThought"},
        "predict.refine": {"modules.refine": "OfferFeedback Refine"},
        "predict.rlm": {"modules.code.rlm": "RLM"},
        "primitives": {
            **_INTERPRETERS,
            "sandbox.local_interpreter": "LocalInterpreter",
            "sandbox.python_interpreter": "PythonInterpreter",
            "sandbox.repl": "REPLEntry REPLHistory REPLVariable",
            "sandbox.serializable": "SandboxSerializable",
            "core.example": "Example",
            "core.module": "BaseModule Module",
            "core.prediction": "Completions Prediction",
        },
        "primitives.base_module": {"core.module": "BaseModule"},
        "primitives.code_interpreter": _INTERPRETERS,
        "primitives.example": {"core.example": "Example"},
        "primitives.local_interpreter": {"sandbox.local_interpreter": "LocalInterpreter"},
        "primitives.module": {
            "core.module": "Module ProgramMeta",
            "core.tree": "set_attribute_by_name=set_part",
        },
        "primitives.prediction": {"core.prediction": "Completions Prediction"},
        "primitives.python_interpreter": {
            "errors": "CodeExecutionError CodeInterpreterError",
            "sandbox.contract": "FinalOutput",
            "sandbox.python_interpreter": "PythonInterpreter",
        },
        "primitives.repl_types": {"sandbox.repl": "REPLEntry REPLHistory REPLVariable"},
        "primitives.sandbox_serializable": {"sandbox.serializable": "SandboxSerializable"},
        "signatures": {"core.fields": f"{_FIELDS} infer_prefix", "core.signature": _SIGNATURES},
        "signatures.field": {"core.fields": _FIELDS},
        "signatures.signature": {"core.fields": f"{_FIELDS} infer_prefix", "core.signature": _SIGNATURES},
        "teleprompt": {
            "optimizers.better_together": "BetterTogether",
            "optimizers.bootstrap_few_shot": "BootstrapFewShot",
            "optimizers.bootstrap_optuna": "BootstrapFewShotWithOptuna",
            "optimizers.copro": "COPRO",
            "optimizers.ensemble": "Ensemble",
            "optimizers.gepa": "GEPA",
            "optimizers.infer_rules": "InferRules",
            "optimizers.knn_few_shot": "KNNFewShot",
            "optimizers.labeled_few_shot": "LabeledFewShot",
            "optimizers.mipro": "MIPROv2",
            "optimizers.optimizer": "Teleprompter",
            "optimizers.random_search": "BootstrapFewShotWithRandomSearch BootstrapRS",
            "optimizers.simba": "SIMBA",
        },
        "teleprompt.bettertogether": {"optimizers.better_together": "BetterTogether"},
        "teleprompt.bootstrap": {"optimizers.bootstrap_few_shot": "BootstrapFewShot"},
        "teleprompt.copro_optimizer": {"optimizers.copro": "COPRO"},
        "teleprompt.ensemble": {"optimizers.ensemble": "Ensemble EnsembledProgram"},
        "teleprompt.gepa": {"optimizers.gepa": "GEPA"},
        "teleprompt.gepa.gepa": {"optimizers.gepa": "DspyGEPAResult=GEPAResult GEPA"},
        "teleprompt.infer_rules": {"optimizers.infer_rules": "InferRules"},
        "teleprompt.knn_fewshot": {"optimizers.knn_few_shot": "KNNFewShot"},
        "teleprompt.mipro_optimizer_v2": {"optimizers.mipro": "MIPROv2"},
        "teleprompt.random_search": {"optimizers.random_search": "BootstrapFewShotWithRandomSearch"},
        "teleprompt.simba": {"optimizers.simba": "SIMBA"},
        "teleprompt.teleprompt": {"optimizers.optimizer": "Teleprompter"},
        "teleprompt.teleprompt_optuna": {"optimizers.bootstrap_optuna": "BootstrapFewShotWithOptuna"},
        "teleprompt.vanilla": {"optimizers.labeled_few_shot": "LabeledFewShot"},
        "utils": {
            "compat.callbacks": "with_callbacks",
            "compat.experimental": "experimental",
            "compat.asyncify": "syncify",
            "core.events": "BaseCallback",
            "lm.history": "pretty_print_history=show",
            "streaming.messages": "StatusMessage StatusMessageProvider",
            "testing.dummy": "DummyLM",
            "testing.retrieval": "DummyVectorizer dummy_rm",
        },
        "utils.annotation": {"compat.experimental": "experimental"},
        "utils.asyncify": {"compat.asyncify": "asyncify"},
        "utils.callback": {
            "compat.callbacks": "with_callbacks",
            "core.events": "ACTIVE_CALL_ID BaseCallback",
        },
        "utils.callback_context": {"core.events": "ACTIVE_CALL_ID"},
        "utils.dummies": {"testing.dummy": "DummyLM", "testing.retrieval": "DummyVectorizer dummy_rm"},
        "utils.exceptions": {"errors": _ERRORS},
        "utils.inspect_history": {"lm.history": "pretty_print_history=show"},
        "utils.langchain_tool": {"compat.tools": "convert_langchain_tool"},
        "utils.logging_utils": {"telemetry.logging": "configure_dspy_loggers disable_logging enable_logging"},
        "utils.mcp": {"compat.tools": "convert_mcp_tool"},
        "utils.parallelizer": {"compat.parallelizer": "ParallelExecutor"},
        "utils.saving": {"core.whole_program": "load=load_program"},
        "utils.syncify": {"compat.asyncify": "run_async syncify"},
        "utils.unbatchify": {"compat.unbatchify": "Unbatchify"},
        "utils.usage_tracker": {"core.usage": "UsageTracker track_usage"},
    }
)

PACKAGES = {
    "adapters": (
        "Adapter Audio ChatAdapter Code File History Image JSONAdapter Reasoning Tool ToolCallResults ToolCalls "
        "TwoStepAdapter Type XMLAdapter"
    ),
    "adapters.base": "Adapter",
    "datasets": "Colors DataLoader Dataset HotPotQA MATH",
    "datasets.colors": "Colors",
    "datasets.dataloader": "DataLoader",
    "datasets.dataset": "Dataset",
    "datasets.gsm8k": "GSM8K gsm8k_metric parse_integer_answer",
    "datasets.hotpotqa": "HotPotQA",
    "datasets.math": "MATH extract_answer",
    "evaluate": (
        "CompleteAndGrounded EM Evaluate EvaluationResult SemanticF1 answer_exact_match answer_passage_match "
        "normalize_text"
    ),
    "evaluate.evaluate": "Evaluate EvaluationResult",
    "evaluate.metrics": (
        "EM F1 HotPotF1 answer_exact_match answer_passage_match em_score f1_score hotpot_f1_score normalize_text "
        "precision_score"
    ),
    "retrievers": "Embeddings EmbeddingsWithScores Retrieve",
    "retrievers.embeddings": "Embeddings EmbeddingsWithScores",
    "retrievers.retrieve": "Retrieve",
    "streaming": (
        "StatusMessage StatusMessageProvider StreamListener StreamResponse apply_sync_streaming streamify "
        "streaming_response"
    ),
    "streaming.messages": (
        "StatusMessage StatusMessageProvider StatusStreamingCallback StreamResponse sync_send_to_stream"
    ),
    "streaming.streamify": "apply_sync_streaming streamify streaming_response",
    "streaming.streaming_listener": "StreamListener find_predictor_for_stream_listeners",
}
"""Modules that are called the same in both, and the names of DSPy's that ours export."""

TOP_LEVEL = (
    "Adapter Audio BaseLM BaseModule BestOfN ChainOfThought ChatAdapter Code CodeAct CodeExecutionError CodeInterpreter "
    "CodeInterpreterError FinalOutput LocalInterpreter ProgramOfThought PythonInterpreter RLM SandboxSerializable "
    "resolve_interpreter_factory Completions Embedder Evaluate Example "
    "File History Image InputField JSONAdapter KNN LM LabeledFewShot Module MultiChainComparison OutputField Parallel "
    "Predict Prediction ReAct ReActV2 Reasoning Refine Signature SignatureMeta Tool ToolCallResults ToolCalls TwoStepAdapter Type XMLAdapter asyncify cache "
    "configure configure_cache configure_dspy_loggers context disable_logging enable_logging ensure_signature "
    "infer_prefix inspect_history load majority make_signature settings streamify syncify track_usage "
    "BetterTogether BootstrapFewShot BootstrapFewShotWithOptuna BootstrapFewShotWithRandomSearch BootstrapRS COPRO "
    "Ensemble GEPA InferRules KNNFewShot MIPROv2 SIMBA "
    "ColBERTv2 Embeddings EmbeddingsWithScores Retrieve "
) + _ERRORS
"""The names of `dspy` itself that `dspx` has. `cache` is a package here: `dspx.cache.facade.Cache.current()`."""
