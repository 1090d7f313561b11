import json
import logging
import string
from pathlib import Path
from typing import Literal

import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dspx
from dspx.core import state as program_state
from dspx.core.candidate import Candidate
from dspx.errors import StateError, UsageError
from dspx.runtime import clock

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


# ---------------------------------------------------------------- what a file says about itself


def test_a_file_says_its_versions_schema_variables_and_when(tmp_path):
    path = tmp_path / "program.json"
    with clock.use(clock.FakeClock(1_700_000_000.0)):
        filled().save(path)
    about = json.loads(path.read_text())["metadata"]
    assert about["format"] == 2
    assert about["created"] == "2023-11-14T22:13:20+00:00"
    assert about["dependency_versions"]["dspx"] == dspx.__version__
    assert about["schema"]["leaves"]["answer"]["inputs"] == {"question": "str", "passages": "list[str]"}
    assert about["schema"]["leaves"]["answer"]["outputs"] == {"answer": "int"}
    assert about["variables"]["answer.demos"] == "demos"
    assert set(filled().candidate().values) <= set(about["variables"])
    assert about["fingerprint"] == program_state.fingerprint(filled())
    assert about["provenance"] is None


def test_two_saves_of_the_same_program_have_one_fingerprint_and_another_program_another():
    first, second = filled(), filled()
    assert program_state.fingerprint(first) == program_state.fingerprint(second)
    second.install(Candidate({"find.instructions": "Look."}))
    assert program_state.fingerprint(first) != program_state.fingerprint(second)


def test_where_a_program_came_from_is_saved_restored_and_copied_but_for_its_secrets(tmp_path):
    path = tmp_path / "program.json"
    program = filled()
    assert program.provenance is None
    program.provenance = {
        "optimizer": "MIPROv2",
        "run_id": "r1",
        "gain": {"points": 3.5, "ci95": (1.0, 6.0)},
        "parent": program_state.fingerprint(Two()),
        "settings": {"api_key": "sk-secret", "max_tokens": 5},
        "store": "postgresql://me:hunter2@db.example/x",
    }
    program.save(path)
    assert "sk-secret" not in path.read_text()
    assert "hunter2" not in path.read_text()
    loaded = Two()
    loaded.load(path)
    assert loaded.provenance["gain"] == {"points": 3.5, "ci95": [1.0, 6.0]}
    assert loaded.provenance["settings"] == {"max_tokens": 5}
    assert loaded.deepcopy().provenance == loaded.provenance
    assert loaded.reset_copy().provenance is None
    filled().save(path)
    loaded.load(path)
    assert loaded.provenance is None  # it is another program now


def test_a_leaf_called_provenance_is_a_leaf(tmp_path):
    class Report(dspx.Module):
        def __init__(self):
            self.provenance = dspx.Predict("text -> source")

    program = Report()
    program.provenance.demos = [dspx.Example(text="t", source="s")]
    program.save(tmp_path / "report.json")
    loaded = Report()
    loaded.load(tmp_path / "report.json")
    assert loaded.provenance.demos == program.provenance.demos


def test_an_address_is_saved_without_user_and_password(tmp_path):
    leaf = dspx.Predict("a -> b")
    leaf.lm = dspx.LM("openai/x", api_base="https://me:hunter2@models.example/v1", api_key="sk-1")
    leaf.save(tmp_path / "leaf.json")
    text = (tmp_path / "leaf.json").read_text()
    assert "hunter2" not in text
    assert "https://models.example/v1" in text


# ---------------------------------------------------------------- what does not fit


class Renamed(dspx.Module):
    """`find` is now `search`; `answer` takes other fields and gives another type; `judge` is new."""

    def __init__(self):
        self.search = dspx.Predict("question -> queries")
        self.answer = dspx.Predict("question, context: list[str] -> answer: str")
        self.judge = dspx.Predict("answer -> verdict")


