"""Goldens beside prompts: string signatures, how data primitives read, and saved state.

`signatures(api)`, `data(api)` and `states(api)` give JSON, whichever library `api` is.
"""

import copy
import json
import pathlib
import tempfile
import warnings
from typing import Any, Callable

from tests.golden.cases import find

# ---------------------------------------------------------------- string signatures

GRAMMAR = [
    "question -> answer",
    "question, context -> answer",
    "question: str -> answer: int",
    "a:int,b:float->c:bool",
    "  question  ->  answer  ",
    "question->answer",
    "-> c",
    "a ->",
    "->",
    "a, b: list[int] -> c: dict[str, int]",
    "a: list -> b: dict",
    "a: tuple[int, str] -> b: set[str]",
    "a: Literal['x', 'y'] -> b: Literal[1, 2]",
    'a: Literal["with -> arrow"] -> b',
    "a: Literal['a, b: c'] -> b",
    "a: Optional[int] -> b: Union[int, str]",
    "a: int | None -> b: str | int | float",
    "a: None -> b: None",
    "a: list[Optional[str]] -> b: dict[str, list[int]]",
    "a: Any -> b: object",
    "a: typing.List[int] -> b: typing.Optional[str]",
    "a: List[int] -> b: Dict[str, int]",
    "a: Tuple[int, ...] -> b: complex",
    "a: bytes -> b: bytearray",
    "a: frozenset[int] -> b",
    "a: dspy.Image -> b",
    "a: dspy.History, q -> b: dspy.Code",
    "a: list[dspy.Image] -> b: Optional[dspy.Image]",
    "camelCaseText -> HTMLParser",
    "text2number, v2 -> some_ID, snake_case_name",
    "a = 3 -> b",
    "a, *args -> b",
    "a, **kwargs -> b",
    "a, a -> b",
    "a -> a",
    "a, b -> c -> d",
    "a, b",
    "",
    "a b -> c",
    "a: -> b",
    "1a -> b",
    "a-b -> c",
    "a: UnknownTypeName -> b",
    "a: list[UnknownTypeName] -> b",
    "a: 3 -> b",
    "a: 'str' -> b",
    "a: int() -> b",
    "class -> b",
    "question,\ncontext\n->\nanswer",
    "a, -> b,",
    "é -> ü: int",
]

EDITS: dict[str, Callable[[Any, Any], Any]] = {
    "with_instructions": lambda api, s: s.with_instructions("New."),
    "append_instructions": lambda api, s: s.append_instructions("More."),
    "with_updated_fields_desc": lambda api, s: s.with_updated_fields("answer", desc="one word"),
    "with_updated_fields_type": lambda api, s: s.with_updated_fields("answer", int),
    "with_updated_fields_unknown": lambda api, s: s.with_updated_fields("nope", desc="x"),
    "prepend_output": lambda api, s: s.prepend("why", api.OutputField(), str),
    "append_output": lambda api, s: s.append("score", api.OutputField(desc="0 to 1"), float),
    "prepend_input": lambda api, s: s.prepend("hint", api.InputField()),
    "append_input": lambda api, s: s.append("hint", api.InputField(), list[str]),
    "insert_0": lambda api, s: s.insert(0, "x", api.InputField()),
    "insert_1": lambda api, s: s.insert(1, "x", api.InputField()),
    "insert_minus_1": lambda api, s: s.insert(-1, "x", api.OutputField()),
    "insert_minus_2": lambda api, s: s.insert(-2, "x", api.InputField()),
    "insert_too_far": lambda api, s: s.insert(9, "x", api.InputField()),
    "delete": lambda api, s: s.delete("context"),
    "delete_unknown": lambda api, s: s.delete("nope"),
    "insert_existing": lambda api, s: s.append("question", api.InputField(desc="again")),
}

PREFIXES = ["question", "camelCaseText", "HTMLParser", "text2number", "v2", "some_ID", "snake_case", "aB", "URL", "myURLName",
            "x_1", "_private", "gpt4o", "A", "answer_", "two__underscores", "ÄrgerText"]

# ---------------------------------------------------------------- writing


def write(api: Any, write: Callable[[str, Any], None]) -> None:
    write("signatures.json", signatures(api))
    write("data.json", data(api))
    for name, state in states(api).items():
        write(f"state/{name}.json", state)


