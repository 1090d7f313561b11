import json
from pathlib import Path

import pytest

import dspx
from dspx.errors import StateError, UsageError

GOLDEN = Path(__file__).parents[1] / "golden" / "state"


class Two(dspx.Module):
    def __init__(self):
        self.find = dspx.Predict("question -> queries")
        self.answer = dspx.Predict("question, passages: list[str] -> answer: int")


def filled() -> Two:
    program = Two()
    program.find.signature = program.find.signature.with_instructions("Find.")
    program.answer.demos = [dspx.Example(question="q", passages=["a", "b"], answer=3, augmented=True)]
    return program


def test_a_saved_state_loads_into_a_new_program(tmp_path):
    path = tmp_path / "program.json"
    filled().save(path)
    loaded = Two()
    loaded.load(path)
    assert loaded.dump_state() == filled().dump_state()
    assert loaded.answer.demos[0].passages == ["a", "b"]


def test_the_file_is_json_with_a_version_and_no_secrets(tmp_path):
    path = tmp_path / "program.json"
    program = filled()
    program.find.lm = dspx.LM("openai/gpt-4o-mini", api_key="sk-secret", temperature=0.5)
    program.save(path)
    text = path.read_text()
    assert "sk-secret" not in text
    assert json.loads(text)["metadata"]["format"] == 2
    assert text.endswith("}\n")
    loaded = Two()
    loaded.load(path)
    assert loaded.find.lm.kwargs["temperature"] == 0.5


def test_a_leaf_is_saved_by_itself_too(tmp_path):
    leaf = dspx.Predict("a -> b")
    leaf.demos = [dspx.Example(a="1", b="2")]
    leaf.save(tmp_path / "leaf.json")
    loaded = dspx.Predict("a -> b")
    loaded.load(tmp_path / "leaf.json")
    assert loaded.demos == leaf.demos


@pytest.mark.parametrize(
    ("file", "signature"),
    [
        ("predict.json", "question -> answer"),
        ("predict_class.json", "question -> answer"),
        ("predict_demos.json", None),
        ("predict_lm.json", "question -> answer"),
    ],
)
def test_a_state_that_dspy_saved_loads(file, signature):
    saved = json.loads((GOLDEN / file).read_text())
    names = [field["prefix"].rstrip(":").lower().replace(" ", "_") for field in saved["signature"]["fields"]]
    leaf = dspx.Predict(signature or f"{', '.join(names[:-1])} -> {names[-1]}")
    leaf.load(GOLDEN / file)
    assert leaf.signature.instructions == saved["signature"]["instructions"]
    assert len(leaf.demos) == len(saved["demos"])
    if saved["lm"]:
        assert leaf.lm.model == saved["lm"]["model"]


def test_loading_into_another_program_changes_nothing_and_names_both_sides(tmp_path):
    class Other(Two):
        def __init__(self):
            super().__init__()
            self.answer = dspx.Predict("question, context -> answer: int")

    path = tmp_path / "program.json"
    filled().save(path)
    other = Other()
    before = other.dump_state()
    with pytest.raises(StateError, match="`passages` is gone"):
        other.load(path)
    assert other.dump_state() == before


def test_a_missing_leaf_is_named(tmp_path):
    class More(Two):
        def __init__(self):
            super().__init__()
            self.extra = dspx.Predict("a -> b")

    path = tmp_path / "program.json"
    filled().save(path)
    with pytest.raises(KeyError, match="extra"):
        More().load(path)


def test_a_state_of_a_newer_format_is_refused(tmp_path):
    path = tmp_path / "program.json"
    filled().save(path)
    path.write_text(path.read_text().replace('"format": 2', '"format": 99'))
    with pytest.raises(StateError, match="newer dspx"):
        Two().load(path)


def test_what_is_no_state_is_refused(tmp_path):
    path = tmp_path / "program.json"
    path.write_text("{broken")
    with pytest.raises(StateError, match="is not JSON"):
        Two().load(path)
    path.write_text("[1]")
    with pytest.raises(StateError, match="list"):
        Two().load(path)


def test_a_saved_lm_of_another_class_and_a_saved_address_need_trust():
    leaf = dspx.Predict("a -> b")
    state = leaf.dump_state()
    state["lm"] = {"_dspy_lm_class": "evil.module.LM", "model": "x"}
    with pytest.raises(StateError, match="allow_unsafe_lm_state"):
        leaf.load_state(state)
    state["lm"] = {"model": "openai/x", "api_base": "http://elsewhere", "model_type": "chat"}
    leaf.load_state(state)
    assert "api_base" not in leaf.lm.dump_state()
    leaf.load_state(state, allow_unsafe_lm_state=True)
    assert leaf.lm.dump_state()["api_base"] == "http://elsewhere"


def test_pickles_are_neither_written_nor_read_by_accident(tmp_path):
    with pytest.raises(UsageError, match="saved as JSON"):
        filled().save(tmp_path / "program.pkl")
    with pytest.raises(UsageError, match="allow_pickle=True"):
        dspx.load(tmp_path)


def test_a_whole_program_is_kept_only_on_request(tmp_path):
    pytest.importorskip("cloudpickle")
    filled().save(tmp_path / "whole", save_program=True)
    loaded = dspx.load(tmp_path / "whole", allow_pickle=True)
    assert loaded.dump_state() == filled().dump_state()


def test_a_crash_while_saving_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "program.json"
    filled().save(path)
    before = path.read_bytes()
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError("crash")))
    with pytest.raises(OSError, match="crash"):
        Two().save(path)
    assert path.read_bytes() == before


def test_a_predictor_under_the_files_own_name_is_refused_before_anything_is_written(tmp_path):
    class Program(dspx.Module):
        def __init__(self):
            self.metadata = dspx.Predict("q -> a")

    with pytest.raises(UsageError, match="metadata"):
        Program().save(tmp_path / "program.json")
    assert list(tmp_path.iterdir()) == []
