"""Ask freely, then extract: one model answers in its own words, another reads the fields out of the answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from inspect import cleandoc
from typing import Any

from dspx.adapters.base import Adapter, Answer, Message
from dspx.adapters.chat import ChatAdapter
from dspx.adapters.render import content_types, field_descriptions, value_text
from dspx.content import markers
from dspx.core.fields import InputField
from dspx.core.signature import make_signature
from dspx.errors import AdapterParseError, UsageError
from dspx.lm.response import Response
from dspx.runtime.bridge import run

TEXT = "text"


class TwoStepAdapter(Adapter, layout=True):
    """For models that think better without a format: the first call is free of one.

    `extraction_model` then reads the outputs out of each completion, asked by a `ChatAdapter`; a small and
    cheap model will do. A history stands in the question as one of its inputs.
    """

    def __init__(self, extraction_model: Any, **kwargs: Any) -> None:
        if not hasattr(extraction_model, "respond_to"):
            raise UsageError(
                f"extraction_model must be an LM, such as dspx.LM(…), not {extraction_model!r:.100}."
            )
        super().__init__(**kwargs)
        self.extraction_model = extraction_model
        self.extraction_adapter = ChatAdapter(self.callbacks, ask_again=self.ask_again)

    # ------------------------------------------------------------ asking

    async def acall(
        self,
        lm: Any,
        lm_kwargs: Mapping[str, Any],
        signature: Any,
        demos: Sequence[Any],
        inputs: Mapping[str, Any],
    ) -> list[dict[str, Any]]:
        return (await self.ask(lm, lm_kwargs, signature, demos, inputs)).values

    async def ask(
        self,
        lm: Any,
        lm_kwargs: Mapping[str, Any],
        signature: Any,
        demos: Sequence[Any],
        inputs: Mapping[str, Any],
    ) -> Answer:
        """The free answers, and the values that the extraction model reads in them."""
        asked, params = self._prepared(lm, lm_kwargs, signature, self.plan(signature).shape, inputs)
        response = await lm.respond_to(self._messages(asked, demos, inputs), params)
        values: list[dict[str, Any]] = []
        problems: list[AdapterParseError] = []
        reasked = False
        for output in response.outputs:
            try:
                extracted = await self._extract(asked, output.text or "")
            except AdapterParseError as problem:
                problems.append(problem)
                continue
            reasked = reasked or extracted.reasked
            values += [self._completed(signature, found, output) for found in extracted.values[:1]]
        if problems and not values:
            raise problems[0]
        return Answer(values, response, reasked, str(problems[0]) if problems else None)

    async def _extract(self, signature: Any, text: str) -> Answer:
        if not text and signature.output_fields:
            raise self._failure(signature, text, "The LM returned an empty or null response.")
        extraction = self.extraction_signature(signature)
        return await self.extraction_adapter.ask(self.extraction_model, {}, extraction, [], {TEXT: text})

    def _completed(self, signature: Any, found: Mapping[str, Any], output: Any) -> dict[str, Any]:
        """The extracted values, with what the first model gave beside its text."""
        values = {name: found.get(name) for name in signature.output_fields}
        beside = Response("", (output,)).as_outputs()[0]
        for name, type_ in self._native_outputs(signature):
            native = type_.parse_lm_response(beside)
            if native is not None:
                values[name] = native
        if output.logprobs:
            values["logprobs"] = output.logprobs
        return values

    def parse(self, signature: Any, completion: str) -> dict[str, Any]:
        """The outputs in a free answer: this asks the extraction model."""
        return run(self._extract(signature, completion)).values[0]

    def extraction_signature(self, signature: Any) -> Any:
        """From `text` to the outputs of the signature."""
        return self.plan(signature).once("extraction", lambda: _extraction_signature(signature))

    # ------------------------------------------------------------ prompts

    def format(self, signature: Any, demos: Sequence[Any], inputs: Mapping[str, Any]) -> list[Message]:
        messages: list[Message] = [{"role": "system", "content": self.format_system_message(signature)}]
        if demos:
            messages += self._demo_messages(self.plan(signature), signature, demos)
        content = self.format_user_message_content(signature, inputs, main_request=True)
        return [*messages, {"role": "user", "content": markers.content_of(content)}]

    def _system_message(self, signature: Any) -> str:
        return self.format_task_description(signature)

    def format_task_description(self, signature: Any) -> str:
        parts = (
            "You are a helpful assistant that can solve tasks based on user input.",
            f"As input, you will be provided with:\n{field_descriptions(signature.input_fields)}",
            f"Your outputs must contain:\n{field_descriptions(signature.output_fields)}",
            "You should lay out your outputs in detail so that your answer can be understood by another agent",
        )
        instructions = f"Specific instructions: {cleandoc(signature.instructions)}"
        return "\n".join([*parts, instructions]).strip()

    def format_user_message_content(
        self,
        signature: Any,
        inputs: Mapping[str, Any],
        prefix: str = "",
        suffix: str = "",
        main_request: bool = False,
    ) -> str:
        parts = [prefix, *self._named(signature.input_fields, inputs), suffix]
        return "\n\n".join(part for part in parts if part).strip()

    def format_assistant_message_content(
        self, signature: Any, outputs: Mapping[str, Any], missing_field_message: str | None = None
    ) -> str:
        """What is known of the answer; a gap is left out, for this prompt promises no format."""
        return "\n\n".join(self._named(signature.output_fields, outputs))

    def _named(self, fields: Mapping[str, Any], values: Mapping[str, Any]) -> list[str]:
        return [f"{name}: {_text(values[name], field)}" for name, field in fields.items() if name in values]


def _text(value: Any, field: Any) -> str:
    """A value as Python prints it; a content type as what it is, and so what holds one in a question."""
    if isinstance(value, (str, int, float, type(None))):
        return str(value)
    text = value_text(value)
    if markers.START in text:
        return text if field.role == "input" else str(value)
    return text if content_types(field.annotation) else str(value)


def _extraction_signature(signature: Any) -> Any:
    names = ", ".join(f"`{name}`" for name in signature.output_fields)
    instructions = (
        f"The input is a text that should contain all the necessary information to produce the fields {names}. "
        "            Your job is to extract the fields from the text verbatim. "
        "Extract precisely the appropriate value (content) for each field."
    )
    fields = {TEXT: (str, InputField()), **signature.output_fields}
    return make_signature(fields, instructions)