def signatures(api: Any) -> dict[str, Any]:
    """What each string means, what each edit does, how names become prefixes."""
    base = api.Signature("question, context -> answer", "Answer.")
    return {
        "grammar": {text: _described(lambda text=text: api.Signature(text)) for text in GRAMMAR},
        "edits": {name: _described(lambda edit=edit: edit(api, base)) for name, edit in EDITS.items()},
        "prefixes": {name: find(api, "infer_prefix")(name) for name in PREFIXES},
        "field_extras": {name: make() for name, make in _extras(api).items()},
        "dump_state": {text: api.Signature(text).dump_state() for text in ("a, b: int -> c", "camelCase -> x2")},
    }


def _described(make: Callable[[], Any]) -> dict[str, Any]:
    try:
        made = make()
    except Exception as error:
        return {"error": type(error).__name__}
    fields = {
        name: {
            "role": (field.json_schema_extra or {}).get("__dspy_field_type"),
            "type": _type_text(field.annotation),
            "prefix": field.json_schema_extra["prefix"],
            "desc": field.json_schema_extra["desc"],
            "type_undefined": bool(field.json_schema_extra.get("IS_TYPE_UNDEFINED")),
        }
        for name, field in made.fields.items()
    }
    return {"instructions": made.instructions, "signature": made.signature, "name": made.__name__, "fields": fields}


def _type_text(annotation: Any) -> str:
    """The annotation as text, the same in either library."""
    text = annotation.__name__ if isinstance(annotation, type) and not hasattr(annotation, "__args__") else repr(annotation)
    for noise in ("dspy.adapters.types.", "dspx.content.", "image.", "history.", "code.", "typing.", "<class '", "'>"):
        text = text.replace(noise, "")
    return text


def _extras(api: Any) -> dict[str, Callable[[], Any]]:
    def extra(**kwargs: Any) -> Callable[[], Any]:
        def made() -> Any:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                field = api.InputField(**kwargs)
            signature = find(api, "make_signature")({"x": (float, field), "y": (str, api.OutputField())})
            return dict(sorted(signature.fields["x"].json_schema_extra.items()))

        return made

    return {
        "nothing": extra(), "desc": extra(desc="d"), "description": extra(description="d"),
        "both": extra(desc="d", description="e"), "prefix": extra(prefix="P:"), "gt": extra(gt=1), "ge_le": extra(ge=0, le=1),
        "lt": extra(lt=5), "multiple_of": extra(multiple_of=2), "lengths": extra(min_length=1, max_length=3),
        "default": extra(default=1.0), "extra": extra(json_schema_extra={"mine": 1}),
    }


# ---------------------------------------------------------------- data primitives


def data(api: Any) -> dict[str, Any]:
    """Each snippet of `DATA`, evaluated: its value as text, or the error it raises."""
    names = {
        "Example": find(api, "Example"), "Prediction": find(api, "Prediction"), "Completions": find(api, "Completions"),
        "copy": copy,
    }
    found = {}
    for snippet in DATA:
        try:
            found[snippet] = {"value": str(eval(snippet, dict(names)))}
        except Exception as error:
            found[snippet] = {"error": type(error).__name__}
    return found


