"""Portable programs: models that can do more, types and adapters with deeper hooks, callbacks on failures."""

import asyncio
import json
from types import SimpleNamespace
from typing import Any

import pydantic

from tests.compat_programs.observing import chat, part, program, scripted


def _capable(dspy, answer, **able):
    class Capable(dspy.BaseLM):
        def __init__(self):
            super().__init__("own/capable")
            self.sent = []

        supports_function_calling = property(lambda self: able.get("tools", False))
        supports_response_schema = property(lambda self: able.get("schema", False))
        supports_reasoning = property(lambda self: able.get("reasoning", False))
        supported_params = property(lambda self: set(able.get("params", ())))

        def forward(self, prompt=None, messages=None, **kwargs):
            self.sent.append((messages, kwargs))
            message = SimpleNamespace(
                role="assistant", content=answer, tool_calls=None, reasoning_content=able.get("thought")
            )
            choice = SimpleNamespace(index=0, finish_reason="stop", message=message)
            return SimpleNamespace(
                model="own",
                choices=[choice],
                usage={"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
            )

    return Capable()


def _shown(kwargs):
    return {
        name: value.model_json_schema() if hasattr(value, "model_json_schema") else value
        for name, value in kwargs.items()
    }


@program
def structured_outputs(dspy, notes):
    class Item(pydantic.BaseModel):
        name: str
        size: int = 3

    signature = dspy.Signature("text -> item: Item, n: int", custom_types={"Item": Item})
    answer = '{"item": {"name": "x", "size": 1}, "n": 2}'
    for label, able in {
        "schema": {"schema": True, "params": ["response_format"]},
        "json only": {"params": ["response_format"]},
        "nothing": {},
    }.items():
        lm = _capable(dspy, answer, **able)
        with dspy.context(lm=lm, adapter=dspy.JSONAdapter()):
            notes(label, dspy.Predict(signature)(text="t"))
        notes("kwargs", [sorted(kwargs) for _, kwargs in lm.sent])
        if label == "json only":
            notes("format", [kwargs for _, kwargs in lm.sent])
    lm = _capable(dspy, answer, schema=True, params=["response_format"])
    with dspy.context(lm=lm, adapter=dspy.JSONAdapter()):
        dspy.Predict("text -> n: int, item: dict[str, Any]")(text="t")
    notes("open types", [sorted(kwargs) for _, kwargs in lm.sent])


@program
def native_reasoning(dspy, notes):
    class Solve(dspy.Signature):
        """Solve."""

        question: str = dspy.InputField()
        reasoning: dspy.Reasoning = dspy.OutputField()
        answer: str = dspy.OutputField()

    lm = _capable(dspy, chat(answer="4"), reasoning=True, thought="deep thought", params=["reasoning_effort"])
    with dspy.context(lm=lm, adapter=dspy.ChatAdapter()):
        out = dspy.Predict(Solve)(question="2+2")
    notes("values", [str(out.reasoning), out.answer])
    notes("sent", [[messages, kwargs] for messages, kwargs in lm.sent])
    plain = _capable(dspy, chat(reasoning="in text", answer="4"))
    with dspy.context(lm=plain, adapter=dspy.ChatAdapter()):
        out = dspy.Predict(Solve)(question="2+2")
    notes("without", [str(out.reasoning), out.answer, plain.sent[0][0]])
    with dspy.context(lm=plain):
        out = dspy.ChainOfThought("question -> answer", rationale_field_type=dspy.Reasoning)(question="2+2")
        notes("cot", [type(out.reasoning).__name__, out.answer])


@program
def types_that_parse_themselves(dspy, notes):
    class Money(dspy.Type):
        amount: float
        currency: str

        def format(self):
            return f"{self.amount} {self.currency}"

        @pydantic.model_validator(mode="before")
        @classmethod
        def _read(cls, value: Any):
            if isinstance(value, str):
                amount, currency = value.split()
                return {"amount": float(amount), "currency": currency}
            return value

    signature = dspy.Signature("text -> price: Money, others: list[Money]", custom_types={"Money": Money})
    for text in ("3.5 EUR", '{"amount": 1, "currency": "USD"}'):
        lm = scripted(dspy, [chat(price=text, others="[]")])
        with dspy.context(lm=lm):
            notes(text, dspy.Predict(signature)(text="t").price)
    notes("prompt", lm.prompts())
    notes(
        "in a demo",
        dspy.ChatAdapter().format(
            signature,
            [
                {
                    "text": "t",
                    "price": Money(amount=1, currency="EUR"),
                    "others": [Money(amount=2, currency="USD")],
                }
            ],
            {"text": "u"},
        ),
    )


@program
def validators_of_fields(dspy, notes):
    class Short(pydantic.BaseModel):
        title: str = pydantic.Field(max_length=5)

        @pydantic.field_validator("title")
        @classmethod
        def _upper(cls, value):
            return value.upper()

    signature = dspy.Signature("text -> short: Short, score: float", custom_types={"Short": Short})
    for answer in ('{"title": "abc"}', '{"title": "far too long"}', '{"name": "abc"}'):
        with dspy.context(lm=scripted(dspy, [chat(short=answer, score="1")])):
            notes.raises(answer, lambda: dspy.Predict(signature)(text="t").short)

    class Bounded(dspy.Signature):
        """B."""

        q: str = dspy.InputField()
        score: int = dspy.OutputField(ge=1, le=5)
        word: str = dspy.OutputField(min_length=2)

    notes("prompt", dspy.ChatAdapter().format(Bounded, [], {"q": "?"}))
    with dspy.context(lm=scripted(dspy, [chat(score="4", word="ab")])):
        notes("within", dspy.Predict(Bounded)(q="?"))


@program
def callbacks_on_failures(dspy, notes):
    seen = []

    class Watcher(part(dspy, "utils.callback").BaseCallback):
        def on_lm_end(self, call_id, outputs, exception):
            seen.append(["lm", outputs, type(exception).__name__])

        def on_adapter_parse_end(self, call_id, outputs, exception):
            seen.append(["parse", outputs, type(exception).__name__])

        def on_module_start(self, call_id, instance, inputs):
            raise RuntimeError("a callback that is broken")

    class Broken(dspy.BaseLM):
        def forward(self, prompt=None, messages=None, **kwargs):
            raise ValueError("gone")

    with dspy.context(callbacks=[Watcher()], lm=Broken("own/broken")):
        notes.raises("lm", lambda: dspy.Predict("q -> a: int")(q="?"))
    notes("seen", [entry for entry in seen if entry[0] == "lm"][:1])
    with dspy.context(callbacks=[Watcher()], lm=scripted(dspy, [chat(a="1")])):
        notes("goes on", dspy.Predict("q -> a: int")(q="?"))
    notes("again", seen[-2:])


@program
def adapters_that_wrap_parsing(dspy, notes):
    class Cleaning(dspy.ChatAdapter):
        def parse(self, signature, completion):
            values = super().parse(signature, completion.replace("**", ""))
            return {
                name: value.strip("!") if isinstance(value, str) else value for name, value in values.items()
            }

    class Lenient(dspy.JSONAdapter):
        def parse(self, signature, completion):
            try:
                return super().parse(signature, completion)
            except part(dspy, "utils.exceptions").AdapterParseError:
                return dict.fromkeys(signature.output_fields)

    with dspy.context(lm=scripted(dspy, ["**[[ ## a ## ]]**\nyes!\n[[ ## n ## ]]\n3"]), adapter=Cleaning()):
        notes("cleaned", dspy.Predict("q -> a, n: int")(q="?"))
    with dspy.context(lm=scripted(dspy, ["no json at all"]), adapter=Lenient()):
        notes("lenient", dspy.Predict("q -> a, n: int")(q="?"))

    class Language(dspy.ChatAdapter):
        def __init__(self, language):
            super().__init__()
            self.language = language

        def format_task_description(self, signature):
            return super().format_task_description(signature) + f"\nAnswer in {self.language}."

        def format_conversation_history(self, signature, history_field_name, inputs):
            return [
                {"role": "system", "content": "history"},
                *super().format_conversation_history(signature, history_field_name, inputs),
            ]

    class Talk(dspy.Signature):
        question: str = dspy.InputField()
        history: dspy.History = dspy.InputField()
        answer: str = dspy.OutputField()

    history = dspy.History(messages=[{"question": "1", "answer": "one"}])
    notes("language", Language("French").format(Talk, [], {"question": "2", "history": history}))


@program
def saved_by_dspy(dspy, notes):
    state = {
        "predict": {
            "traces": [],
            "train": [],
            "demos": [
                {"augmented": True, "question": "q", "reasoning": "r", "answer": "a"},
                {"question": "q2", "answer": "a2"},
            ],
            "signature": {
                "instructions": "Tuned.",
                "fields": [
                    {"prefix": "Question:", "description": "${question}"},
                    {
                        "prefix": "Reasoning: Let's think step by step in order to",
                        "description": "${reasoning}",
                    },
                    {"prefix": "Answer:", "description": "tuned description"},
                ],
            },
            "lm": None,
        },
        "metadata": {"dependency_versions": {"python": "3.11", "dspy": "3.4.1", "cloudpickle": "3.1"}},
    }
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "p.json")
        path.write_text(json.dumps(state))
        program = dspy.ChainOfThought("question -> answer")
        program.load(path)
    lm = scripted(dspy, [chat(reasoning="r", answer="x")])
    with dspy.context(lm=lm):
        notes("answer", program(question="new"))
        notes("async", asyncio.run(program.acall(question="new")))
    notes("prompt", lm.prompts()[0])
