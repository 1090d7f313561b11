"""Reason and act: think, call a tool, see what comes of it, again, until the outputs can be told.

    agent = dspx.ReAct("question -> answer", tools=[search, read_page])
    agent(question="Which lighthouse is the oldest?").answer

After Yao et al., "ReAct: Synergizing Reasoning and Acting in Language Models", 2022.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any, Literal

from dspx.core.calls import entrance
from dspx.core.candidate import bound
from dspx.core.fields import InputField, OutputField
from dspx.core.module import Module
from dspx.core.prediction import Prediction
from dspx.core.signature import ensure_signature, make_signature
from dspx.errors import AdapterParseError, ContextWindowExceededError, UsageError
from dspx.modules.chain_of_thought import ChainOfThought
from dspx.modules.predict import Predict, with_instructions
from dspx.modules.tool_loop import (
    Limits,
    Observation,
    Spent,
    named_tools,
    observe,
    tell_call,
    tell_observation,
    tell_thought,
)
from dspx.modules.trajectory import TrajectoryText
from dspx.runtime.bridge import call
from dspx.tools.approval import Approve
from dspx.tools.tool import Tool

logger = logging.getLogger("dspx.modules")

_FINISH = "finish"
_ATTEMPTS = 3
_KEYS_OF_A_STEP = 4


class ReAct(Module):
    """`ReAct(signature, tools, max_iters=20)`: an agent with tools (functions or `dspx.Tool`s).

    The prediction has the signature's outputs, `reasoning`, the `trajectory` (`thought_0`, `tool_name_0`,
    `tool_args_0`, `observation_0`, …) and `termination_reason`: "finish", "max_iters", "over_budget",
    "context_window" or "unreadable" (a step that could not be read). Whichever it is, the outputs are told from
    what is known by then. A call may say `max_iters=` for itself.

    A tool that fails, or is refused by `approve(tool, args)`, is something to observe. `max_tool_calls`,
    `max_lm_calls` and `max_seconds` limit one call of the agent; `over_budget` names the limit that ended it.

    One agent may be called any number of times at once: a call keeps its steps to itself.
    """

    def __init__(
        self,
        signature: Any,
        tools: Sequence[Callable[..., Any]],
        max_iters: int = 20,
        *,
        approve: Approve | None = None,
        max_tool_calls: int | None = None,
        max_lm_calls: int | None = None,
        max_seconds: float | None = None,
    ) -> None:
        super().__init__()
        self.signature: Any = ensure_signature(signature)
        _check_names(self.signature)
        self.max_iters = max_iters
        self.limits = Limits(max_tool_calls, max_lm_calls, max_seconds)
        self.approve = approve
        self.tools: dict[str, Tool] = named_tools([*tools, _finish_tool(self.signature)])
        self.react: Any = Predict(_step_signature(self.signature, self.tools))
        self.extract: Any = ChainOfThought(_extract_signature(self.signature))
        self._listed = [str(tool) for tool in self.tools.values()]

    async def aforward(self, **kwargs: Any) -> Prediction:
        max_iters = kwargs.pop("max_iters", None)
        work = _Work(self, kwargs)
        reason = await self._steps(work, self.max_iters if max_iters is None else max_iters)
        outputs = await self._ask(self.extract, work)
        prediction = Prediction(trajectory=work.trajectory, **outputs, termination_reason=reason)
        if work.over is not None:
            prediction["over_budget"] = work.over
        return prediction

    async def _steps(self, work: _Work, max_iters: int) -> str:
        """Take steps; the value says why no more are taken."""
        signature = self._current_signature()
        config = {} if signature is None else {"signature": signature}
        for step in range(max_iters):
            work.over = work.spent.over()
            if work.over is not None:
                return "over_budget"
            try:
                asked = await self._ask(self.react, work, **config)
            except ContextWindowExceededError as error:
                return _ended("context_window", "the context window is full", error)
            except (AdapterParseError, ValueError) as error:
                if isinstance(error, UsageError):
                    raise
                return _ended("unreadable", "a step could not be read", error)
            if await self._act(work, step, asked):
                return _FINISH
        return "max_iters"

    async def _act(self, work: _Work, step: int, asked: Any) -> bool:
        """Call the tool that was asked for and note the step. Whether it was the last."""
        thought, name, args = asked.next_thought, asked.next_tool_name, asked.next_tool_args
        tell_thought(self, step, thought)
        tell_call(self, step, name, args)
        if name == _FINISH:
            seen = await observe(self.tools, name, {}, None)
        else:
            work.spent.tool_calls += 1
            seen = await observe(self.tools, name, args, self.approve)
        work.note(step, thought, name, args, seen)
        tell_observation(self, step, name, seen)
        return name == _FINISH

    async def _ask(self, module: Any, work: _Work, **config: Any) -> Any:
        """Ask with the trajectory so far; where that is too long for the model, with less of its beginning."""
        for attempt in range(_ATTEMPTS):
            prediction = None
            try:
                prediction = await entrance(module)(
                    **work.inputs, trajectory=work.text.of(work.trajectory), **config
                )
                return prediction
            except ContextWindowExceededError as full:
                if attempt == _ATTEMPTS - 1:
                    raise
                logger.warning("The trajectory is too long for the model; its oldest tool call is left out.")
                try:
                    work.trajectory = await call(self.truncate_trajectory, work.trajectory)
                except (ContextWindowExceededError, ValueError) as error:
                    raise full from error
            finally:
                work.spent.asked(prediction)
        raise AssertionError("unreachable")

    def truncate_trajectory(self, trajectory: dict[str, Any]) -> dict[str, Any]:
        """The trajectory without its oldest tool call. Override it to shorten otherwise.

        `ContextWindowExceededError` where there is nothing to leave out.
        """
        names = list(trajectory)
        if len(names) <= _KEYS_OF_A_STEP:
            raise ContextWindowExceededError(
                "The trajectory is too long for the model, but it has a single tool call, which cannot be left out."
            )
        return {name: trajectory[name] for name in names[_KEYS_OF_A_STEP:]}

    def _current_signature(self) -> Any:
        """The step's signature where tools say something else of themselves now than when the agent was made."""
        listing = [str(tool) for tool in self.tools.values()]
        if listing == self._listed:
            return None
        values = bound.get()
        mine = values.get(id(self.react)) if values else None
        instructions: str = getattr(mine, "instructions", None) or self.react.signature.instructions
        for before, now in zip(self._listed, listing, strict=True):
            if before != now and before in instructions:
                instructions = instructions.replace(before, now)
            elif before != now:
                instructions = f"{instructions}\n{now}"
        return with_instructions(self.react.signature, instructions)


