"""What a portable program did, as JSON: values, prompts, errors, log lines. The same code runs under DSPy and dspx."""

import contextlib
import datetime
import enum
import importlib
import io
import logging
import re
from types import SimpleNamespace

PROGRAMS = {}


def program(function):
    """Register `function(dspy, notes)`: `dspy` is either library, `notes` takes what is worth comparing."""
    PROGRAMS[function.__name__] = function
    return function


def part(dspy, path):
    """`dspy.utils` and the like, of whichever library is running."""
    return importlib.import_module(f"{dspy.__name__}.{path}")


class Notes:
    def __init__(self):
        self.lines = []

    def __call__(self, label, value):
        self.lines.append([label, plain(value)])

    def raises(self, label, function, *args, **kwargs):
        """Note the result, or the class of what was raised."""
        try:
            value = function(*args, **kwargs)
        except Exception as error:
            self.lines.append([label, {"raised": [kind.__name__ for kind in type(error).__mro__]}])
            return error
        self(label, value)
        return None

    @contextlib.contextmanager
    def logs(self, label, dspy):
        """Note the warnings and errors that are logged meanwhile: level and text, without the logger's name."""
        records = []
        listener = logging.Handler(logging.WARNING)
        listener.emit = records.append
        root = logging.getLogger(dspy.__name__)
        propagates, level = root.propagate, root.level
        root.addHandler(listener)
        try:
            yield
        finally:
            root.removeHandler(listener)
            root.propagate = propagates
            root.setLevel(level)
        self(label, [record.levelname for record in records])

    @contextlib.contextmanager
    def printed(self, label):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            yield
        self(label, re.sub(r"\[\d{4}-\d\d-\d\dT[\d:.]+\]", "[time]", out.getvalue()))


def plain(value):
    """Any value as JSON that is equal in both libraries when the values are."""
    if value is None or isinstance(value, bool | int | float) or type(value) is str:
        return value
    if isinstance(value, enum.Enum):
        return f"{type(value).__name__}.{value.name}"
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, str):
        return str(value)
    if isinstance(value, type):
        return f"class {value.__name__}"
    if isinstance(value, BaseException):
        return {"error": type(value).__name__, "text": str(value)}
    if isinstance(value, set | frozenset):
        return sorted(plain(item) for item in value)
    return _structure(value)


def _structure(value):
    if hasattr(value, "model_dump"):
        return {"model": type(value).__name__, "values": plain(value.model_dump())}
    if hasattr(value, "toDict"):
        return {"record": type(value).__name__, **plain(value.toDict())}
    if hasattr(value, "items") and callable(value.items):
        return {str(key): plain(item) for key, item in value.items()}
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    try:
        return [plain(item) for item in value]
    except TypeError:
        return f"a {type(value).__name__}"


def scripted(dspy, answers, usage=(7, 3), **settings):
    """A BaseLM as users write them for DSPy: `forward` returns an OpenAI-shaped object. It keeps what it was sent.

    `answers`: texts, one per call (the last repeats), or a function of the messages.
    """

    class Scripted(dspy.BaseLM):
        def __init__(self):
            super().__init__("scripted/one", **settings)
            self.sent = []

        def forward(self, prompt=None, messages=None, **kwargs):
            asked = messages or [{"role": "user", "content": prompt}]
            self.sent.append((asked, kwargs))
            return _completion(_answer(answers, asked, len(self.sent) - 1), usage)

        async def aforward(self, prompt=None, messages=None, **kwargs):
            return self.forward(prompt, messages, **kwargs)

        def prompts(self):
            return [plain(asked) for asked, _ in self.sent]

    return Scripted()


def _answer(answers, asked, index):
    if callable(answers):
        return answers(asked)
    return answers[min(index, len(answers) - 1)]


def _completion(text, usage):
    texts = text if isinstance(text, list) else [text]
    return SimpleNamespace(
        model="scripted-1",
        choices=[
            SimpleNamespace(
                index=index,
                finish_reason="stop",
                message=SimpleNamespace(role="assistant", content=content, tool_calls=None),
            )
            for index, content in enumerate(texts)
        ],
        usage={"prompt_tokens": usage[0], "completion_tokens": usage[1], "total_tokens": sum(usage)},
    )


def chat(**values):
    """An answer in the ChatAdapter's form."""
    return "\n\n".join(
        [*(f"[[ ## {name} ## ]]\n{value}" for name, value in values.items()), "[[ ## completed ## ]]"]
    )


def without_names(state):
    """A saved state less the fields' names and types, which dspx adds."""
    if isinstance(state, dict):
        kept = {key: without_names(value) for key, value in state.items()}
        added = {"name", "role", "type", "shapes"} if "prefix" in kept else set()
        return {key: value for key, value in kept.items() if key not in added}
    return [without_names(value) for value in state] if isinstance(state, list) else state


def unordered(text):
    """A field's `repr` less the marker of untyped fields, which stands elsewhere in dspx."""
    return text.replace("'IS_TYPE_UNDEFINED': True, ", "")
