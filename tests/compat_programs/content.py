"""Portable programs: images, audio, files, code, history, types of one's own."""

import base64
import tempfile
from pathlib import Path

import pydantic

from tests.compat_programs.observing import chat, program, scripted

_PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@program
def images(dspy, notes):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "dot.png")
        path.write_bytes(_PNG)
        data = "data:image/png;base64," + base64.b64encode(_PNG).decode()
        for label, make in {
            "url": lambda: dspy.Image("https://example.com/a.png"),
            "url by name": lambda: dspy.Image(url="https://example.com/a.png"),
            "data": lambda: dspy.Image(data),
            "path": lambda: dspy.Image(str(path)),
            "from_url": lambda: dspy.Image.from_url("https://example.com/a.png"),
            "nonsense": lambda: dspy.Image("no such file"),
        }.items():
            notes.raises(label, lambda make=make: make().format())
            notes.raises(f"{label} as text", lambda make=make: [str(make()), repr(make())])
        image = dspy.Image.from_path(str(path))

    class Look(dspy.Signature):
        """Describe."""

        image: dspy.Image = dspy.InputField()
        more: list[dspy.Image] = dspy.InputField()
        named: dict[str, dspy.Image] = dspy.InputField()
        maybe: dspy.Image | None = dspy.InputField()
        caption: str = dspy.OutputField()

    for adapter in (dspy.ChatAdapter(), dspy.JSONAdapter(), dspy.XMLAdapter()):
        answer = {"JSONAdapter": '{"caption": "a dot"}', "XMLAdapter": "<caption>a dot</caption>"}
        lm = scripted(dspy, [answer.get(type(adapter).__name__, chat(caption="a dot"))])
        with dspy.context(lm=lm, adapter=adapter):
            predict = dspy.Predict(Look)
            predict.demos = [dspy.Example(image=image, more=[], named={}, maybe=None, caption="demo")]
            notes(
                "caption",
                predict(
                    image=image,
                    more=[image, dspy.Image("https://example.com/b.png")],
                    named={"x": image},
                    maybe=None,
                ),
            )
        notes("prompt", lm.prompts())
    notes("state", _demo_state(dspy, predict))


def _demo_state(dspy, predict):
    return predict.dump_state()["demos"]


@program
def audio_and_files(dspy, notes):
    audio = dspy.Audio(data=base64.b64encode(b"RIFF").decode(), audio_format="wav")
    notes("audio", [audio.format(), str(audio), repr(audio)])
    file = dspy.File(
        file_data="data:text/plain;base64," + base64.b64encode(b"hello").decode(), filename="a.txt"
    )
    notes("file", [file.format(), str(file), repr(file)])
    notes("file by id", [dspy.File.from_file_id("file-1", "b.pdf").format()])
    notes(
        "file from bytes", dspy.File.from_bytes(b"hello", filename="c.txt", mime_type="text/plain").format()
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "d.txt")
        path.write_text("hi")
        notes("file from path", dspy.File.from_path(str(path)).format())
        notes.raises("no such path", lambda: dspy.File.from_path(str(path) + "x"))
    notes.raises("empty file", lambda: dspy.File())

    class Listen(dspy.Signature):
        """Transcribe."""

        audio: dspy.Audio = dspy.InputField()
        file: dspy.File = dspy.InputField()
        text: str = dspy.OutputField()

    lm = scripted(dspy, [chat(text="hello")])
    with dspy.context(lm=lm):
        notes("text", dspy.Predict(Listen)(audio=audio, file=file))
    notes("prompt", lm.prompts())


@program
def code(dspy, notes):
    notes("format", [dspy.Code(code="x = 1").format(), str(dspy.Code(code="x = 1"))])
    notes("language", dspy.Code["java"].description())

    class Write(dspy.Signature):
        """Write it."""

        task: str = dspy.InputField()
        old: dspy.Code = dspy.InputField()
        new: dspy.Code["python"] = dspy.OutputField()  # noqa: F821

    for text in ("x = 2", "```python\nx = 2\n```", '{"code": "x = 2"}'):
        lm = scripted(dspy, [chat(new=text)])
        with dspy.context(lm=lm):
            notes(text, dspy.Predict(Write)(task="t", old=dspy.Code(code="x = 1")).new)
    notes("prompt", lm.prompts())


