"""Explore long inputs by code, and ask a model about the parts: a recursive language model (Zhang et al. 2025)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dspx.adapters.coerce import coercer, why
from dspx.core.calls import entrance
from dspx.core.fields import InputField, OutputField
from dspx.core.module import Module
from dspx.core.prediction import Prediction
from dspx.core.signature import ensure_signature, make_signature
from dspx.errors import CodeExecutionError, UsageError
from dspx.modules.code import facade, rlm_text
from dspx.modules.code.report import error_text, output_text
from dspx.modules.code.source import code_in
from dspx.modules.code.sub_lm import CallBudget, llm_tools
from dspx.modules.code.tool_text import tools_by_name
from dspx.modules.predict import Predict
from dspx.sandbox.factory import Factory, resolve_interpreter_factory
from dspx.sandbox.python_interpreter import PythonInterpreter
from dspx.sandbox.repl import REPLHistory, REPLVariable
from dspx.sandbox.serializable import SandboxSerializable
from dspx.sandbox.session import CodeSession, interpreter_for

if TYPE_CHECKING:
    from dspx.lm.base import BaseLM

logger = logging.getLogger("dspx.modules")

_RESULT_NAMES = frozenset({"trajectory", "final_reasoning"})
_SANDBOX_NAMES = frozenset(
    {"llm_query", "llm_query_batched", "SUBMIT", "print", "dspy", "dspx", facade.PREDICT}
)


class RLM(Module):
    """`RLM("context, question -> answer")`: the inputs stay in a sandbox, and the model looks at them by code.

    In each of at most `max_iters` steps it sees what its variables are and what was run before, and writes Python. The
    code may ask a model about pieces (`llm_query`, `llm_query_batched`, `dspy.Predict`), together at most
    `max_llm_calls` times, call `tools`, and ends with `SUBMIT(...)`. Outputs that do not fit their types go back to the
    model. Where no step submits, the answer is extracted from what was seen.

    `sub_lm` answers the code's questions (the settings' LM otherwise); `max_output_chars` of a step's output are shown.
    `interpreter_factory`, here or at a call, makes the sandbox. The prediction has `trajectory` (each step's `reasoning`,
    `code` and `output`) and `final_reasoning`. `UsageError` for inputs that are missing or unknown.
    """

    def __init__(
        self,
        signature: Any,
        max_iters: int = 20,
        max_llm_calls: int = 50,
        max_output_chars: int = 10_000,
        verbose: bool = False,
        tools: list[Callable[..., Any]] | None = None,
        sub_lm: BaseLM | None = None,
        interpreter_factory: Factory = PythonInterpreter,
    ) -> None:
        super().__init__()
        self.signature = ensure_signature(signature)
        self.max_iters = max_iters
        self.max_llm_calls = max_llm_calls
        self.max_output_chars = max_output_chars
        self.verbose = verbose
        self.sub_lm = sub_lm
        self.interpreter_factory = interpreter_factory
        self.tools = tools_by_name(tools or [])
        self._check_names()
        seen = {
            "variables_info": (str, InputField(desc="What the variables are that your code finds")),
            "repl_history": (REPLHistory, InputField(desc="What was run before, and what it gave")),
        }
        step = {
            **seen,
            "iteration": (str, InputField(desc="Which step this is, and of how many at most")),
            "reasoning": (
                str,
                OutputField(desc="What is known by now, what is missing, and what this step does"),
            ),
            "code": (str, OutputField(desc="The Python code of this step, in a ```python fence")),
        }
        told = rlm_text.to_explore(self.signature, self.tools, max_llm_calls)
        self.generate_action: Any = Predict(make_signature(step, told))
        answer = {**seen, **self.signature.output_fields}
        self.extract: Any = Predict(make_signature(answer, rlm_text.to_extract(self.signature)))

    async def aforward(self, *, interpreter_factory: Factory | None = None, **inputs: Any) -> Prediction:
        self._check_inputs(inputs)
        budget = CallBudget(self.max_llm_calls)
        tools = {
            **llm_tools(self.sub_lm, budget),
            facade.PREDICT: facade.PredictFromCode(self.sub_lm, budget),
            **self.tools,
        }
        factory = resolve_interpreter_factory(interpreter_factory or self.interpreter_factory)
        async with interpreter_for(None, factory, tools, self._outputs()) as interpreter:
            return await self._explore(_Exploration(self, inputs, interpreter))

    async def _explore(self, exploration: _Exploration) -> Prediction:
        for number in range(1, self.max_iters + 1):
            outputs = await exploration.step(number)
            if outputs is not None:
                return exploration.prediction(outputs)
        logger.warning(
            "RLM reached max_iters=%d without a submission; the answer is extracted.", self.max_iters
        )
        answer = await entrance(self.extract)(
            variables_info=exploration.variables_info, repl_history=exploration.history
        )
        exploration.reasoning = "No step submitted an answer; it was extracted from the steps."
        return exploration.prediction({name: answer[name] for name in self.signature.output_fields})

    def _outputs(self) -> list[dict[str, str]]:
        return [
            {"name": name, "type": getattr(output.annotation, "__name__", "")}
            for name, output in self.signature.output_fields.items()
        ]

    def _check_names(self) -> None:
        if clash := _RESULT_NAMES & {*self.signature.output_fields}:
            raise UsageError(f"RLM's prediction has a field {min(clash)} of its own; rename the output.")
        taken = _SANDBOX_NAMES & {*self.signature.input_fields, *self.tools}
        if taken:
            raise UsageError(f"{min(taken)} is something else in RLM's sandbox; rename the input or tool.")
        if both := {*self.signature.input_fields} & {*self.tools}:
            raise UsageError(f"{min(both)} is an input and a tool; rename one.")

    def _check_inputs(self, inputs: Mapping[str, Any]) -> None:
        wanted = self.signature.input_fields
        if missing := [name for name in wanted if name not in inputs]:
            raise UsageError(f"RLM needs the inputs {list(wanted)}; missing: {missing}.")
        if unknown := [name for name in inputs if name not in wanted]:
            raise UsageError(f"RLM takes the inputs {list(wanted)}; unexpected: {unknown}.")


@dataclass
class _Exploration:
    """One call under way."""

    module: RLM
    inputs: Mapping[str, Any]
    interpreter: Any
    reasoning: str = ""
    history: REPLHistory = field(init=False)
    variables_info: str = field(init=False)
    session: CodeSession = field(init=False)

    def __post_init__(self) -> None:
        fields = self.module.signature.input_fields
        self.history = REPLHistory(max_output_chars=self.module.max_output_chars)
        described = [_described(name, value, fields[name]) for name, value in self.inputs.items()]
        self.variables_info = "\n\n".join(variable.format() for variable in described)
        variables, setup = _brought_in(self.inputs)
        self.session = CodeSession(self.interpreter, variables, facade.GUEST + setup)

    async def step(self, number: int) -> dict[str, Any] | None:
        """Ask for code, run it and note what came of it. The outputs, once they were submitted and fit."""
        module = self.module
        action = await entrance(module.generate_action)(
            variables_info=self.variables_info,
            repl_history=self.history,
            iteration=f"{number}/{module.max_iters}",
        )
        self.reasoning = str(action.reasoning or "")
        code = code_in(str(action.code or ""))
        outputs, output = await self._tried(code)
        if module.verbose:
            logger.info(
                "RLM, step %d of %d\n%s\n%s\n%s", number, module.max_iters, self.reasoning, code, output
            )
        self.history = self.history.append(reasoning=self.reasoning, code=code, output=output)
        return outputs

    async def _tried(self, code: str) -> tuple[dict[str, Any] | None, str]:
        try:
            execution = await self.session.run(code)
        except (SyntaxError, CodeExecutionError) as error:
            lost = getattr(error, "state_lost", False)
            return None, f"[Error] {error_text(error)}" + (rlm_text.INPUTS_ARE_BACK if lost else "")
        if execution.final is None:
            return None, output_text(execution)
        outputs, problems = _fitting(self.module.signature, execution.final)
        if problems:
            return None, "[Type Error] " + "; ".join(problems)
        return outputs, f"{execution.stdout}FINAL: {outputs}"

    def prediction(self, outputs: dict[str, Any]) -> Prediction:
        steps = [entry.model_dump() for entry in self.history]
        return Prediction(**outputs, trajectory=steps, final_reasoning=self.reasoning)


def _described(name: str, value: Any, signature_field: Any) -> REPLVariable:
    if isinstance(value, SandboxSerializable):
        return value.to_repl_variable(name, signature_field)
    return REPLVariable.from_value(name, value, signature_field)


def _brought_in(inputs: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """The inputs as variables, and the code that makes of some of them what they are to be."""
    variables: dict[str, Any] = {}
    code: list[str] = []
    for name, value in inputs.items():
        if isinstance(value, SandboxSerializable):
            text = f"_{name}_text"
            variables[text] = value.to_sandbox().decode("utf-8")
            code += [value.sandbox_setup(), value.sandbox_assignment(name, text), f"del {text}"]
        else:
            variables[name] = value
    return variables, "\n".join(code)


def _fitting(signature: Any, submitted: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The submitted values as the output fields' types, and what is wrong with those that are none."""
    outputs: dict[str, Any] = {}
    problems: list[str] = []
    for name, output in signature.output_fields.items():
        if name not in submitted:
            problems.append(f"{name} is missing")
            continue
        try:
            outputs[name] = coercer(output)(submitted[name])
        except ValueError as error:
            type_name = getattr(output.annotation, "__name__", output.annotation)
            problems.append(f"{name} should be {type_name}: {why(error)}")
    return outputs, problems
