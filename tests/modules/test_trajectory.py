import pytest

import dspx
from dspx.modules.trajectory import TrajectoryText

LEAF = dspx.Predict("trajectory -> x")
VALUES = {
    "thought_0": "Look  \n",
    "tool_name_0": "search",
    "tool_args_0": {"query": "é", "limit": 2},
    "observation_0": ["one", "two\nlines"],
    "thought_1": "",
    "observation_1": None,
    "observation_2": [],
}


class Louder(dspx.ChatAdapter):
    def format_user_message_content(self, signature, inputs, prefix="", suffix="", main_request=False):
        return super().format_user_message_content(signature, inputs, prefix, suffix, main_request).upper()


class OfItsOwn(dspx.Adapter):
    def format(self, signature, demos, inputs):
        return []

    def parse(self, signature, completion):
        return {}


def whole(adapter, values):
    fields = {name: (str, dspx.InputField()) for name in values}
    signature = dspx.make_signature({**fields, "x": (str, dspx.OutputField())})
    return adapter.format_user_message_content(signature, values)


@pytest.mark.parametrize(
    "adapter",
    [dspx.ChatAdapter(), dspx.JSONAdapter(), dspx.XMLAdapter(), dspx.BAMLAdapter(), Louder()],
    ids=lambda adapter: type(adapter).__name__,
)
def test_the_text_is_what_the_adapter_writes_of_all_fields_at_every_step(adapter):
    with dspx.context(adapter=adapter):
        text = TrajectoryText(LEAF)
    grown = {}
    for name, value in VALUES.items():
        grown[name] = value
        assert text.of(grown) == whole(adapter, grown).strip()


def test_a_value_that_was_replaced_is_written_again():
    text = TrajectoryText(LEAF)
    assert "one" in text.of({"thought_0": "one"})
    assert "two" in text.of({"thought_0": "two"})


def test_an_adapter_that_writes_no_fields_by_themselves_gets_the_default_form():
    with dspx.context(adapter=OfItsOwn()):
        assert TrajectoryText(LEAF).of({"thought_0": "a"}) == "[[ ## thought_0 ## ]]\na"