@program
def history(dspy, notes):
    class Talk(dspy.Signature):
        question: str = dspy.InputField()
        history: dspy.History = dspy.InputField()
        answer: str = dspy.OutputField()

    past = dspy.History(messages=[{"question": "1", "answer": "one"}, {"question": "2", "answer": "two"}])
    notes("repr", [repr(past), past.messages])
    for adapter, answer in (
        (dspy.ChatAdapter(), chat(answer="three")),
        (dspy.JSONAdapter(), '{"answer": "three"}'),
        (dspy.XMLAdapter(), "<answer>three</answer>"),
    ):
        lm = scripted(dspy, [answer])
        with dspy.context(lm=lm, adapter=adapter):
            predict = dspy.Predict(Talk)
            predict.demos = [dspy.Example(question="0", history=past, answer="zero")]
            out = predict(question="3", history=past)
            notes("answer", out)
            longer = dspy.History(messages=[*past.messages, {"question": "3", **out}])
            notes("next", predict(question="4", history=longer))
            notes("none", predict(question="5", history=dspy.History(messages=[])))
        notes("prompts", lm.prompts())
    notes.raises("wrong messages", lambda: dspy.History(messages="no"))


@program
def types_of_ones_own(dspy, notes):
    class Event(dspy.Type):
        name: str
        year: int

        def format(self):
            return [{"type": "text", "text": f"Event {self.name} ({self.year})"}]

        @classmethod
        def description(cls):
            return "Something that happened."

    class Note(dspy.Type):
        text: str

        def format(self):
            return f"<<{self.text}>>"

    class Use(dspy.Signature):
        """Use them."""

        event: Event = dspy.InputField()
        notes: list[Note] = dspy.InputField()
        summary: str = dspy.OutputField()

    class Make(dspy.Signature):
        """Make one."""

        text: str = dspy.InputField()
        event: Event = dspy.OutputField()

    lm = scripted(dspy, [chat(summary="s")])
    with dspy.context(lm=lm):
        notes(
            "summary",
            dspy.Predict(Use)(event=Event(name="moon", year=1969), notes=[Note(text="a"), Note(text="b")]),
        )
    notes("prompt", lm.prompts())
    lm = scripted(dspy, [chat(event='{"name": "moon", "year": 1969}')])
    with dspy.context(lm=lm):
        notes("made", dspy.Predict(Make)(text="t"))
    notes("prompt of made", lm.prompts())
    notes("text", [str(Event(name="m", year=1)), str(Note(text="a"))])
    notes("json prompt", dspy.JSONAdapter().format(Make, [], {"text": "t"}))


@program
def pydantic_inputs_and_outputs(dspy, notes):
    class Address(pydantic.BaseModel):
        """Where somebody lives."""

        street: str
        zip_code: str = pydantic.Field(alias="zip", default="")

    class User(pydantic.BaseModel):
        name: str
        home: Address | None = None
        tags: set[str] = set()
        scores: dict[str, float] = {}

    lm = scripted(
        dspy, [chat(user='{"name": "Ann", "home": {"street": "s", "zip": "1"}, "tags": ["a"]}', users="[]")]
    )
    signature = dspy.Signature("old: User -> user: User, users: list[User]", custom_types={"User": User})
    with dspy.context(lm=lm):
        notes("user", dspy.Predict(signature)(old=User(name="Bo", tags={"x"})))
    notes("prompt", lm.prompts())


@program
def reasoning_type(dspy, notes):
    lm = scripted(dspy, [chat(reasoning="because", answer="yes")])
    signature = dspy.Signature("question -> reasoning: dspy.Reasoning, answer", custom_types={"dspy": dspy})
    with dspy.context(lm=lm):
        out = dspy.Predict(signature)(question="?")
    notes("prediction", [type(out.reasoning).__name__, str(out.reasoning), out.answer])
    notes(
        "like a string",
        [
            out.reasoning == "because",
            out.reasoning.upper(),
            "cause" in out.reasoning,
            len(out.reasoning),
            out.reasoning + "!",
            f"{out.reasoning}",
        ],
    )
    notes("prompt", lm.prompts())
