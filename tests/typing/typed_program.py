"""A program as a user writes it, for the type checker alone: see test_typing.py."""

from typing import Any, Literal

from typing_extensions import assert_type

import dspx
from dspx import Prediction


class QA(dspx.Signature):
    """Answer the question."""

    question: str = dspx.InputField()
    docs: list[str] = dspx.InputField(default_factory=list)
    answer: str = dspx.OutputField(desc="one word")
    confidence: float = dspx.OutputField(ge=0, le=1)
    kind: Literal["fact", "opinion"] = dspx.OutputField()


qa = dspx.Predict(QA)
said = qa(question="Who?", docs=["a"])
assert_type(said.answer, str)
assert_type(said.confidence, float)
assert_type(said.kind, Literal["fact", "opinion"])
assert_type(said.completions, dspx.Completions)
assert_type(qa(question="Who?").answer, str)
assert_type(qa(question="Who?", config={"temperature": 1.0}).answer, str)
assert_type(qa(question="Who?", demos=[dspx.Example(question="a")]).answer, str)

qa(question=3)  # expect: reportArgumentType / reportCallIssue
qa(questoin="Who?")  # expect: reportCallIssue
qa("Who?")  # expect: reportCallIssue

short = dspx.Predict(QA.with_instructions("Be brief."))
assert_type(short(question="Who?").answer, str)

thoughtful = dspx.ChainOfThought(QA)
assert_type(thoughtful(question="Who?").answer, str)
thoughtful(questoin="Who?")  # expect: reportCallIssue

compiled = dspx.LabeledFewShot(k=2).compile(qa, trainset=[])
assert_type(compiled(question="Who?").answer, str)

loose = dspx.Predict("question -> answer")
assert_type(loose(question="Who?", anything=1), Prediction)
assert_type(loose(question="Who?").answer, Any)
also_loose = dspx.Predict(dspx.Signature("question -> answer", "Be brief."))
assert_type(also_loose(question="Who?"), Prediction)


async def asked() -> str:
    return (await qa.acall(question="Who?")).answer
