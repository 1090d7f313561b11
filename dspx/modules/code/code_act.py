"""Act by code: step by step, Python that calls tools, until the task is done (Wang et al. 2024)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from dspx.core.calls import entrance
from dspx.core.fields import InputField, OutputField
from dspx.core.module import Module
from dspx.core.prediction import Prediction
from dspx.core.signature import Signature, ensure_signature, make_signature
from dspx.errors import CodeExecutionError, ContextWindowExceededError
from dspx.modules.chain_of_thought import ChainOfThought
from dspx.modules.code.report import error_text, output_text
from dspx.modules.code.source import code_in
from dspx.modules.code.tool_text import tools_by_name, tools_text
from dspx.modules.predict import Predict
from dspx.sandbox.contract import CodeInterpreter
from dspx.sandbox.factory import Factory, resolve_interpreter_factory
from dspx.sandbox.python_interpreter import PythonInterpreter
from dspx.sandbox.session import CodeSession, interpreter_for

logger = logging.getLogger("dspx.modules")

_SHORTENED = 3  # times that a trajectory too long for the model loses its oldest step


class CodeAct(Module):
    """`CodeAct("question -> answer", tools=[search])`: the model works in steps, each a piece of Python.

    The code runs in what `interpreter_factory` makes, by default the sandbox, where variables last from step to
    step. `tools` are functions, or objects with `name`, `desc` and a call: the code calls them by name, and they run
    here, outside. The prediction has `trajectory`: `generated_code_i` with `code_output_i`, or `observation_i` where
    that step failed.
    """

    def __init__(
        self,
        signature: Any,
        tools: list[Callable[..., Any]],
        max_iters: int = 5,
        interpreter_factory: Factory = PythonInterpreter,
    ) -> None:
        super().__init__()
        self.signature = ensure_signature(signature)
        self.max_iters = max_iters
        self.interpreter_factory = interpreter_factory
        self.tools = tools_by_name(tools)
        inputs, outputs = self.signature.input_fields, self.signature.output_fields
        trajectory = (dict[str, Any], InputField(desc="${trajectory}"))
        step = {
            **inputs,
            "trajectory": trajectory,
            "generated_code": (str, OutputField(desc="Python code for the next step")),
            "finished": (bool, OutputField(desc="whether the task is done once this code has run")),
        }
        instructions = _to_act(self.signature, self.tools)
        self.codeact: Any = Predict(make_signature(step, instructions))
        extract = make_signature({**inputs, "trajectory": trajectory, **outputs}, self.signature.instructions)
        self.extractor: Any = ChainOfThought(extract)

    async def aforward(self, interpreter: CodeInterpreter | None = None, /, **kwargs: Any) -> Prediction:
        max_iters = kwargs.pop("max_iters", self.max_iters)
        inputs = {name: kwargs[name] for name in self.signature.input_fields if name in kwargs}
        factory = resolve_interpreter_factory(self.interpreter_factory)
        trajectory: dict[str, Any] = {}
        async with interpreter_for(interpreter, factory, self.tools, None) as used:
            session = CodeSession(used, inputs)
            for place in range(max_iters):
                if await self._step(place, session, trajectory, kwargs):
                    break
        answer = await _asked(self.extractor, trajectory, kwargs)
        return Prediction(trajectory=trajectory, **dict(answer.items()))

    async def _step(
        self, place: int, session: CodeSession, trajectory: dict[str, Any], kwargs: dict[str, Any]
    ) -> bool:
        """Ask for code and run it. Whether the model says that this was all."""
        step = await _asked(self.codeact, trajectory, kwargs)
        code = code_in(step.generated_code or "")
        if not code.strip():
            trajectory[f"observation_{place}"] = "There was no code in this step."
            return bool(step.finished)
        trajectory[f"generated_code_{place}"] = code
        try:
            execution = await session.run(code)
        except (SyntaxError, CodeExecutionError) as error:
            trajectory[f"observation_{place}"] = f"The code failed:\n{error_text(error)}"
            return False  # whatever the model expected of it
        if execution.final is not None:
            final = dict(execution.final)
            trajectory[f"code_output_{place}"] = final.get("output") if list(final) == ["output"] else final
            return True
        trajectory[f"code_output_{place}"] = output_text(execution)
        return bool(step.finished)


async def _asked(predictor: Any, trajectory: dict[str, Any], kwargs: dict[str, Any]) -> Any:
    """The predictor's answer; where the trajectory is too long for the model, without its oldest steps."""
    for _ in range(_SHORTENED):
        try:
            return await entrance(predictor)(**kwargs, trajectory=dict(trajectory))
        except ContextWindowExceededError:
            if not forget_oldest(trajectory):
                raise
            logger.warning("CodeAct's trajectory is too long for the model; its oldest step is left out.")
    return await entrance(predictor)(**kwargs, trajectory=dict(trajectory))


def forget_oldest(trajectory: dict[str, Any]) -> bool:
    """Drop the oldest step, in place; False where it is the only one."""
    steps = [name.rpartition("_")[2] for name in trajectory]
    if len(set(steps)) < 2:
        return False
    for name in [name for name, step in zip(trajectory, steps, strict=True) if step == steps[0]]:
        del trajectory[name]
    return True


def _to_act(signature: type[Signature], tools: dict[str, Callable[..., Any]]) -> str:
    inputs = ", ".join(f"`{name}`" for name in signature.input_fields)
    outputs = ", ".join(f"`{name}`" for name in signature.output_fields)
    told = (
        f"{signature.instructions}\n\n"
        f"Work towards {outputs} by writing Python, one step at a time. In each step you see {inputs} and what the "
        "steps before ran and gave; you write the code of the next one. Print what you want to see: what is printed, "
        "and the value of the last line, come back to you. Variables stay from step to step, and the inputs are "
        "variables of their names from the start. Set `finished` with the step after which nothing is left to "
        f"find out; {outputs} are then taken from the trajectory."
    )
    if tools:
        told += f"\n\nBesides the standard library, your code may call these functions, which are there already:\n{tools_text(tools)}"
    return told