class _Work:
    """One call of an agent: its inputs, its steps so far, what it has taken."""

    def __init__(self, agent: ReAct, inputs: dict[str, Any]) -> None:
        self.inputs = inputs
        self.trajectory: dict[str, Any] = {}
        self.text = TrajectoryText(agent.react)
        self.spent = Spent(agent.limits)
        self.over: str | None = None

    def note(self, step: int, thought: Any, name: str, args: Any, seen: Observation) -> None:
        self.trajectory[f"thought_{step}"] = thought
        self.trajectory[f"tool_name_{step}"] = name
        self.trajectory[f"tool_args_{step}"] = args
        self.trajectory[f"observation_{step}"] = seen.value


def _ended(reason: str, words: str, error: Exception) -> str:
    logger.warning("The agent stops and answers from what it knows: %s. %s", words, error)
    return reason


# ---------------------------------------------------------------- signatures and prompts


def _check_names(signature: Any) -> None:
    taken = {"trajectory"} & signature.fields.keys()
    taken |= {"termination_reason", "over_budget"} & signature.output_fields.keys()
    if taken:
        raise UsageError(
            f"The field(s) {', '.join(sorted(taken))} have a meaning of their own in a ReAct agent: "
            "give the signature's field(s) other names."
        )


def _finish_tool(signature: Any) -> Tool:
    outputs = _names(signature.output_fields)

    def finish() -> str:
        return "Completed."

    return Tool(
        finish,
        name=_FINISH,
        desc=f"Ends the work. Call it as soon as everything is known that it takes to produce {outputs}.",
        args={},
        arg_types={},
    )


def _step_signature(signature: Any, tools: dict[str, Tool]) -> Any:
    fields: dict[str, Any] = dict(signature.input_fields)
    fields["trajectory"] = (str, InputField())
    fields["next_thought"] = (str, OutputField())
    fields["next_tool_name"] = (Literal[tuple(tools)], OutputField())  # pyright: ignore[reportInvalidTypeArguments]
    fields["next_tool_args"] = (dict[str, Any], OutputField())
    return make_signature(fields, _instructions(signature, tools))


def _extract_signature(signature: Any) -> Any:
    fields: dict[str, Any] = {**signature.input_fields, **signature.output_fields}
    return make_signature(fields, signature.instructions).append("trajectory", InputField(), str)


def _instructions(signature: Any, tools: dict[str, Tool]) -> str:
    inputs, outputs = _names(signature.input_fields), _names(signature.output_fields)
    given = f"{inputs} and `trajectory`" if inputs else "`trajectory`"
    listing = "\n".join(f"({number}) {tool}" for number, tool in enumerate(tools.values(), 1))
    lines = [
        f"You are an agent that works in steps. You are given {given}: the steps that you have taken so far.",
        f"Use the tools below to find out or to do whatever it takes to produce {outputs}.",
        "",
        "In each step write `next_thought`, `next_tool_name` and `next_tool_args`, in the last step too.",
        "The tool is then called, and what it returns stands in `trajectory` as the step's observation.",
        "",
        "`next_thought` is where you stand and what you mean to do next.",
        "`next_tool_name` is one of these tools, and `next_tool_args` are arguments that it takes:",
        "",
        listing,
        "Write `next_tool_args` as a JSON object.",
    ]
    task = [signature.instructions, ""] if signature.instructions else []
    return "\n".join([*task, *lines])


def _names(fields: Any) -> str:
    return ", ".join(f"`{name}`" for name in fields)
