"""What every adapter shares: from a signature and values to messages, through the LM, and back to values.

    class BulletAdapter(dspx.Adapter):
        def format(self, signature, demos, inputs): ...      # → messages
        def parse(self, signature, completion): ...          # → values, or AdapterParseError naming what is missing

These two are all that an adapter must have; the base class joins them with the LM, n completions, native
features of models, asking again, and events. A class that keeps the usual order of messages (system, demos,
history, question) leaves `format` alone and overrides the `format_*` hooks below.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from dspx.adapters import native_tools
from dspx.adapters.fieldstream import FieldStream
from dspx.adapters.plan import Plan, Rendering, Shape, plan_for
from dspx.content import markers
from dspx.core import streams
from dspx.core.calls import stepped
from dspx.core.events import is_heard, observe
from dspx.core.example import Example
from dspx.core.trace import asked_again
from dspx.errors import AdapterParseError, UsageError
from dspx.runtime.bridge import run

Message = dict[str, Any]

logger = logging.getLogger("dspx.adapters")

_HOOKS = (
    "format",
    "parse",
    "format_system_message",
    "format_field_description",
    "format_field_structure",
    "format_task_description",
    "format_user_message_content",
    "user_message_output_requirements",
    "format_assistant_message_content",
    "format_demos",
    "format_conversation_history",
)
_OF_SYSTEM = frozenset(_HOOKS[2:6])
_OF_DEMOS = frozenset({"format_demos", "format_user_message_content", "format_assistant_message_content"})
_OF_TOOLS = frozenset({"tools", "tool_choice", "parallel_tool_calls"})

DEMO_WITH_GAPS = "This is an example of the task, though some input or output fields are not supplied."
GAP = "Not supplied for this particular example. "


@dataclass(frozen=True, slots=True)
class Answer:
    """What an adapter got: the values of each completion, and how.

    `reasked` says that the first answer could not be read and the LM was asked once more; `problem` what was
    wrong with the first answer, or with the completions that were left out.
    """

    values: list[dict[str, Any]]
    response: Any
    reasked: bool = False
    problem: str | None = None


class Adapter:
    """Turns a question into messages and an answer into values.

    `native_response_types` are the output types that a model may provide itself, beside its text: by default
    `Citations` and `Reasoning`. Without `use_native_function_calling`, tools are not offered to the model.
    Where an answer cannot be read, the LM is asked once more and told why, unless `ask_again=False`.

    A class declared with `layout=True` promises that its hooks depend on the signature alone: what they return
    is kept. Subclasses of it may override any hook; an overridden hook is called each time.
    """

    _layout: ClassVar[type[Adapter]]
    _hooked: ClassVar[frozenset[str]] = frozenset()
    _keeps_system: ClassVar[bool] = False

    def __init__(
        self,
        callbacks: list[Any] | None = None,
        use_native_function_calling: bool = False,
        native_response_types: Sequence[Any] | None = None,
        parallel_tool_calls: bool | None = None,
        *,
        ask_again: bool = True,
    ) -> None:
        self.callbacks = callbacks or []
        self.use_native_function_calling = use_native_function_calling
        self.native_response_types = native_response_types
        self.parallel_tool_calls = parallel_tool_calls
        self.ask_again = ask_again

    def __init_subclass__(cls, *, layout: bool = False, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if layout:
            cls._layout = cls
        cls._hooked = frozenset(
            name for name in _HOOKS if getattr(cls, name, None) is not getattr(cls._layout, name, None)
        )
        cls._keeps_system = cls._hooked.isdisjoint(_OF_SYSTEM)

    # ------------------------------------------------------------ asking

    def __call__(
        self,
        lm: Any,
        lm_kwargs: Mapping[str, Any],
        signature: Any,
        demos: Sequence[Any],
        inputs: Mapping[str, Any],
    ) -> list[dict[str, Any]]:
        """The values of each completion, by name of output."""
        return run(stepped(self)(lm, lm_kwargs, signature, demos, inputs))

    async def acall(
        self,
        lm: Any,
        lm_kwargs: Mapping[str, Any],
        signature: Any,
        demos: Sequence[Any],
        inputs: Mapping[str, Any],
    ) -> list[dict[str, Any]]:
        """The same call for async code."""
        shape = self.plan(signature).shape
        asked, params = self._prepared(lm, lm_kwargs, signature, shape, inputs)
        response = await lm.respond_to(self._messages(asked, demos, inputs), params)
        values, problems = self._read(signature, shape, asked, response)
        if values or not problems:
            return values
        return (await self._asked_again(lm, lm_kwargs, signature, demos, inputs, response, problems)).values

    async def ask(
        self,
        lm: Any,
        lm_kwargs: Mapping[str, Any],
        signature: Any,
        demos: Sequence[Any],
        inputs: Mapping[str, Any],
    ) -> Answer:
        """Ask, read what comes back, and where none of it can be read, ask once more.

        `AdapterParseError` where the second answer cannot be read either.
        """
        shape = self.plan(signature).shape
        asked, params = self._prepared(lm, lm_kwargs, signature, shape, inputs)
        response = await lm.respond_to(self._messages(asked, demos, inputs), params)
        values, problems = self._read(signature, shape, asked, response)
        if values or not problems:
            return Answer(values, response, problem=_problem(problems[0]) if problems else None)
        return await self._asked_again(lm, lm_kwargs, signature, demos, inputs, response, problems)

    async def _asked_again(
        self,
        lm: Any,
        lm_kwargs: Mapping[str, Any],
        signature: Any,
        demos: Sequence[Any],
        inputs: Mapping[str, Any],
        response: Any,
        problems: Sequence[AdapterParseError],
    ) -> Answer:
        """The second answer, where nothing of the first could be read and this adapter asks again."""
        if not self.ask_again:
            raise problems[0]
        # Whoever reads a stream reads it by this adapter's layout: then the second answer is asked for in it too.
        again = self if streams.sink.get() is not None else self._asks_again()
        problem = _problem(problems[0])
        logger.warning(
            "An answer of %s could not be read, asking once more. %s", getattr(lm, "model", lm), problem
        )
        shape = again.plan(signature).shape
        asked, params = again._prepared(lm, lm_kwargs, signature, shape, inputs)
        messages = [*again._messages(asked, demos, inputs), *again._objection(asked, response, problem)]
        second = await lm.respond_to(messages, params)
        values, still = again._read(signature, shape, asked, second)
        if not values and still:
            raise still[0] from problems[0]
        asked_again.set(problem)
        return Answer(values, second, True, problem)

    def _messages(self, signature: Any, demos: Sequence[Any], inputs: Mapping[str, Any]) -> list[Message]:
        """The messages of `format`, told to whoever listens."""
        if not is_heard(self):
            return self.format(signature, demos, inputs)
        shown = {"signature": signature, "demos": demos, "inputs": inputs}
        return observe("adapter_format", self, lambda: shown, self.format, signature, demos, inputs)

    def _read(
        self, signature: Any, shape: Shape, asked: Any, response: Any
    ) -> tuple[list[dict[str, Any]], list[AdapterParseError]]:
        """The values of each completion that can be read, and what is wrong with the others."""
        parse = self._told_parse if is_heard(self) else self.parse
        values: list[dict[str, Any]] = []
        problems: list[AdapterParseError] = []
        for output in response.outputs:
            try:
                values.append(self._values(signature, shape, asked, output, parse))
            except AdapterParseError as problem:
                problems.append(problem)
        return values, problems

    def _told_parse(self, signature: Any, text: str) -> dict[str, Any]:
        """The values of `parse`, told to whoever listens."""
        shown = {"signature": signature, "completion": text}
        return observe("adapter_parse", self, lambda: shown, self.parse, signature, text)

    def _asks_again(self) -> Adapter:
        """Who asks the second time."""
        return self

    def _objection(self, signature: Any, response: Any, problem: str) -> list[Message]:
        """The answer that could not be read, and what was wrong with it."""
        said = next((output.text for output in response.outputs if output.text), None)
        requirements = (
            self.user_message_output_requirements(signature) or "Answer again, in the format asked for."
        )
        objection = {"role": "user", "content": f"That answer could not be read. {problem}\n\n{requirements}"}
        return [{"role": "assistant", "content": said}, objection] if said else [objection]

    # ------------------------------------------------------------ before and after the LM

    def _prepared(
        self,
        lm: Any,
        lm_kwargs: Mapping[str, Any],
        signature: Any,
        shape: Shape,
        inputs: Mapping[str, Any],
    ) -> tuple[Any, dict[str, Any]]:
        """The signature without what the model provides natively, and the parameters that make it do so."""
        params = dict(lm_kwargs)
        if params and not self.use_native_function_calling and not _OF_TOOLS.isdisjoint(params):
            params = {name: value for name, value in params.items() if name not in _OF_TOOLS}
        if not shape.speaks_natively:
            return signature, params
        asked = native_tools.prepared(self, lm, signature, inputs, params)
        for name, type_ in self._native_outputs(signature):
            asked = type_.adapt_to_native_lm_feature(asked, name, lm, params)
        if asked is not signature:
            asked = _same_each_time(signature, asked)
            native_tools.note_what_is_left(signature, asked)
        return asked, params

    def _native_outputs(self, signature: Any) -> Sequence[tuple[str, Any]]:
        contents = self.plan(signature).shape.contents
        if not contents:
            return ()
        native = _native_by_default() if self.native_response_types is None else self.native_response_types
        return [(name, type_) for name, type_ in contents if type_ in native]

    def _values(
        self,
        signature: Any,
        shape: Shape,
        asked: Any,
        output: Any,
        parse: Callable[[Any, str], dict[str, Any]],
    ) -> dict[str, Any]:
        """One completion as values of the signature, with `logprobs` where there are some."""
        text = output.text
        called = native_tools.called(signature, asked, output) if shape.speaks_natively else None
        values: dict[str, Any] = {}
        if asked.output_fields:
            if not text and not called:
                raise AdapterParseError(type(self).__name__, signature, text or "", _emptiness(output))
            try:
                values = parse(asked, text) if text else values
            except AdapterParseError as problem:
                if not called:
                    raise
                values = problem.found  # what is said beside a call of a tool need not follow the form
        if values.keys() != shape.outputs.keys():
            values = {**dict.fromkeys(shape.outputs), **shape.completed(values)}
        if shape.speaks_natively:
            values.update(self._given_natively(signature, output), **(called or {}))
        if output.logprobs:
            values["logprobs"] = output.logprobs
        return values

    def _given_natively(self, signature: Any, output: Any) -> dict[str, Any]:
        """The outputs that the model gave beside its text."""
        given = {
            name: type_.parse_lm_response(_loose(output)) for name, type_ in self._native_outputs(signature)
        }
        return {name: value for name, value in given.items() if value is not None}

    # ------------------------------------------------------------ values → messages

    def format(self, signature: Any, demos: Sequence[Any], inputs: Mapping[str, Any]) -> list[Message]:
        """The messages: system, demos (those with gaps first), history, question."""
        plan = self.plan(signature)
        history = plan.shape.history
        messages: list[Message] = [{"role": "system", "content": self.format_system_message(signature)}]
        if demos:
            messages += self._demo_messages(plan, signature, demos)
        asked: Any = signature
        if history is not None:
            asked = plan.without_history
            native_tools.note_what_is_left(signature, asked)
            if inputs.get(history) is not None:
                turns = self.format_conversation_history(asked, history, dict(inputs))
                messages += markers.split_messages(turns)
        values = inputs if type(inputs) is dict else _values_of(inputs)
        content = self.format_user_message_content(asked, values, main_request=True)
        if content:
            messages.append({"role": "user", "content": markers.content_of(content)})
        return messages

    def format_system_message(self, signature: Any) -> str:
        """The system message: what the fields are, how answers are structured, what the task is."""
        if not self._keeps_system:
            return self._system_message(signature)
        plan = self.plan(signature)
        if plan.system is None:
            plan.system = self._system_message(signature)
        return plan.system

    def _system_message(self, signature: Any) -> str:
        parts = (
            self.format_field_description(signature),
            self.format_field_structure(signature),
            self.format_task_description(signature),
        )
        return "\n".join(parts)

    def format_field_description(self, signature: Any) -> str:
        """What the input and output fields are."""
        raise self._missing("format_field_description")

    def format_field_structure(self, signature: Any) -> str:
        """How inputs are written, and how the answer is to be."""
        raise self._missing("format_field_structure")

    def format_task_description(self, signature: Any) -> str:
        """What to do: the signature's instructions."""
        raise self._missing("format_task_description")

    def format_user_message_content(
        self,
        signature: Any,
        inputs: Mapping[str, Any],
        prefix: str = "",
        suffix: str = "",
        main_request: bool = False,
    ) -> str:
        """Inputs as a user's message; the question itself (`main_request`) also says how to answer."""
        raise self._missing("format_user_message_content")

    def user_message_output_requirements(self, signature: Any) -> str | None:
        """How to answer, in a sentence or two at the end of the question."""
        return None

    def format_assistant_message_content(
        self, signature: Any, outputs: Mapping[str, Any], missing_field_message: str | None = None
    ) -> str:
        """Outputs as an assistant's message."""
        raise self._missing("format_assistant_message_content")

    def format_demos(self, signature: Any, demos: Sequence[Any]) -> list[Message]:
        """The demos as messages: those with gaps first, those without any input or any output not at all."""
        with_gaps: list[Message] = []
        whole: list[Message] = []
        for demo in demos:
            place, user, assistant = self._rendered_demo(signature, demo)
            messages = [{"role": "user", "content": user}, {"role": "assistant", "content": assistant}]
            if place is not None:
                (whole if place else with_gaps).extend(messages)
        return with_gaps + whole

    def format_conversation_history(
        self, signature: Any, history_field_name: str, inputs: dict[str, Any]
    ) -> list[Message]:
        """The turns of a conversation as messages; takes the history out of `inputs`. `signature` is without it."""
        messages: list[Message] = []
        for turn in _turns_of(inputs.pop(history_field_name, None), history_field_name):
            has_input = any(name in turn for name in signature.input_fields)
            user = self.format_user_message_content(signature, turn, main_request=has_input)
            if user:
                messages.append({"role": "user", "content": user})
            calls = native_tools.calls_in(turn)
            if calls is not None:
                messages += native_tools.messages_of(self, signature, turn, *calls)
                continue
            assistant = self.format_assistant_message_content(signature, turn)
            if assistant:
                messages.append({"role": "assistant", "content": assistant})
        return messages

    def format_finetune_data(
        self, signature: Any, demos: Sequence[Any], inputs: Mapping[str, Any], outputs: Mapping[str, Any]
    ) -> dict[str, list[Message]]:
        """A question and its right answer as one conversation: `{"messages": […]}`, as OpenAI takes it."""
        answer = self.format_assistant_message_content(signature, outputs)
        return {
            "messages": [*self.format(signature, demos, inputs), {"role": "assistant", "content": answer}]
        }

    def _demo_messages(self, plan: Plan, signature: Any, demos: Sequence[Any]) -> list[Message]:
        if not self._hooked.isdisjoint(_OF_DEMOS):
            return markers.split_messages(self.format_demos(signature, demos))

        def render(demo: Any) -> Rendering:
            place, user, assistant = self._rendered_demo(signature, demo)
            return place, markers.content_of(user), assistant

        return plan.shape.demos.messages(demos, render)

    def _rendered_demo(self, signature: Any, demo: Any) -> tuple[int | None, str, str]:
        """A demo's place among the demos (None: it is no demo), its question and its answer."""
        values = _values_of(demo)
        whole = all(values.get(name) is not None for name in signature.fields)
        if not whole and not (
            any(name in values for name in signature.input_fields)
            and any(name in values for name in signature.output_fields)
        ):
            return None, "", ""
        user = self.format_user_message_content(signature, values, prefix="" if whole else DEMO_WITH_GAPS)
        return int(whole), user, self.format_assistant_message_content(signature, values, GAP)

    # ------------------------------------------------------------ a completion → values

    def parse(self, signature: Any, completion: str) -> dict[str, Any]:
        """The values of the outputs. `AdapterParseError` says what is missing or wrong."""
        raise self._missing("parse")

    def field_stream(self, signature: Any) -> FieldStream | None:
        """Reads a completion while it arrives; None where this adapter's answers can only be read whole."""
        return None

    # ------------------------------------------------------------ shared by layouts

    def plan(self, signature: Any) -> Plan:
        """What this adapter's layout keeps for a signature."""
        plan = signature.__plans__.get(self._layout)
        return plan_for(signature, self._layout) if plan is None else plan

    def _failure(
        self,
        signature: Any,
        completion: str,
        reason: str | None = None,
        found: Mapping[str, Any] | None = None,
    ) -> AdapterParseError:
        """The error for a completion that cannot be read."""
        return AdapterParseError(type(self).__name__, signature, completion, reason, dict(found or {}))

    def _missing(self, hook: str) -> UsageError:
        return UsageError(
            f"{type(self).__name__} has no `{hook}`. Define it, or define `format` and `parse`, "
            "which are all that an adapter needs."
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


Adapter._layout = Adapter


def missing_outputs(shape: Any, found: Mapping[str, Any]) -> str:
    """Which outputs an answer lacks, as a sentence."""
    names = [f"`{name}`" for name in shape.required if name not in found]
    return f"The answer has no {' and no '.join(names)}."


def _problem(error: AdapterParseError) -> str:
    return error.reason or missing_outputs(_Required(error), error.found)


class _Required:
    """The outputs that a custom adapter's error expects."""

    def __init__(self, error: AdapterParseError) -> None:
        self.required = error.expected


def _emptiness(output: Any) -> str:
    cut_off = (
        " It was cut off before its first word: allow more tokens."
        if output.finish_reason == "length"
        else ""
    )
    return f"The LM returned an empty or null response.{cut_off}"


def _native_by_default() -> tuple[Any, ...]:
    from dspx.content.citations import Citations
    from dspx.content.reasoning import Reasoning

    return Citations, Reasoning


def _same_each_time(signature: Any, asked: Any) -> Any:
    """The signature that a type's hook has just made, or the equal one it made earlier, which has its plans."""
    fields: dict[str, Any] = asked.fields
    if asked.instructions != signature.instructions or any(
        signature.fields.get(name) is not field for name, field in fields.items()
    ):
        return asked
    return signature.__plans__.setdefault(("fields", tuple(fields)), asked)


def _loose(output: Any) -> Any:
    """A completion as `lm(...)` gives it: its text, or a dict with what came beside it."""
    from dspx.lm.response import Response

    return Response("", (output,)).as_outputs()[0]


def _values_of(source: Any) -> Mapping[str, Any]:
    return source._store if isinstance(source, Example) else source


def _turns_of(history: Any, name: str) -> list[Mapping[str, Any]]:
    """The turns of a `History`, or of what could become one: its dict, or its list."""
    turns: Any = getattr(history, "messages", history)
    if isinstance(turns, Mapping):
        turns = turns.get("messages")
    if not isinstance(turns, list) or not all(isinstance(turn, (Mapping, Example)) for turn in turns):
        raise UsageError(
            f"`{name}` is a history: give dspx.History(messages=[{{…}}, …]), not {history!r:.100}."
        )
    return [_values_of(turn) for turn in turns]
