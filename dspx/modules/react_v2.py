"""An agent whose memory is a `History`: it calls tools, natively where the model can, and hands in its outputs by one.

agent = dspx.ReActV2("question -> answer", tools=[search, read_page])
talk = dspx.History(messages=[])
agent(question="Which lighthouse is the oldest?", history=talk).answer
agent(question="And in Europe?", history=talk).answer        # goes on from there
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Optional

from dspx.adapters.coerce import coercer
from dspx.content.history import History
from dspx.content.reasoning import Reasoning
from dspx.content.tool_calls import ToolCallResults, ToolCalls
from dspx.core.calls import entrance
from dspx.core.fields import InputField, OutputField
from dspx.core.module import Module
from dspx.core.prediction import Prediction
from dspx.core.signature import ensure_signature, make_signature
from dspx.errors import AdapterParseError, AgentError, ContextWindowExceededError, UsageError
from dspx.modules.predict import Predict
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
from dspx.runtime.fanout import fan_out
from dspx.tools.approval import Approve
from dspx.tools.schema import schema_of
from dspx.tools.tool import Tool

logger = logging.getLogger("dspx.modules")

SUBMIT = "submit"
_RESERVED_OUTPUTS = ("history", "termination_reason", "over_budget")
_RESERVED_INPUTS = ("history", "tools")
_ATTEMPTS = 3


class ReActV2(Module):
    """`ReActV2(signature, tools, max_iters=20)`: each turn the model may call several tools, which run at once.

    Every turn is appended to `history`, the caller's own where one is given: inputs, thought, calls with their
    results, at last the outputs. The prediction has the outputs, the `history` and `termination_reason`: "submit",
    or "forced_submit" where the model had to be told to hand in what it has (it called no tool, was not
    understood, or ran out of turns, context or budget). `AgentError` where even that gives no outputs.

    `approve`, `max_tool_calls`, `max_lm_calls` and `max_seconds` are those of `ReAct`. At most
    `max_parallel_calls` tools run at once; 1 runs them one after the other.
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
        max_parallel_calls: int = 8,
    ) -> None:
        super().__init__()
        self.signature: Any = ensure_signature(signature)
        _check_fields(self.signature)
        self.max_iters = max_iters
        self.limits = Limits(max_tool_calls, max_lm_calls, max_seconds)
        self.max_parallel_calls = max_parallel_calls
        self.approve = approve
        self.tools: dict[str, Tool] = named_tools(tools)
        if SUBMIT in self.tools:
            raise UsageError(
                f"`{SUBMIT}` is the tool by which a ReActV2 agent hands in its outputs; rename yours."
            )
        self.tools[SUBMIT] = _submit_tool(self.signature)
        self.react: Any = Predict(_turn_signature(self.signature, self.tools))

    async def aforward(self, **kwargs: Any) -> Prediction:
        max_iters = kwargs.pop("max_iters", None)
        work = _Work(self, kwargs.pop("history", None), kwargs)
        turns = self.max_iters if max_iters is None else max_iters
        outputs, why = await self._turns(work, turns)
        reason = SUBMIT
        if outputs is None:
            outputs, reason = await self._forced(work, turns, why), "forced_submit"
        prediction = Prediction(**outputs, history=work.history, termination_reason=reason)
        if work.over is not None:
            prediction["over_budget"] = work.over
        return prediction

    async def _turns(self, work: _Work, turns: int) -> tuple[dict[str, Any] | None, str]:
        """The outputs that were handed in; without any, why there are no more turns."""
        for turn in range(turns):
            work.over = work.spent.over()
            if work.over is not None:
                return None, work.over
            try:
                asked = await self._ask(work, work.history.messages)
            except AdapterParseError as error:
                logger.warning("A turn of the agent could not be read: %s", error)
                return None, "an answer that could not be read"
            except ContextWindowExceededError as error:
                logger.warning("The history is too long for the model: %s", error)
                return None, "a full context window"
            calls = asked.tool_calls
            if calls is None or not calls.tool_calls:
                return None, "a turn without tool calls"
            outputs = await self._act(work, turn, asked.next_thought, _with_ids(calls.tool_calls, turn))
            if outputs is not None:
                return outputs, SUBMIT
        return None, f"max_iters={turns}"

    async def _ask(self, work: _Work, messages: list[Any], **config: Any) -> Any:
        asked = None
        try:
            # The trace keeps what was asked here, and the history goes on: so it is asked with a list of its own.
            history = History.model_construct(messages=list(messages))
            asked = await entrance(self.react)(
                **work.pending, history=history, tools=list(self.tools.values()), **config
            )
            return asked
        finally:
            work.spent.asked(asked)

    async def _forced(self, work: _Work, turn: int, why: str) -> dict[str, Any]:
        """The outputs that the model hands in when it is told to. `AgentError` where there are none."""
        config = {"tool_choice": {"type": "function", "function": {"name": SUBMIT}}, "reasoning_effort": None}
        problem = "no submit call"
        try:
            asked = await self._ask_shorter(work, config=config)
        except AdapterParseError as error:
            raise AgentError(_failed(why, str(error)), history=work.history) from error
        calls = [call for call in getattr(asked.tool_calls, "tool_calls", ()) if call.name == SUBMIT]
        if calls:
            outputs = await self._act(work, turn, asked.next_thought, _with_ids(calls[:1], turn))
            if outputs is not None:
                return outputs
            problem = f"submit failed.\n{work.last_seen}"
        raise AgentError(_failed(why, problem), history=work.history)

    async def _ask_shorter(self, work: _Work, **config: Any) -> Any:
        """Ask; where the history is too long for the model, without the oldest turns that only called tools."""
        messages = list(work.history.messages)
        for attempt in range(_ATTEMPTS):
            try:
                return await self._ask(work, messages, **config)
            except ContextWindowExceededError:
                shorter = _shortened(messages, self.signature.input_fields)
                if attempt == _ATTEMPTS - 1 or len(shorter) == len(messages):
                    raise
                messages = shorter
        raise AssertionError("unreachable")

    async def _act(
        self, work: _Work, turn: int, thought: Any, calls: list[ToolCalls.ToolCall]
    ) -> dict[str, Any] | None:
        """Run the calls and note the turn. The outputs, where they were handed in."""
        tell_thought(self, turn, thought)
        seen = await self._run_all(work, turn, calls)
        results = ToolCallResults.from_tool_calls_and_values(
            calls, [one.value for one in seen], [one.is_error for one in seen]
        )
        event = dict(work.pending)
        if thought is not None:
            event["next_thought"] = str(thought)
        event["tool_calls"] = ToolCalls.model_construct(tool_calls=calls, tool_call_results=results)
        submitted = [one for call, one in zip(calls, seen, strict=True) if call.name == SUBMIT]
        outputs = next((one.value for one in submitted if not one.is_error), None)
        event.update(outputs or {})
        work.history.messages.append(event)
        work.pending = {}
        work.last_seen = submitted[-1].value if submitted else None
        return outputs

    async def _run_all(self, work: _Work, turn: int, calls: list[ToolCalls.ToolCall]) -> list[Observation]:
        """What came of each call. Those that the budget does not allow are not run."""
        allowed = _allowed(calls, work.spent.tool_calls_left)
        work.spent.tool_calls += sum(call.name != SUBMIT for call in allowed)

        async def one(number: int) -> Observation:
            call = calls[number]
            tell_call(self, turn, call.name, call.args, number)
            approve = None if call.name == SUBMIT else self.approve
            seen = await observe(self.tools, call.name, call.args, approve)
            tell_observation(self, turn, call.name, seen, number)
            return seen

        seen = [Observation("Not run: there were as many tool calls as are allowed.", True)] * len(calls)
        numbers = [number for number, call in enumerate(calls) if any(call is each for each in allowed)]
        if len(numbers) == 1 or self.max_parallel_calls <= 1:
            for number in numbers:
                seen[number] = await one(number)
            return seen
        for number, outcome in zip(
            numbers, await fan_out(one, numbers, workers=self.max_parallel_calls), strict=True
        ):
            if outcome.error is not None:
                raise outcome.error
            assert outcome.value is not None
            seen[number] = outcome.value
        return seen


