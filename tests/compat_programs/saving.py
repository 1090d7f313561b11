"""Portable programs: state, save and load."""

import json
import tempfile
from pathlib import Path
from typing import Literal

import pydantic

from tests.compat_programs.observing import chat, program, scripted, without_names


class Point(pydantic.BaseModel):
    x: int
    y: int


def _program(dspy):
    class Locate(dspy.Signature):
        """Find the place."""

        text: str = dspy.InputField(desc="any text")
        near: Point = dspy.InputField()
        point: Point = dspy.OutputField()
        kind: Literal["town", "lake"] = dspy.OutputField(desc="what it is")

    class Program(dspy.Module):
        def __init__(self):
            super().__init__()
            self.locate = dspy.ChainOfThought(Locate)
            self.others = [
                dspy.Predict("a -> b", temperature=0.5),
                dspy.Predict("c, d: list[int] -> e: bool"),
            ]

        def forward(self, text):
            return self.locate(text=text, near=Point(x=0, y=0))

    return Program()


def _tuned(dspy):
    made = _program(dspy)
    made.locate.predict.demos = [
        dspy.Example(
            text="t", near=Point(x=1, y=2), point=Point(x=3, y=4), kind="lake", reasoning="r"
        ).with_inputs("text", "near"),
        {
            "text": "u",
            "near": Point(x=1, y=2),
            "point": Point(x=5, y=6),
            "kind": "town",
            "reasoning": "s",
            "augmented": True,
        },
    ]
    made.locate.predict.signature = made.locate.predict.signature.with_instructions("Find it well.")
    made.others[1].traces = [{"not": "used"}]
    return made


@program
def state_is_saved_and_loaded(dspy, notes):
    made = _tuned(dspy)
    notes("state", without_names(made.dump_state()))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "program.json")
        made.save(str(path))
        saved = json.loads(path.read_text())
        notes("file", without_names({key: value for key, value in saved.items() if key != "metadata"}))
        notes("metadata", "dependency_versions" in saved["metadata"])
        fresh = _program(dspy)
        fresh.load(str(path))
        notes("loaded", without_names(fresh.dump_state()))
        notes("instructions", fresh.locate.predict.signature.instructions)
        lm = scripted(dspy, [chat(reasoning="r", point='{"x": 1, "y": 1}', kind="town")])
        with dspy.context(lm=lm):
            notes("runs", fresh(text="hello"))
        notes("prompt", lm.prompts()[0])
        notes.raises("odd suffix", lambda: made.save(str(Path(folder, "program.txt"))))
        notes.raises("no file", lambda: fresh.load(str(Path(folder, "none.json"))))
        path.write_text("{}")
        notes.raises("empty state", lambda: fresh.load(str(path)))


@program
def state_of_models(dspy, notes):
    predict = dspy.Predict("q -> a", temperature=0.4)
    predict.lm = dspy.LM("openai/gpt-4o-mini", api_key="secret", temperature=0.3, max_tokens=100)
    state = predict.dump_state()["lm"]
    notes(
        "lm",
        {
            key: state.get(key)
            for key in ("model", "model_type", "temperature", "max_tokens", "cache", "num_retries", "api_key")
        },
    )
    fresh = dspy.Predict("q -> a")
    fresh.load_state(predict.dump_state())
    notes(
        "again",
        [
            type(fresh.lm).__name__,
            fresh.lm.model,
            {k: v for k, v in fresh.lm.kwargs.items() if k in ("temperature", "max_tokens")},
        ],
    )
    notes(
        "lm attributes", [predict.lm.model, predict.lm.model_type, predict.lm.cache, predict.lm.num_retries]
    )
    notes("default kwargs", dspy.LM("openai/gpt-4o-mini").kwargs)
    notes("repr", [type(dspy.LM("openai/gpt-4o-mini")).__name__])


@program
def whole_programs(dspy, notes):
    with tempfile.TemporaryDirectory() as folder:
        made = dspy.ChainOfThought("q -> a")
        made.predict.demos = [dspy.Example(q="1", a="2")]
        made.save(folder, save_program=True)
        notes("files", sorted(path.name for path in Path(folder).iterdir()))
        notes.raises("loads with leave", lambda: type(dspy.load(folder, allow_pickle=True)).__name__)
        notes.raises("needs leave", lambda: type(dspy.load(folder)).__name__)
