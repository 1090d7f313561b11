"""Portable programs: adapters configured globally, adapters of one's own."""

import asyncio
import json
from typing import Literal

import pydantic

from tests.compat_programs.observing import chat, program, scripted


class Item(pydantic.BaseModel):
    name: str
    price: float = pydantic.Field(description="in euro")


def _signature(dspy):
    class Shop(dspy.Signature):
        """Read the receipt."""

        text: str = dspy.InputField(desc="the receipt")
        known: list[Item] = dspy.InputField()
        items: list[Item] = dspy.OutputField()
        paid: Literal["cash", "card"] = dspy.OutputField(desc="how")
        total: float = dspy.OutputField()

    return Shop


def _inputs():
    return {"text": "2 apples", "known": [Item(name="pear", price=1.0)]}


def _demos(dspy):
    return [
        dspy.Example(text="1 pear", known=[], items=[Item(name="pear", price=1.0)], paid="cash", total=1.0),
        dspy.Example(text="a plum", known=[], total=0.5, augmented=True),
    ]


@program
def chat_adapter(dspy, notes):
    _run(
        dspy,
        notes,
        dspy.ChatAdapter(),
        chat(items='[{"name": "apple", "price": 1}]', paid="card", total="2.0"),
    )


@program
def json_adapter(dspy, notes):
    answer = {"items": [{"name": "apple", "price": 1}], "paid": "card", "total": 2.0}
    _run(dspy, notes, dspy.JSONAdapter(), json.dumps(answer))
    for label, text in {
        "fenced": f"```json\n{json.dumps(answer)}\n```",
        "with talk": f"Sure! {json.dumps(answer)} Bye.",
        "trailing comma": '{"items": [], "paid": "cash", "total": 1,}',
        "extra key": json.dumps({**answer, "other": 1}),
        "string number": json.dumps({**answer, "total": "3.5"}),
    }.items():
        with dspy.context(lm=scripted(dspy, [text]), adapter=dspy.JSONAdapter()):
            notes.raises(label, lambda: dspy.Predict(_signature(dspy))(**_inputs()))


@program
def xml_adapter(dspy, notes):
    answer = '<items>[{"name": "apple", "price": 1}]</items>\n<paid>card</paid>\n<total>2.0</total>'
    _run(dspy, notes, dspy.XMLAdapter(), answer)


@program
def two_step_adapter(dspy, notes):
    extractor = scripted(dspy, [chat(items='[{"name": "apple", "price": 1}]', paid="card", total="2.0")])
    _run(dspy, notes, dspy.TwoStepAdapter(extraction_model=extractor), "Two apples, paid by card, 2 euro.")
    notes("extraction prompt", extractor.prompts()[0])


def _run(dspy, notes, adapter, answer):
    lm = scripted(dspy, [answer])
    with dspy.context(lm=lm, adapter=adapter):
        predict = dspy.Predict(_signature(dspy))
        notes("first", predict(**_inputs()))
        predict.demos = _demos(dspy)
        notes("with demos", predict(**_inputs()))
        notes("async", asyncio.run(predict.acall(**_inputs())))
        notes("cot", dspy.ChainOfThought(_signature(dspy)).predict.signature.signature)
    notes("sent", [[messages, sorted(kwargs)] for messages, kwargs in lm.sent])
    notes("formatted", adapter.format(_signature(dspy), _demos(dspy), _inputs()))


@program
def adapter_with_other_hooks(dspy, notes):
    class Terse(dspy.ChatAdapter):
        def format_task_description(self, signature):
            return f"TASK: {signature.instructions}"

        def format_field_description(self, signature):
            return "FIELDS: " + ", ".join(signature.fields)

        def format_user_message_content(self, signature, inputs, prefix="", suffix="", main_request=False):
            body = super().format_user_message_content(signature, inputs, prefix, suffix, main_request)
            return f"{main_request}: {body}"

        def format_assistant_message_content(self, signature, outputs, missing_field_message=None):
            return "DEMO " + json.dumps(dict(outputs), default=str)

    class Shouting(dspy.ChatAdapter):
        def format(self, signature, demos, inputs):
            messages = super().format(signature, demos, inputs)
            return [{**message, "content": message["content"].upper()} for message in messages]

        def parse(self, signature, completion):
            return dict.fromkeys(signature.output_fields, completion)

    class Counting(dspy.ChatAdapter):
        calls = 0

        def __call__(self, lm, lm_kwargs, signature, demos, inputs):
            self.calls += 1
            return super().__call__(lm, {**lm_kwargs, "stop": ["END"]}, signature, demos, inputs)

    class Structured(dspy.ChatAdapter):
        def format_system_message(self, signature):
            return "SYSTEM"

        def format_field_structure(self, signature):
            return "STRUCTURE"

        def user_message_output_requirements(self, signature):
            return "Answer well."

        def format_demos(self, signature, demos):
            return [{"role": "user", "content": f"{len(demos)} demos"}]

    for adapter in (Terse(), Shouting(), Counting(), Structured()):
        lm = scripted(dspy, [chat(answer="x")])
        predict = dspy.Predict(dspy.Signature("question -> answer", "Say it."))
        predict.demos = [dspy.Example(question="d", answer="e")]
        with dspy.context(lm=lm, adapter=adapter):
            notes(type(adapter).__name__, predict(question="why?"))
        notes("sent", [[messages, kwargs] for messages, kwargs in lm.sent])
        notes("calls", getattr(adapter, "calls", None))


