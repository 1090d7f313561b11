"""Answer by a program: write it, run it, repair it where it fails, and read the answer off what it gives."""

from __future__ import annotations

import logging
from typing import Any

from dspx.core.calls import entrance
from dspx.core.fields import InputField, OutputField
from dspx.core.module import Module
from dspx.core.signature import Signature, ensure_signature, make_signature
from dspx.errors import CodeExecutionError
from dspx.modules.chain_of_thought import ChainOfThought
from dspx.modules.code.report import error_text
from dspx.modules.code.source import code_in
from dspx.sandbox.contract import CodeInterpreter, Execution
from dspx.sandbox.factory import Factory, resolve_interpreter_factory
from dspx.sandbox.python_interpreter import PythonInterpreter
from dspx.sandbox.repl import value_text
from dspx.sandbox.session import CodeSession, interpreter_for

logger = logging.getLogger("dspx.modules")

_CODE = "python code that answers the question"


class ProgramOfThought(Module):
    """`ProgramOfThought("question -> answer: float")`: the model computes by writing Python (Chen et al. 2022).

    The code runs in what `interpreter_factory` makes, by default the sandbox, with the inputs as variables. An
    interpreter of your own may come first at a call: `program(interpreter, question=…)`; it is not shut down.
    `RuntimeError` when `max_iters` programs in a row failed.
    """

    def __init__(
        self,
        signature: Any,
        max_iters: int = 3,
        interpreter_factory: Factory = PythonInterpreter,
    ) -> None:
        super().__init__()
        self.signature = ensure_signature(signature)
        self.max_iters = max_iters
        self.interpreter_factory = interpreter_factory
        inputs, outputs = self.signature.input_fields, self.signature.output_fields
        self.input_fields, self.output_fields = inputs, outputs
        code = OutputField(desc=_CODE)
        first = {**inputs, "generated_code": (str, code)}
        again = {
            **inputs,
            "previous_code": (str, InputField(desc="the python code before, which failed")),
            "error": (str, InputField(desc="how that code failed")),
            "generated_code": (str, code),
        }
        answer = {
            **inputs,
            "final_generated_code": (str, InputField(desc=_CODE)),
            "code_output": (str, InputField(desc="what that code gave")),
            **outputs,
        }
        self.code_generate: Any = ChainOfThought(make_signature(first, _to_write(self.signature)))
        self.code_regenerate: Any = ChainOfThought(make_signature(again, _to_repair(self.signature)))
        self.generate_output: Any = ChainOfThought(make_signature(answer, _to_answer(self.signature)))

    async def aforward(self, interpreter: CodeInterpreter | None = None, /, **kwargs: Any) -> Any:
        inputs = {name: kwargs[name] for name in self.input_fields if name in kwargs}
        factory = resolve_interpreter_factory(self.interpreter_factory)
        async with interpreter_for(interpreter, factory, {}, None) as used:
            code, output = await self._working_code(CodeSession(used, inputs), kwargs)
        return await entrance(self.generate_output)(**kwargs, final_generated_code=code, code_output=output)

    async def _working_code(self, session: CodeSession, kwargs: dict[str, Any]) -> tuple[str, str]:
        """A program that ran, and what it gave."""
        code = code_in((await entrance(self.code_generate)(**kwargs)).generated_code)
        for attempt in range(1, self.max_iters + 1):
            output, error = await _tried(session, code)
            if error is None:
                return code, output
            logger.info("ProgramOfThought: program %d of %d failed: %s", attempt, self.max_iters, error)
            if attempt == self.max_iters:
                raise RuntimeError(f"Max hops reached. Failed to run ProgramOfThought: {error}")
            again = await entrance(self.code_regenerate)(**kwargs, previous_code=code, error=error)
            code = code_in(again.generated_code)
        raise RuntimeError(f"max_iters={self.max_iters} allows ProgramOfThought no program at all.")


async def _tried(session: CodeSession, code: str) -> tuple[str, str | None]:
    """What the code gave, or how it failed."""
    if not code.strip():
        return "", "There was no code. Write a Python program that ends with SUBMIT(...)."
    try:
        execution = await session.run(code)
    except (SyntaxError, CodeExecutionError) as error:
        return "", error_text(error)
    output = _given(execution)
    return output, None if output else "The program gave nothing: it must end with SUBMIT(...)."


def _given(execution: Execution) -> str:
    final = execution.final
    if final is not None:
        return value_text(final["output"] if list(final) == ["output"] else dict(final))
    return execution.stdout if execution.value is None else value_text(execution.value)


# ---------------------------------------------------------------- what the model is told


def _listed(fields: Any) -> str:
    return ", ".join(f"`{name}`" for name in fields)


def _example(signature: type[Signature]) -> str:
    return "SUBMIT({" + ", ".join(f'"{name}": {name}' for name in signature.output_fields) + "})"


def _to_write(signature: type[Signature]) -> str:
    return (
        f"{signature.instructions}\n\n"
        f"You are given {_listed(signature.input_fields)}. Write a Python program that works out "
        f"{_listed(signature.output_fields)}. The inputs are variables of these names already. "
        f"When the result is there, the program hands it over and ends: {_example(signature)}. "
        "Use the standard library only; there are no files and no network."
    )


def _to_repair(signature: type[Signature]) -> str:
    return (
        f"{signature.instructions}\n\n"
        f"You are given {_listed(signature.input_fields)}, and a Python program that was to work out "
        f"{_listed(signature.output_fields)} but failed, with its error. Find the cause and write the whole program "
        f"again, corrected. The inputs are variables of their names, and the program ends with {_example(signature)}."
    )


def _to_answer(signature: type[Signature]) -> str:
    return (
        f"{signature.instructions}\n\n"
        f"You are given {_listed(signature.input_fields)}, a Python program that was written for them and what it "
        f"gave. From that, give {_listed(signature.output_fields)}."
    )