def test_all_differences_are_told_at_once_with_what_may_have_been_renamed(tmp_path):
    path = tmp_path / "program.json"
    filled().save(path)
    program = Renamed()
    before = program.dump_state()
    with pytest.raises(StateError) as raised:
        program.load(path)
    assert isinstance(raised.value, KeyError)
    assert str(raised.value) == (
        f"{path} does not fit this Renamed, 6 differences:\n"
        "  search: nothing is saved for it; saved is 'find', of the same fields: was it renamed?\n"
        "  judge: nothing is saved for it\n"
        "  find: saved, but this program has no such leaf; it has 'search', of the same fields: was it renamed?\n"
        "  answer: the field `passages` is gone\n"
        "  answer: the field `context` is new, and nothing is saved for it\n"
        "  answer: the field `answer` was int and is now str\n"
        "Load it into the program that it was saved from, or with strict=False what fits."
    )
    assert program.dump_state() == before


def test_what_fits_is_loaded_on_request_and_the_rest_is_warned_of(tmp_path, caplog):
    path = tmp_path / "program.json"
    program = filled()
    program.answer.signature = program.answer.signature.with_instructions("Count.").with_updated_fields(
        "question", desc="what is asked"
    )
    program.save(path)
    loaded = Renamed()
    loaded.load(path, strict=False)
    assert loaded.answer.signature.instructions == "Count."
    assert loaded.answer.signature.fields["question"].desc == "what is asked"
    assert loaded.answer.signature.fields["context"].desc == "${context}"
    assert loaded.answer.demos[0].answer == 3
    assert loaded.search.signature.instructions == Renamed().search.signature.instructions
    assert "6 differences" in caplog.text
    assert "The rest was loaded." in caplog.text


def test_another_type_within_a_record_is_a_difference(tmp_path):
    def program(**parts):
        class Locate(dspx.Signature):
            text: str = dspx.InputField()
            place: pydantic.create_model("Place", **parts) = dspx.OutputField()

        return dspx.Predict(Locate)

    program(name=(str, ...), size=(int, ...)).save(tmp_path / "leaf.json")
    program(name=(str, ...), size=(int, ...)).load(tmp_path / "leaf.json")
    with pytest.raises(StateError, match="holds Place, which has `size` as float, not int"):
        program(name=(str, ...), size=(float, ...)).load(tmp_path / "leaf.json")


def test_a_leaf_that_a_file_has_too_many_is_refused_and_one_that_a_dict_has_is_warned_of(tmp_path, caplog):
    class Half(dspx.Module):
        def __init__(self):
            self.find = dspx.Predict("question -> queries")

    path = tmp_path / "program.json"
    filled().save(path)
    with pytest.raises(StateError, match="answer: saved, but this program has no such leaf"):
        Half().load(path)
    half = Half()
    half.load_state(filled().dump_state())
    assert half.find.signature.instructions == "Find."
    assert "no such leaf" in caplog.text


def test_a_files_whole_json_is_a_state_too(tmp_path):
    path = tmp_path / "program.json"
    filled().save(path)
    loaded = Two()
    loaded.load_state(json.loads(path.read_text()))
    assert loaded.dump_state() == filled().dump_state()


def test_the_order_of_fields_may_change():
    saved = dspx.Predict("a, b -> c")
    saved.signature = saved.signature.with_updated_fields("a", desc="first").with_updated_fields(
        "b", desc="second"
    )
    loaded = dspx.Predict("b, a -> c")
    loaded.load_state(saved.dump_state())
    assert [field.desc for field in loaded.signature.input_fields.values()] == ["second", "first"]


def test_an_lm_that_needs_trust_is_one_of_the_differences_and_the_rest_is_loaded_on_request():
    leaf = dspx.Predict("a -> b")
    state = leaf.dump_state()
    state["lm"] = {"_dspy_lm_class": "evil.module.LM", "model": "x"}
    state["signature"]["instructions"] = "Do it."
    leaf.load_state(state, strict=False)
    assert leaf.lm is None
    assert leaf.signature.instructions == "Do it."


@pytest.mark.parametrize(
    "wrong",
    [
        7,
        {"demos": []},
        {"signature": {"instructions": "x", "fields": [1]}},
    ],
)
def test_a_leafs_state_that_cannot_be_read_is_told_by_its_name(wrong):
    program = filled()
    state = {**program.dump_state(), "find": wrong}
    with pytest.raises(StateError, match="find: "):
        program.load_state(state)
    program.load_state(state, strict=False)
    assert program.find.signature.instructions == "Find."