@program
def adapter_from_nothing(dspy, notes):
    class Lines(dspy.Adapter):
        """One line per field."""

        def format(self, signature, demos, inputs):
            lines = [f"{name}={inputs[name]}" for name in signature.input_fields if name in inputs]
            return [{"role": "user", "content": "\n".join([signature.instructions, *lines])}]

        def parse(self, signature, completion):
            return dict(line.split("=", 1) for line in completion.splitlines())

    lm = scripted(dspy, ["answer=yes\nwhy=because"])
    with dspy.context(lm=lm, adapter=Lines()):
        notes("answer", dspy.Predict("question -> answer, why")(question="?"))
        notes("async", asyncio.run(dspy.Predict("question -> answer, why").acall(question="?")))
    notes("sent", lm.prompts())


@program
def adapter_called_by_itself(dspy, notes):
    lm = scripted(dspy, [[chat(answer="1"), chat(answer="2")]])
    adapter = dspy.ChatAdapter()
    signature = dspy.Signature("question -> answer: int")
    notes("call", adapter(lm, {"n": 2}, signature, [], {"question": "?"}))
    notes("acall", asyncio.run(adapter.acall(lm, {"n": 2}, signature, [], {"question": "?"})))
    notes("parse", adapter.parse(signature, chat(answer="7")))
    notes.raises("parse nothing", lambda: adapter.parse(signature, "nothing"))
    notes("json parse", dspy.JSONAdapter().parse(signature, '{"answer": 7}'))
    notes("xml parse", dspy.XMLAdapter().parse(signature, "<answer>7</answer>"))
    notes("finetune data", adapter.format_finetune_data(signature, [], {"question": "?"}, {"answer": 3}))
    notes(
        "sections",
        [
            adapter.format_field_description(signature),
            adapter.format_field_structure(signature),
            adapter.format_task_description(signature),
        ],
    )
    notes("requirements", adapter.user_message_output_requirements(signature))
    notes(
        "user content", adapter.format_user_message_content(signature, {"question": "?"}, main_request=True)
    )
    notes("assistant content", adapter.format_assistant_message_content(signature, {"answer": 3}))
    notes("missing", adapter.format_assistant_message_content(signature, {}, missing_field_message="none"))


@program
def answers_that_are_not_quite_in_form(dspy, notes):
    signature = dspy.Signature("question -> reasoning, answer: int")
    adapter = dspy.ChatAdapter()
    for label, text in {
        "no end": "[[ ## reasoning ## ]]\nr\n[[ ## answer ## ]]\n4",
        "talk before": "Well.\n[[ ## reasoning ## ]]\nr\n\n[[ ## answer ## ]]\n4\n[[ ## completed ## ]]",
        "same line": "[[ ## reasoning ## ]] r\n[[ ## answer ## ]] 4",
        "twice": "[[ ## reasoning ## ]]\nr\n[[ ## answer ## ]]\n4\n[[ ## answer ## ]]\n5",
        "other order": "[[ ## answer ## ]]\n4\n[[ ## reasoning ## ]]\nr",
        "unknown field": "[[ ## reasoning ## ]]\nr\n[[ ## bonus ## ]]\nb\n[[ ## answer ## ]]\n4",
        "empty text": "[[ ## reasoning ## ]]\n\n[[ ## answer ## ]]\n4",
    }.items():
        notes.raises(label, lambda text=text: adapter.parse(signature, text))


@program
def falling_back_to_json(dspy, notes):
    lm = scripted(dspy, ['{"answer": 4}'])
    with dspy.context(lm=lm, adapter=dspy.ChatAdapter()):
        notes("answer", dspy.Predict("question -> answer: int")(question="?"))
    with dspy.context(lm=scripted(dspy, ["just text"]), adapter=dspy.ChatAdapter()):
        notes.raises("nothing helps", lambda: dspy.Predict("question -> answer: int")(question="?"))
    with dspy.context(
        lm=scripted(dspy, ["just text"]), adapter=dspy.ChatAdapter(use_json_adapter_fallback=False)
    ):
        notes.raises("no fallback", lambda: dspy.Predict("question -> answer: int")(question="?"))
