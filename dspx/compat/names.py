"""Every public name of DSPy 3.4.1: here, later, or not offered, because ….

Present are those in `paths`. This page lists the others, once by name wherever DSPy exports it, and by whole
modules where all that a module has shares one fate.
"""

from __future__ import annotations

from dspx.compat.paths import PACKAGES, PATHS, TOP_LEVEL

LATER = {
    "with finetuning": "BootstrapFinetune GRPO Provider ReinforceJob TrainingJob bootstrap_trace_data",
    "with decision outputs": "Choice Noul Score TypeSafe DecisionAdapter DecisionState ReAnchor",
}
"""Names that arrive in a later release, by what they come with."""

LATER_MODULES = {
    "with finetuning": (
        "clients.databricks clients.lm_local clients.openai clients.provider clients.utils_finetune "
        "teleprompt.bootstrap_finetune teleprompt.bootstrap_trace teleprompt.grpo"
    ),
    "with decision outputs": (
        "adapters.decision adapters.decision_state adapters.types.decision clients.typesafe teleprompt.reanchor "
        "teleprompt.reanchor.reanchor"
    ),
}
"""Whole modules that arrive in a later release."""

_FLEX = "a program is never its model's source code; see docs/decisions/0007, and dspx.CodeAct and dspx.RLM"

NOT_OFFERED = {
    "an optimizer's own prompt; those of dspx stand beside the optimizer": (
        "BasicGenerateInstruction GenerateInstructionGivenAttempts RulesInductionProgram"
    ),
    "any function of five arguments will do": "GEPAFeedbackMetric",
    "give GEPA(instruction_proposer=…) a function": "InstructionProposer",
    "fields of DSPy's first version; use InputField and OutputField": (
        "OldField OldInputField OldOutputField move_kwargs new_to_old_field"
    ),
    "LiteLLM is an optional engine here, with the logging of its own": (
        "configure_litellm_logging disable_litellm_logging enable_litellm_logging alitellm_completion "
        "alitellm_responses_completion alitellm_text_completion litellm_completion litellm_responses_completion "
        "litellm_text_completion"
    ),
    "settings hold live objects, which would have to be unpickled; call dspx.configure(...) where the program starts": (
        "load_settings DEFAULT_CONFIG main_thread_config"
    ),
    "adapters render and read values through compiled plans; override the hooks of dspx.Adapter": (
        "FieldInfoWithName split_message_content_for_custom_types annotation_allows_none "
        "apply_output_field_defaults find_enum_member format_field_value get_annotation_name "
        "get_field_description_string parse_value serialize_for_json translate_field_type get_dspy_field_type "
        "serialize_object"
    ),
    "the content types do this themselves: dspx.Image(...), dspx.Audio(...), dspx.File(...)": (
        "encode_audio encode_file_to_dict encode_image is_image is_url"
    ),
    "use dspx.cache.facade.Cache, or cache in your own code": (
        "request_cache default_cache_dir create_subdir_in_cachedir"
    ),
    "LMs write their history themselves": "record_history",
    _FLEX: "Flex",
    "describe a value with REPLVariable.from_value, or override SandboxSerializable.to_repl_variable": (
        "build_repl_variable"
    ),
    "the judges' own signatures; those of dspx are in dspx.evaluate.judges": (
        "AnswerCompleteness AnswerGroundedness DecompositionalSemanticRecallPrecision SemanticRecallPrecision"
    ),
    "tables are drawn by dspx.evaluate.table": (
        "HTML configure_dataframe_for_ipython_notebook_display display display_dataframe "
        "is_in_ipython_notebook_environment merge_dicts prediction_is_dictlike stylize_metric_name truncate_cell"
    ),
    "an internal function of an optimizer or module": "inspect_modules recursive_mask",
    "it does not work in DSPy 3.4 (it needs the removed TypedPredictor); use ReAct or ReActV2": (
        "Avatar AvatarOptimizer"
    ),
    "the tool does this itself: dspx.Tool.from_mcp_tool(...), dspx.Tool.from_langchain(...)": (
        "convert_input_schema_to_tool_args"
    ),
    "fetch files with the tool of your choice": "download",
    "asyncify bounds its work by the setting async_max_workers": "get_async_max_workers get_limiter",
    "an error's text is str(error)": "format_error_for_lm",
    "dspx logs to the logger `dspx`, and to standard error": "DSPyLoggingStream",
    "a saved program's metadata names the versions": "get_dependency_versions",
    "it plays a game that has packages and files of its own; make examples of its tasks and call its environment": (
        "AlfWorld EnvPool env_worker"
    ),
    "run ColBERT as a server and ask it: dspx.ColBERTv2(url=…)": (
        "ColBERTv2RerankerLocal ColBERTv2RetrieverLocal colbertv2_get_request colbertv2_get_request_v2 "
        "colbertv2_get_request_v2_wrapped colbertv2_post_request colbertv2_post_request_v2 "
        "colbertv2_post_request_v2_wrapped"
    ),
    "the texts of what a retriever gave: dspx.retrievers.passage.texts_of": "single_query_passage",
    "a helper of DSPy's predecessor": (
        "DPR_normalize DPR_tokenize NullContextManager STokenizer SimpleTokenizer Tokenizer Tokens batch "
        "create_directory dotdict_lax file_tqdm flatten groupby_first_item grouper has_answer int_or_float "
        "lengths2offsets load_batch_backgrounds locate_answers print_message process_grouped_by_first_item "
        "strip_accents timestamp zip_first zipstar"
    ),
}
"""Names that dspx does without, by the reason."""