@pytest.mark.parametrize("number", [99, 3, 2.5, "2", 0, -1, True, None])
def test_a_format_that_nobody_knows_is_refused(tmp_path, number):
    path = tmp_path / "program.json"
    filled().save(path)
    document = json.loads(path.read_text())
    document["metadata"]["format"] = number
    path.write_text(json.dumps(document))
    with pytest.raises(StateError, match=r"newer dspx|no dspx has written"):
        Two().load(path)


# ---------------------------------------------------------------- older files, and DSPy's


def test_a_file_of_format_1_loads(tmp_path):
    path = tmp_path / "program.json"
    state = filled().dump_state()
    for leaf in state.values():
        leaf["signature"]["fields"] = [
            {name: field[name] for name in ("name", "prefix", "description")}
            for field in leaf["signature"]["fields"]
        ]
    about = {"format": 1, "dependency_versions": {"python": "3.11", "dspx": "0.1.0"}}
    path.write_text(json.dumps({**state, "metadata": about}))
    loaded = Two()
    loaded.load(path)
    assert loaded.dump_state() == filled().dump_state()


class Inner(dspx.Module):
    def __init__(self):
        self.find = dspx.Predict("question -> queries: list[str]")
        self.answer = dspx.ChainOfThought("question, queries: list[str] -> answer")


class Outer(dspx.Module):
    def __init__(self):
        self.inner = Inner()
        self.routes = {"easy": Inner(), "hard": [dspx.Predict("a -> b")]}
        self.judges = [dspx.Predict("question, answer -> score: int"), dspx.ChainOfThought("text -> answer")]


class Place(pydantic.BaseModel):
    name: str
    at: tuple[float, float]


class Locate(dspx.Signature):
    """Find the place."""

    text: str = dspx.InputField(desc="any text")
    known: list[Place] = dspx.InputField()
    place: Place | None = dspx.OutputField(desc="where it is")


@pytest.mark.parametrize(
    ("file", "make"),
    [
        ("compiled_nested", Outer),
        ("compiled_typed", lambda: dspx.Predict(Locate)),
        ("compiled_bootstrapped", Inner),
        ("compiled_mipro", lambda: dspx.ChainOfThought("question -> answer")),
        ("compiled_copro", lambda: dspx.Predict("question -> answer")),
    ],
)
def test_a_program_that_dspy_compiled_loads_as_it_was_and_saves_again(file, make, tmp_path, caplog):
    path = GOLDEN / f"{file}.json"
    saved = program_state.read(path)
    program = make()
    program.load(path)
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
    for name, leaf in program.named_parameters():
        there = saved.leaves[name]
        assert leaf.signature.instructions == there["signature"]["instructions"]
        said = [(field.prefix, field.desc) for field in leaf.signature.fields.values()]
        assert said == [(field["prefix"], field["description"]) for field in there["signature"]["fields"]]
        assert [demo.toDict() for demo in leaf.demos] == there["demos"]
        assert (leaf.lm is None) == (there["lm"] is None)
        if leaf.lm is not None:
            assert (leaf.lm.model, leaf.lm.kwargs["max_tokens"]) == (there["lm"]["model"], 50)
    program.save(tmp_path / "again.json")
    again = make()
    again.load(tmp_path / "again.json")
    assert again.dump_state() == program.dump_state()


def test_a_field_of_dspys_known_only_by_its_place_is_warned_of(tmp_path, caplog):
    document = json.loads((GOLDEN / "predict.json").read_text())
    document["signature"]["fields"][0] = {"prefix": "Q:", "description": "what is asked"}
    path = tmp_path / "program.json"
    path.write_text(json.dumps(document))
    leaf = dspx.Predict("question -> answer")
    leaf.load(path)
    assert leaf.signature.fields["question"].desc == "what is asked"
    assert "'Q:' was taken for `question`, by its place" in caplog.text


# ---------------------------------------------------------------- any program


_names = st.text(string.ascii_lowercase, min_size=1, max_size=6).map(lambda text: f"f_{text}")
_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | _texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_texts, inner, max_size=3),
    max_leaves=6,
)
_types = st.sampled_from(
    [str, int, list[str], dict[str, float], bool | None, Literal["a", "b"], Place, list[Place]]
)


