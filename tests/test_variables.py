from random import Random

import dspx
from dspx import variables
from dspx.testing.scripted import ScriptedLM


def test_presets_bind_to_every_leaf_and_can_be_searched():
    program = dspx.ChainOfThought("question -> answer")
    space = dspx.Space(
        program,
        [
            variables.temperature(step=0.1),
            variables.top_p(),
            variables.max_tokens(),
            variables.adapter(),
            variables.reasoning("self"),
            variables.lm({"small": ScriptedLM([]), "large": ScriptedLM([])}),
        ],
    )
    assert space.defaults()["reasoning"] == "ChainOfThought"
    values = space.bindings(space.sample(Random(1)))[id(program.predict)]
    assert set(values.config) == {"temperature", "top_p", "max_tokens"}
    assert values.lm is not None
    assert values.adapter is not None


def test_a_preset_may_concern_some_leaves_only():
    program = dspx.ChainOfThought("question -> answer")
    (place,) = variables.temperature(leaves="predict").binding
    assert place == "predict.lm.temperature"
    assert dspx.Space(program, [variables.temperature(leaves="predict")]).cardinality > 1
    assert dspx.variables is variables
