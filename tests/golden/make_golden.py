"""Write the golden files from DSPy's own behaviour. Run with an interpreter that has dspy==3.4.1."""

import json
import logging
import pathlib
import shutil
import sys
import warnings

import dspy
from dspy.clients.base_lm import BaseLM

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent.parent))

from tests.golden import cases as grid  # noqa: E402
from tests.golden import more_cases  # noqa: E402


class Asked(Exception):
    """Stops a call once the LM has been asked."""


class CapturingLM(BaseLM):
    """Keeps what it was asked; the first `texts` are its answers, then it stops the call."""

    def __init__(self, texts=()):
        super().__init__("openai/gpt-4o-mini")
        self.asked = []
        self.texts = list(texts)

    supports_function_calling = True
    supports_response_schema = True
    supports_reasoning = False
    supported_params = {"response_format", "tools"}

    def __call__(self, prompt=None, messages=None, **kwargs):
        self.asked.append({"messages": messages, **kwargs})
        if self.texts:
            return [self.texts.pop(0)]
        raise Asked


def main():
    logging.disable(logging.CRITICAL)
    forget_docstrings()
    warnings.simplefilter("ignore")
    for folder in (*grid.ADAPTERS, "parse", "state"):
        shutil.rmtree(HERE / folder, ignore_errors=True)
    formats()
    natives()
    parses()
    more_cases.write(dspy, write)


def forget_docstrings():
    """DSPy's docstrings of its own types leak into prompts as schema descriptions. They are no part of the format."""
    types = ("Type", "Image", "Audio", "File", "Code", "History", "Reasoning", "Document", "Citations")
    for type_ in (grid.find(dspy, name) for name in types):
        type_.__doc__ = None
    grid.find(dspy, "Citations").Citation.__doc__ = None


def formats():
    found = {}
    for case in grid.cases(dspy):
        family = found.setdefault(case.name.split("_")[0], {})
        for adapter in case.adapters:
            goldens = family.setdefault(adapter, {})
            assert case.name not in goldens, case.name
            goldens[case.name] = format_golden(adapter, case)
    for family, by_adapter in found.items():
        for adapter, goldens in by_adapter.items():
            write(f"{adapter}/{family}.json", goldens)


def format_golden(adapter, case):
    extraction = CapturingLM()
    made = grid.make_adapter(dspy, adapter, extraction)
    if case.name.startswith("tools_"):
        made.use_native_function_calling = False
    try:
        golden = {"messages": made.format(case.signature, case.demos, dict(case.inputs))}
    except Exception as error:
        return {"error": type(error).__name__}
    if adapter in ("json", "baml"):
        golden["response_format"] = response_format(made, case)
    if adapter == "two_step":
        golden["extraction_messages"] = extraction_messages(made, extraction, case)
    return golden


def response_format(adapter, case):
    lm = CapturingLM()
    try:
        adapter(lm, {}, case.signature, case.demos, dict(case.inputs))
    except Asked:
        pass
    sent = lm.asked[0].get("response_format")
    if isinstance(sent, type):
        return {"name": sent.__name__, "schema": sent.model_json_schema()}
    return sent


def extraction_messages(adapter, extraction, case):
    lm = CapturingLM(["Some free text."])
    try:
        adapter(lm, {}, case.signature, case.demos, dict(case.inputs))
    except Exception as error:
        if not extraction.asked:
            return {"error": type(error).__name__}
    return extraction.asked[0]["messages"]


def natives():
    for name in ("chat", "json", "xml"):
        goldens = {}
        for case in grid.native_cases(dspy):
            adapter = grid.make_adapter(dspy, name)
            adapter.use_native_function_calling = True
            adapter.parallel_tool_calls = case.parallel
            lm = CapturingLM()
            try:
                adapter(lm, dict(case.config), case.signature, case.demos, dict(case.inputs))
            except Asked:
                pass
            goldens[case.name] = {k: v for k, v in lm.asked[0].items() if k != "response_format"}
        write(f"{name}/native.json", goldens)


def parses():
    found = {}
    for case in grid.parse_cases(dspy):
        adapter = grid.make_adapter(dspy, case.adapter)
        entry = {"completion": case.completion}
        try:
            entry["values"] = grid.plain(adapter.parse(case.signature, case.completion))
        except Exception as error:
            entry["error"] = type(error).__name__
        assert case.name not in found.setdefault(case.adapter, {}), case.name
        found[case.adapter][case.name] = entry
    for adapter, entries in found.items():
        write(f"parse/{adapter}.json", entries)


def write(path, value):
    target = HERE / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(value, indent=1, ensure_ascii=False, default=str) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
