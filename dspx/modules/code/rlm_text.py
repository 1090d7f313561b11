"""What `RLM` tells its model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dspx.modules.code.tool_text import tools_text

INPUTS_ARE_BACK = "\n(The inputs are variables again; anything else has to be worked out anew.)"


def to_explore(signature: Any, tools: dict[str, Callable[..., Any]], max_llm_calls: int) -> str:
    """The task, the sandbox, and how to work in it."""
    inputs = ", ".join(f"`{name}`" for name in signature.input_fields)
    outputs = ", ".join(f"`{name}`" for name in signature.output_fields)
    submit = "SUBMIT(" + ", ".join(f"{name}=..." for name in signature.output_fields) + ")"
    types = "\n".join(
        f"- `{name}`: {_type_name(output.annotation)}{_described(output)}"
        for name, output in signature.output_fields.items()
    )
    told = f"""{signature.instructions}

You work at a Python prompt. The inputs {inputs} are variables there. They may be far longer than what you are shown of
them, so look at them by code and never guess what they hold. Each step, you write some Python and are then shown what it
printed and the value of its last line. Variables stay from step to step.

Besides the standard library your code has:
- `llm_query(prompt)`: the answer of a language model, as text. It sees only the prompt, so put what it must know into it.
- `llm_query_batched(prompts)`: the answers to a list of prompts, asked side by side; much faster than one after the other.
- `dspy.Predict("inputs -> outputs", "instructions")(**inputs)` after `import dspy`: a question with named fields, whose
  answer has them as attributes; `dspy.ChainOfThought` likewise, with reasoning first.
- `{submit}`: hand over the answer. That ends the work.
Together at most {max_llm_calls} questions may be asked.

How to work:
- Look first: print lengths, types and samples before you decide anything.
- Let Python count, search, split and compare; ask a model only for what takes understanding, in pieces that fit a prompt.
- Keep results in variables and print only what you need to see: long output is cut in the middle.
- Check what you found before you submit it. An error is shown to you, and the next step can correct it.

The answer needs {outputs}:
{types}"""
    if tools:
        told += f"\n\nYour code may also call these functions:\n{tools_text(tools)}"
    return told


def to_extract(signature: Any) -> str:
    """How to answer when the steps are used up."""
    outputs = ", ".join(f"`{name}`" for name in signature.output_fields)
    return (
        f"{signature.instructions}\n\n"
        "The inputs were explored at a Python prompt, and the steps allowed for it are used up. "
        f"From what the steps showed, give {outputs} as well as they can be told."
    )


def _type_name(annotation: Any) -> str:
    return annotation.__name__ if isinstance(annotation, type) else str(annotation).replace("typing.", "")


def _described(output: Any) -> str:
    return f" ({output.description_text})" if output.description_text else ""