_INTERNAL = "an internal of DSPy"

NOT_OFFERED_MODULES = {
    "DSPy's vendored provider library; dspx speaks to providers itself (dspx.lm)": "lm15",
    "DSPy's way of choosing and calling its engines; subclass dspx.BaseLM, or pass engine='litellm'": (
        "clients.backend_selection clients.call_context clients.call_result clients.capabilities clients.engines "
        "clients.engines.base clients.engines.dummy_engine clients.engines.legacy_engine clients.engines.lifecycle "
        "clients.engines.litellm_engine clients.engines.litellm_errors clients.engines.lm15_engine "
        "clients.engines.stream_guard clients.engines.streaming clients.errors clients.execution "
        "clients.legacy_outputs clients.legacy_requests clients.lm15_boundary"
    ),
    "proposers work through a study: dspx.optimizers.grounded_proposer": (
        "propose propose.dataset_summary_generator propose.grounded_proposer propose.propose_base"
    ),
    "give GEPA(instruction_proposer=…) a function": "teleprompt.gepa.instruction_proposal",
    "an old name of COPRO": "teleprompt.signature_opt",
    "prices and facts are in dspx.lm.cost and dspx.lm.providers": "clients.costs clients.model_metadata",
    "the disk cache holds JSON, and never a pickle": "clients.disk_serialization",
    "it does not work in DSPy 3.4 (it needs the removed TypedPredictor); use ReAct or ReActV2": (
        "predict.avatar predict.avatar.avatar predict.avatar.models predict.avatar.signatures "
        "teleprompt.avatar_optimizer"
    ),
    _FLEX: "predict.flex predict.flex.flex",
    _INTERNAL: (
        "adapters.utils predict.flex.bridge predict.flex.ctx predict.flex.primitives_doc predict.retry "
        "primitives.facade primitives.local_interpreter_worker propose.utils signatures.utils "
        "teleprompt.gepa.gepa_flex_utils teleprompt.gepa.gepa_utils teleprompt.reanchor.calibrate "
        "teleprompt.simba_utils teleprompt.utils utils.caching utils.constants utils.hasher utils.lazy_import "
        "utils.magicattr utils.pickle_by_value"
    ),
    "it plays a game that has packages and files of its own; make examples of its tasks and call its environment": (
        "datasets.alfworld datasets.alfworld.alfworld"
    ),
    "one vendor's client; anything called with a question and k is a retriever: dspx.configure(rm=…)": (
        "retrievers.databricks_rm retrievers.weaviate_rm"
    ),
    "a helper of DSPy's predecessor": "dsp.utils.dpr",
}
"""Whole modules that dspx does without."""


def _by_name(lists: dict[str, str]) -> dict[str, str]:
    return {name: reason for reason, names in lists.items() for name in names.split()}


_LATER = _by_name(LATER)
_LATER_MODULES = _by_name(LATER_MODULES)
_NOT_OFFERED = _by_name(NOT_OFFERED)
_NOT_OFFERED_MODULES = _by_name(NOT_OFFERED_MODULES)


def is_present(module: str, name: str) -> bool:
    """Whether `dspx.<module>.<name>` is there (`module` "" for dspx itself)."""
    if not module:
        return name in TOP_LEVEL.split()
    if f"{module}.{name}" in PATHS:
        return True
    return name in PATHS.get(module, ()) or name in PACKAGES.get(module, "").split()


def absence(module: str, name: str) -> str | None:
    """Why DSPy's `<module>.<name>` is not in dspx; None where nothing is written of it."""
    if module and module not in PATHS and module not in PACKAGES:
        return absence_of_module(module)
    if name in _NOT_OFFERED:
        return _refused(_NOT_OFFERED[name])
    if name in _LATER:
        return _later(_LATER[name])
    return absence_of_module(module)


def absence_of_module(module: str) -> str | None:
    """Why DSPy's module is not in dspx; None where it is, or where nothing is written of it."""
    if module in PATHS or module in PACKAGES:
        return None
    if module in _NOT_OFFERED_MODULES:
        return _refused(_NOT_OFFERED_MODULES[module])
    return _later(_LATER_MODULES[module]) if module in _LATER_MODULES else None


def _later(what: str) -> str:
    return f"is not in this version of dspx: it arrives later, {what}."


def _refused(reason: str) -> str:
    return f"is not offered by dspx: {reason}."