DATA = [
    "repr(Example(a=1, b='x'))", "str(Example(a=1))", "repr(Example(a=1, b=2).with_inputs('a'))",
    "repr(Example({'a': 1}, b=2))", "repr(Example(Example(a=1).with_inputs('a'), b=2))", "len(Example(a=1, dspy_x=2))",
    "list(Example(a=1, dspy_x=2).keys())", "list(Example(a=1, dspy_x=2).keys(include_dspy=True))",
    "list(Example(a=1, b=2).values())", "list(Example(a=1, b=2).items())", "Example(a=1).toDict()",
    "Example(a=Example(b=1)).toDict()", "Example(a=[Example(b=1)], c=(Example(d=1),)).toDict()", "Example(a=1) == Example(a=1)",
    "Example(a=1) == {'a': 1}", "Example(a=1) == Prediction(a=1)", "Example(a=1) == Example(a=1).with_inputs('a')",
    "'a' in Example(a=1)", "'b' in Example(a=1)", "Example(a=1)['a']", "Example(a=1)['b']", "Example(a=1).b",
    "Example(a=1).get('a')", "Example(a=1).get('b')", "Example(a=1).get('b', 3)", "Example(a=1).inputs()",
    "Example(a=1, b=2).with_inputs('a').inputs()", "Example(a=1, b=2).with_inputs('a').labels()",
    "Example(a=1, b=2).with_inputs('a', 'missing').inputs().toDict()", "Example(a=1, b=2).without('a')", "Example(a=1).without('b')",
    "Example(a=1).copy(b=2)", "Example(a=1).with_inputs('a').copy(b=2)", "hash(Example(a=1)) == hash(Example(a=1))",
    "hash(Example(a=[1]))", "list(Example(a=1, dspy_b=2))", "Example(a=1).with_inputs('a').without('a')",
    "copy.copy(Example(a=1).with_inputs('a'))", "copy.deepcopy(Example(a=1).with_inputs('a'))", "bool(Example())",
    "repr(Example())", "repr(Prediction(a=1, b='x'))", "str(Prediction(a=1))", "repr(Prediction())",
    "repr(Prediction.from_completions([{'a': 1}, {'a': 2}]))", "repr(Prediction.from_completions([{'a': 1}, {'a': 2}, {'a': 3}]))",
    "repr(Prediction.from_completions({'a': [1, 2]}))", "Prediction.from_completions([{'a': 1}, {'a': 2}]).a",
    "Prediction.from_completions([{'a': 1}, {'a': 2}]).completions.a",
    "Prediction.from_completions([{'a': 1}, {'a': 2}]).completions[1]",
    "Prediction.from_completions([{'a': 1}, {'a': 2}]).completions['a']",
    "len(Prediction.from_completions([{'a': 1}, {'a': 2}]).completions)",
    "Prediction.from_completions([{'a': 1}, {'a': 2}]).completions[5]",
    "Prediction.from_completions([{'a': 1}, {'a': 2}]).completions[-1]",
    "repr(Prediction.from_completions([{'a': 1}]).completions)", "Prediction(a=1).completions",
    "list(Prediction.from_completions([{'a': 1}, {'a': 2}]).completions.items())",
    "Prediction(a=1).get_lm_usage()", "Prediction(a=1).inputs()", "float(Prediction(score=0.5))", "float(Prediction(a=1))",
    "Prediction(score=1) + Prediction(score=2)", "Prediction(score=1) + 2", "2 + Prediction(score=1)",
    "sum([Prediction(score=1), Prediction(score=2)])", "Prediction(score=1) / 2", "1 / Prediction(score=2)",
    "Prediction(score=1) < 2", "Prediction(score=1) >= Prediction(score=1)", "Prediction(score=1) == 1",
    "Prediction(score=1) + 'x'", "Prediction(score=1) < 'x'", "max(Prediction(score=1), Prediction(score=2))",
    "Prediction(Example(a=1))", "Prediction({'a': 1})", "Prediction(a=1) == Prediction(a=1)", "Prediction(a=1).toDict()",
    "Prediction(a=1, b=2).without('a')", "Prediction(a=1).copy(b=2)", "Completions([{'a': 1}, {'a': 2}]).a",
    "Completions([{'a': 1}, {'b': 2}])", "Completions({'a': [1], 'b': [1, 2]})", "Completions([])",
]

# ---------------------------------------------------------------- saved programs


def states(api: Any) -> dict[str, Any]:
    """What `save` writes for some programs, versions left out."""

    class QA(api.Signature):
        """Answer the question."""

        question: str = api.InputField(desc="what somebody asks")
        answer: str = api.OutputField()

    class Two(api.Module):
        def __init__(self):
            self.find = api.Predict("question -> queries: list[str]")
            self.answer = api.ChainOfThought(QA)
            self.more = [api.Predict("a -> b"), api.Predict("b -> c")]
            self.by_name = {"x": api.Predict("x -> y")}

        def forward(self, question):
            return self.answer(question=question)

    with_demos = api.Predict(QA)
    with_demos.demos = [
        api.Example(question="q", answer="a").with_inputs("question"),
        {"question": "q2", "answer": "a2", "augmented": True},
    ]
    with_demos.signature = with_demos.signature.with_instructions("Answer in one word.")
    with_lm = api.Predict(QA)
    with_lm.lm = api.LM("openai/gpt-4o-mini", temperature=0.5, max_tokens=100, api_key="sk-never-saved")
    with_types = api.Predict("text: str, pages: list[str] -> score: float, tags: list[str]")
    with_types.demos = [{"text": "t", "pages": ["a"], "score": 0.5, "tags": ["x"]}]
    two = Two()
    two.answer.predict.demos = [api.Example(question="q", reasoning="r", answer="a")]
    with_config = api.Predict(QA, temperature=0.7, n=3)
    programs = {
        "predict": api.Predict("question -> answer"), "predict_class": api.Predict(QA), "predict_demos": with_demos,
        "predict_lm": with_lm, "predict_types": with_types, "predict_config": with_config,
        "chain_of_thought": api.ChainOfThought("question -> answer"), "two_modules": two,
    }
    return {name: _saved(program) for name, program in programs.items()}


def _saved(program: Any) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "program.json"
        program.save(str(path))
        return json.loads(path.read_text(encoding="utf-8"))