@st.composite
def leaves(draw):
    names = draw(st.lists(_names, min_size=2, max_size=4, unique=True))
    fields = {
        name: (draw(_types), dspx.OutputField() if name == names[-1] else dspx.InputField()) for name in names
    }
    leaf = dspx.Predict(dspx.Signature(fields, draw(_texts) or None))
    for name in names:
        leaf.signature = leaf.signature.with_updated_fields(
            name, desc=draw(_texts), prefix=draw(_texts) + ":"
        )
    leaf.demos = draw(
        st.lists(st.dictionaries(st.sampled_from(names), _values).map(dspx.Example), max_size=3)
    )
    if draw(st.booleans()):
        leaf.lm = dspx.LM("openai/gpt-4o-mini", temperature=draw(st.floats(0, 1)), api_key="sk-never-saved")
    return leaf


@st.composite
def programs(draw):
    """Pairs: a program, and one of the same code in which nothing is set."""
    parts = draw(st.dictionaries(_names, leaves() | st.lists(leaves(), max_size=2), max_size=3))

    class Program(dspx.Module):
        pass

    made, bare = Program(), Program()
    for name, part in parts.items():
        setattr(made, name, part)
        setattr(bare, name, _bare(part))
    made.provenance = draw(
        st.none() | st.dictionaries(_texts.filter(lambda t: not _is_secret(t)), _values, min_size=1)
    )
    return made, bare


def _is_secret(text):
    from dspx.core.secret_names import is_secret

    return is_secret(text)


def _bare(part):
    if isinstance(part, list):
        return [_bare(one) for one in part]
    fields = {
        name: (f.annotation, dspx.OutputField() if f.role == "output" else dspx.InputField())
        for name, f in part.signature.fields.items()
    }
    return dspx.Predict(dspx.Signature(fields, "Something else."))


@settings(max_examples=60, deadline=None)
@given(pair=programs())
def test_any_program_is_saved_and_loaded_whole_without_its_secrets(pair, tmp_path_factory):
    made, bare = pair
    path = tmp_path_factory.mktemp("state") / "program.json"
    made.save(path)
    assert "sk-never-saved" not in path.read_text()
    bare.load(path)
    assert program_state.fingerprint(bare) == program_state.fingerprint(made)
    for (_, was), (_, now) in zip(made.named_parameters(), bare.named_parameters(), strict=True):
        assert now.signature.equals(was.signature)
        assert [demo.toDict() for demo in now.demos] == [demo.toDict() for demo in was.demos]
    first = path.read_text()
    bare.save(path)
    without = [json.loads(text) for text in (first, path.read_text())]
    for document in without:
        document["metadata"].pop("created")
    assert without[0]["metadata"].pop("provenance") == without[1]["metadata"].pop(
        "provenance"
    ) or _has_address(first)
    assert without[0] == without[1]


def _has_address(text):
    return "://" in text


@settings(max_examples=40, deadline=None)
@given(pair=programs(), cut=st.floats(0, 1, exclude_max=True))
def test_a_file_cut_anywhere_is_refused_and_changes_nothing(pair, cut, tmp_path_factory):
    made, bare = pair
    path = tmp_path_factory.mktemp("state") / "program.json"
    made.save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole.rstrip()) * cut)])
    before = program_state.fingerprint(bare)
    with pytest.raises(StateError):
        bare.load(path)
    assert program_state.fingerprint(bare) == before


def test_what_has_no_json_form_is_refused_and_leaves_the_old_file(tmp_path):
    path = tmp_path / "program.json"
    filled().save(path)
    before = path.read_bytes()
    program = filled()
    program.answer.demos = [dspx.Example(question=lambda: None, answer=1)]
    with pytest.raises(StateError, match="has no JSON form"):
        program.save(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_to_a_file_stays_a_link(tmp_path):
    (tmp_path / "real.json").write_text("{}")
    (tmp_path / "link.json").symlink_to(tmp_path / "real.json")
    filled().save(tmp_path / "link.json")
    assert (tmp_path / "link.json").is_symlink()
    loaded = Two()
    loaded.load(tmp_path / "real.json")
    assert loaded.dump_state() == filled().dump_state()
