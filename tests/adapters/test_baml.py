"""The BAML adapter: DSPy's messages, but a system message that asks for the JSON which is read."""

from __future__ import annotations

import pydantic
import pytest

import dspx
from dspx.adapters.baml import BAMLAdapter
from tests.golden import cases

ADAPTER = BAMLAdapter()
CASES = {
    case.name: case
    for case in cases.cases(dspx)
    if "baml" in case.adapters and "error" not in cases.expected("baml", case.name)
}
# DSPy puts the quotes of a JSON string around the picture or the code
QUOTED_BY_DSPY = {
    *(
        f"content_image_{name}"
        for name in ("url", "url_keyword", "data_uri", "gs", "optional", "demos", "two", "in_str_field")
    ),
    *("content_audio", "content_audio_data", "content_file_id", "content_file_data", "content_file_bytes"),
    *("content_code", "content_code_java", "content_document", "content_document_full", "content_reasoning"),
    "history_with_image",
}


@pytest.mark.parametrize("name", [name for name in CASES if name not in QUOTED_BY_DSPY])
def test_questions_demos_and_history_are_dspys(name: str):
    case = CASES[name]
    messages = ADAPTER.format(case.signature, case.demos, case.inputs)
    assert messages[1:] == cases.expected("baml", name)["messages"][1:]


def test_a_picture_stands_without_quotes():
    case = CASES["content_image_url"]
    content = ADAPTER.format(case.signature, case.demos, case.inputs)[-1]["content"]
    assert content[0] == {"type": "text", "text": "[[ ## value ## ]]\n"}


def test_the_system_message_shows_the_object_that_is_asked_for():
    class Extract(dspx.Signature):
        """Extract."""

        text: str = dspx.InputField()
        person: cases.Person = dspx.OutputField(desc="the main one")
        mood: cases.Mood = dspx.OutputField()

    (system, _) = ADAPTER.format(Extract, [], {"text": "t"})
    assert system["content"] == (
        "Your input fields are:\n"
        "1. `text` (str):\n"
        "Your output fields are:\n"
        "1. `person` (Person): the main one\n"
        "2. `mood` (Mood):\n"
        "All interactions will be structured in the following way, with the appropriate values filled in.\n\n"
        "Inputs will have the following structure:\n\n"
        "[[ ## text ## ]]\n{text}\n\n"
        "Outputs will be a JSON object with the following fields.\n\n"
        "{\n"
        "  person: {  # Somebody who was named in the text.\n"
        "    # Full name\n"
        "    name: string,\n"
        "    age: int,\n"
        "    address: {\n"
        "      # Street and number\n"
        "      street: string,\n"
        "      city: string,\n"
        "      zip_code: string or null,\n"
        "    },\n"
        "    nicknames: string[],\n"
        "  },\n"
        '  mood: "glad" or "sad",\n'
        "}\n"
        "In adhering to this structure, your objective is: \n"
        "        Extract."
    )


@pytest.mark.parametrize("name", ["output_model_recursive", "output_model_nested"])
def test_models_that_mention_a_model_twice_or_themselves_are_fine(name: str):
    case = next(case for case in cases.cases(dspx) if case.name == name)
    assert cases.expected("baml", name) == {"error": "ValueError"}
    system = ADAPTER.format(case.signature, case.demos, case.inputs)[0]["content"]
    assert "Tree {" in system or "lead: {" in system


def test_answers_are_read_as_json():
    class Point(pydantic.BaseModel):
        x: int

    signature = dspx.Signature("q -> point: Point, note", custom_types={"Point": Point})
    assert ADAPTER.parse(signature, '{"point": {"x": 1}, "note": "n"}') == {"point": Point(x=1), "note": "n"}