class _Work:
    """One call of an agent: its history, the inputs that no turn has shown yet, what it has taken."""

    def __init__(self, agent: ReActV2, history: Any, inputs: dict[str, Any]) -> None:
        if history is None:
            history = History(messages=[])
        self.history: History = history if isinstance(history, History) else History.model_validate(history)
        self.pending = inputs
        self.spent = Spent(agent.limits)
        self.over: str | None = None
        self.last_seen: Any = None


def _with_ids(calls: Sequence[ToolCalls.ToolCall], turn: int) -> list[ToolCalls.ToolCall]:
    """The calls, each with an id: results are tied to them by it."""
    return [
        call if call.id is not None else call.model_copy(update={"id": f"call_{turn}_{number}"})
        for number, call in enumerate(calls)
    ]


def _allowed(calls: list[ToolCalls.ToolCall], left: int | None) -> list[ToolCalls.ToolCall]:
    """The calls that the budget has room for; handing in costs nothing."""
    if left is None:
        return calls
    kept: list[ToolCalls.ToolCall] = []
    for call in calls:
        if call.name == SUBMIT:
            kept.append(call)
        elif left > 0:
            kept.append(call)
            left -= 1
    return kept


def _shortened(messages: list[Any], inputs: Mapping[str, Any]) -> list[Any]:
    """The turns without the oldest half of those that only called tools."""
    idle = [number for number, turn in enumerate(messages) if inputs.keys().isdisjoint(turn)]
    dropped = set(idle[: (len(idle) + 1) // 2])
    return [turn for number, turn in enumerate(messages) if number not in dropped]


def _failed(why: str, problem: str) -> str:
    return f"ReActV2 failed to produce final outputs after {why}: {problem}"


# ---------------------------------------------------------------- signatures and prompts


def _check_fields(signature: Any) -> None:
    for fields, reserved, role in (
        (signature.output_fields, _RESERVED_OUTPUTS, "Output"),
        (signature.input_fields, _RESERVED_INPUTS, "Input"),
    ):
        taken = [name for name in reserved if name in fields]
        if taken:
            raise UsageError(
                f"{role} field name(s) {', '.join(f'`{name}`' for name in taken)} are reserved by ReActV2: "
                "give the signature's field(s) other names."
            )


def _submit_tool(signature: Any) -> Tool:
    fields = signature.output_fields

    def submit(**outputs: Any) -> dict[str, Any]:
        return {
            name: outputs[name] if name in outputs else field.get_default() for name, field in fields.items()
        }

    args = {name: _argument_of(field) for name, field in fields.items()}
    said = {name: field.description_text for name, field in fields.items() if field.description_text}
    types = {name: field.annotation for name, field in fields.items()}
    made = Tool(submit, SUBMIT, "Hands in the outputs and ends the work.", args, types, said or None)
    made._checks.update({name: coercer(field) for name, field in fields.items()})
    made._must = tuple(name for name, field in fields.items() if not field.has_default)
    return made


def _argument_of(field: Any) -> dict[str, Any]:
    schema = schema_of(field.annotation)
    return {**schema, "default": field.get_default()} if field.has_default else schema


def _turn_signature(signature: Any, tools: Mapping[str, Tool]) -> Any:
    fields: dict[str, Any] = {
        name: (Optional[field.annotation], InputField(desc=field.desc))  # noqa: UP045
        for name, field in signature.input_fields.items()
    }
    fields["history"] = (History, InputField())
    fields["tools"] = (list[Tool], InputField())
    fields["next_thought"] = (Reasoning, OutputField())
    fields["tool_calls"] = (ToolCalls, OutputField())
    return make_signature(fields, _instructions(signature, tools))


def _instructions(signature: Any, tools: Mapping[str, Tool]) -> str:
    inputs, outputs = _names(signature.input_fields), _names(signature.output_fields)
    lines = [
        f"You are an agent with tools: find out or do whatever it takes to produce {outputs}"
        + (f" from {inputs}." if inputs else "."),
        "As long as something is missing, call tools, several at once where they do not wait for each other.",
        f"When you know {outputs}, hand in by calling `{SUBMIT}`.",
        f"The tools are {_names(tools)}.",
    ]
    return "\n".join([signature.instructions, *lines] if signature.instructions else lines)


def _names(named: Mapping[str, Any]) -> str:
    return ", ".join(f"`{name}`" for name in named)
