import asyncio
import json
import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from random import Random

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

import dspx
from dspx.core.candidate import Candidate, bound
from dspx.core.signature import ensure_signature
from dspx.errors import ConfigurationError, UnsatisfiableSpace, UsageError
from dspx.lm.request import Request
from dspx.modules.rollout import another_rollout
from dspx.testing import DummyLM
from dspx.testing.scripted import ScriptedLM

STYLES = {"terse": "Answer in one word.", "formal": "Answer in full sentences."}
DEMO = dspx.Example(question="Where is Lisbon?", query="Lisbon", answer="In Portugal.")


@dataclass(frozen=True)
class Limits:
    longest: int = 100


class Shelf:
    """What is searched: no module, and held by one."""

    def __init__(self, k=2):
        self.k = k

    def __call__(self, query):
        return [f"{query} {number}" for number in range(self.k)]


class Search(dspx.Module):
    def __init__(self):
        self.ask = dspx.Predict("question -> query")
        self.k = 1

    def forward(self, question):
        return [self.ask(question=question).query] * self.k


class Answer(dspx.Module):
    def __init__(self):
        self.search = Search()
        self.answer = dspx.Predict("question, found -> answer")
        self.shelf = Shelf()
        self.limits = Limits()
        self.options = {"polite": False, "words": (1, 2)}

    def forward(self, question):
        found = [one for query in self.search(question) for one in self.shelf(query)]
        text = f"{found} {self.limits.longest} {self.options}"
        return self.answer(question=question, found=text)


class Fields(dict):
    """Any field, by any adapter's asking."""


def answer(request: Request) -> str:
    """What the prompt asks for, whichever adapter and fields it was written by."""
    text = str(request.messages)
    fields = {
        name: name.upper() for name in ("reasoning", "query", "answer") if f"`{name}`" in text or name in text
    }
    if "JSON" in text and "[[ ##" not in text:
        return json.dumps(fields)
    return (
        "".join(f"[[ ## {name} ## ]]\n{value}\n\n" for name, value in fields.items())
        + "[[ ## completed ## ]]"
    )


def scripted(model="scripted"):
    return ScriptedLM(answer, model=model)


SMALL, LARGE = scripted("small"), scripted("large")


def everything(program):
    return dspx.Space(
        program,
        [
            dspx.Float("temperature", 0.0, 1.5, 0.7).bind("*.lm.temperature"),
            dspx.Integer("max_tokens", 16, 512, 256).bind("answer.config.max_tokens"),
            dspx.Bool("polite").bind("options['polite']"),
            dspx.Probability("top_p", 1.0).bind("search.lm.top_p"),
            dspx.Choice(
                "style", ["terse", "formal"], binding=lambda v: {"answer.signature.instructions": STYLES[v]}
            ),
            dspx.Choice("lm", [SMALL, LARGE]).bind("answer.lm"),
            dspx.Choice("adapter", [dspx.ChatAdapter(), dspx.JSONAdapter()]).bind("*.adapter"),
            dspx.Choice.of_modules("strategy", [dspx.Predict, dspx.ChainOfThought]).bind("answer"),
            dspx.Integer("k", 1, 3, 1).bind("search.k"),
            dspx.Integer("per_query", 1, 4, 2).bind("shelf.k"),
            dspx.Integer("longest", 10, 200, 100).bind("limits.longest"),
            dspx.Integer("words", 1, 9, 2).bind("options['words'][1]"),
            dspx.Derived("stop", lambda style: ["."] if style == "terse" else None, ["style"]).bind(
                "answer.config.stop"
            ),
            dspx.Embedding("centre", 3),
        ],
        constraints=[lambda c: c["temperature"] <= 1 or c["style"] == "terse"],
    )


def sent(program, question="Where is Porto?"):
    """Each request of one call: the model, the messages, the settings."""
    default = scripted("default")
    used = [default, SMALL, LARGE]
    before = [len(lm.requests) for lm in used]
    asked = []
    with dspx.context(lm=default, disable_history=True):
        program(question=question)
    for leaf_lm in {
        id(lm): lm for lm in [*used, *(leaf.lm for leaf in program.predictors() if leaf.lm)]
    }.values():
        start = before[used.index(leaf_lm)] if leaf_lm in used else 0
        asked += [(leaf_lm.model, r.messages, r.params) for r in leaf_lm.requests[start:]]
    return asked


# ---------------------------------------------------------------- construction


def test_a_space_has_every_leafs_instructions_and_demos():
    space = dspx.Space.of(Answer())
    assert list(space.variables) == [
        "search.ask.instructions",
        "search.ask.demos",
        "answer.instructions",
        "answer.demos",
    ]
    assert space.defaults() == dict(space.program.candidate().values)
    assert space.cardinality == 1


@pytest.mark.parametrize(
    ("variable", "said"),
    [
        (
            dspx.Bool("v").bind("serach.k"),
            r"Answer has no 'serach.k'. Its leaves are \['search.ask', 'answer'\]",
        ),
        (dspx.Bool("v").bind("answer.temperature"), "inside a leaf"),
        (dspx.Bool("v").bind("search"), "is a module; choose its class with"),
        (dspx.Bool("v").bind("options['rude']"), "has no"),
        (dspx.Bool("v").bind("???"), "has no"),
        (dspx.Bool("v").bind("nothing.*.lm.temperature"), "has no"),
        (dspx.Choice("v", "ab").bind("*.lm.model"), "Bind a Choice of LMs"),
        (dspx.Choice("v", "ab", binding=lambda v: {f"answer.{v}": v}), "inside a leaf"),
        (dspx.Choice("v", "ab", binding=lambda v: v), "must return {path: value}"),
        (dspx.Choice.of_modules("v", [dspx.Predict]).bind("shelf"), "is no sub-module of Answer"),
        (
            dspx.Choice.of_modules("v", [dspx.MultiChainComparison, Search]).bind("answer"),
            "cannot stand for 'answer'",
        ),
        (
            dspx.Choice.of_modules("v", {"shelf": lambda s: Shelf()}).bind("answer"),
            "made a Shelf for 'answer'",
        ),
        (dspx.Derived("v", len, ["w"]), r"derived from \['w'\]"),
        (dspx.Derived("v", len, ["v"]), "in a circle"),
    ],
)
def test_what_the_program_has_not_is_an_error_at_once(variable, said):
    with pytest.raises(ConfigurationError, match=said):
        dspx.Space(Answer(), [variable])


def test_a_name_or_a_place_is_given_once():
    one = dspx.Bool("v").bind("options['polite']")
    with pytest.raises(ConfigurationError, match="more than once"):
        dspx.Space(Answer(), [one, one])
    with pytest.raises(ConfigurationError, match="'v' and 'w' are bound to the same place"):
        dspx.Space(Answer(), [one, dspx.Bool("w").bind("options['polite']")])


def test_a_modules_name_stands_for_its_leaves():
    program = Answer()
    program.answer = dspx.ChainOfThought("question, found -> answer")
    space = dspx.Space(
        program,
        [
            dspx.Float("t", 0, 1, 0.5).bind("answer.lm.temperature"),
            dspx.Text("how").bind("answer.instructions"),
        ],
    )
    values = space.bindings({"how": "Be brief."})
    assert values[id(program.answer.predict)].config == {"temperature": 0.5}
    assert values[id(program.answer.predict)].instructions == "Be brief."


def test_a_variable_may_take_the_place_of_a_leafs_own():
    program = Answer()
    space = dspx.Space(program, [dspx.Choice("answer.instructions", list(STYLES.values()))])
    assert space.cardinality == 2
    assert space.bindings({})[id(program.answer)].instructions == STYLES["terse"]


# ---------------------------------------------------------------- values


def test_all_problems_are_told_at_once():
    space = everything(Answer())
    with pytest.raises(ConfigurationError) as error:
        space.validate({"temperature": 9, "styl": "terse", "k": "x", "style": "formal", "stop": "now"})
    assert error.value.problems[0].startswith("'styl' is no variable; there are")
    assert error.value.problems[1:] == [
        "'temperature' is a number from 0.0 to 1.5, not 9",
        "'k' is a whole number from 1 to 3, not 'x'",
        "'stop' is computed from ['style'] and cannot be set",
        "constraint 1 does not hold",
    ]
    assert all(problem in str(error.value) for problem in error.value.problems)


def test_constraints_and_derived_values_that_fail_say_so():
    program = Answer()
    bool_ = dspx.Bool("on").bind("options['polite']")
    space = dspx.Space(program, [bool_, dspx.Derived("d", lambda on: 1 / on, ["on"])])
    with pytest.raises(ConfigurationError, match="'d' could not be computed: ZeroDivisionError"):
        space.validate({})

    def never(values):
        return values["missing"]

    with pytest.raises(ConfigurationError, match=r"constraint 1 \(never\) could not be checked: KeyError"):
        dspx.Space(program, [bool_], constraints=[never]).validate({})


def test_derived_values_follow_each_other_whatever_the_order_of_definition():
    space = dspx.Space(
        Answer(),
        [
            dspx.Derived("c", lambda b: b + 1, ["b"]),
            dspx.Derived("b", lambda a: a + 1, "a"),
            dspx.Integer("a", 0, 9, 0).bind("search.k"),
        ],
        constraints=[lambda c: c["c"] == c["a"] + 2],
    )
    assert space.validate({"a": 3})["c"] == 5
    assert space.diff({"a": 1}, {"a": 2}) == {"c": (3, 4), "b": (2, 3), "a": (1, 2)}
    assert "c" not in space.candidate({"a": 3}).values


def test_a_space_without_solutions_says_which_constraint_is_in_the_way():
    space = dspx.Space(
        Answer(), [dspx.Integer("k", 0, 9, 0).bind("search.k")], [lambda c: True, lambda c: c["k"] > 9]
    )
    for attempt in (
        lambda: space.sample(Random(0), max_tries=20),
        lambda: space.mutate({}, Random(0), max_tries=20),
        lambda: space.cover(1, max_tries=20),
    ):
        with pytest.raises(UnsatisfiableSpace, match=r"None of 20 .*constraint 2 does not hold \(20 times\)"):
            attempt()
    with pytest.raises(UnsatisfiableSpace, match="no number or choice"):
        dspx.Space.of(Answer()).mutate({}, Random(0))


SPACE = everything(Answer())


@given(st.integers(0, 2**32))
@hypothesis_settings(max_examples=50)
def test_samples_mutations_and_their_json_are_valid(seed):
    rng = Random(seed)
    values = SPACE.sample(rng)
    for _ in range(3):
        candidate = SPACE.candidate(values)
        assert candidate["temperature"] <= 1 or candidate["style"] == "terse"
        again = SPACE.candidate(json.loads(json.dumps(candidate.to_json())))
        assert again == candidate
        assert again.hash == candidate.hash
        values = SPACE.mutate(values, rng)


def test_a_mutation_changes_one_variable():
    rng = Random(1)
    for _ in range(30):
        before = SPACE.sample(rng)
        changed = set(SPACE.diff(before, SPACE.mutate(before, rng))) - {"stop"}
        assert len(changed) == 1


def test_coverage_spreads_over_the_range():
    space = dspx.Space(
        Answer(),
        [dspx.Float("a", 0, 1, 0).bind("search.k"), dspx.Choice("b", "xyz").bind("options['polite']")],
    )
    for rng in (None, Random(3)):
        points = space.cover(18, rng)
        for third in range(3):
            assert sum(third / 3 <= point["a"] < (third + 1) / 3 for point in points) in (5, 6, 7)
        assert {key: sum(p["b"] == key for p in points) for key in "xyz"} == {"x": 6, "y": 6, "z": 6}
    for point in SPACE.cover(20):
        SPACE.validate(point)


def test_an_optuna_trial_suggests_values_and_is_pruned_where_they_do_not_fit():
    optuna = pytest.importorskip("optuna")
    values = SPACE.suggest(
        optuna.trial.FixedTrial({name: one.default for name, one in SPACE.searched.items()})
    )
    assert SPACE.candidate(values) == SPACE.candidate()
    wrong = {
        **{name: one.default for name, one in SPACE.searched.items()},
        "temperature": 1.2,
        "style": "formal",
    }
    with pytest.raises(optuna.TrialPruned, match="constraint 1"):
        SPACE.suggest(optuna.trial.FixedTrial(wrong))


def test_defaults_follow_what_the_program_has_now():
    program = Answer()
    space = dspx.Space.of(program)
    program.answer.signature = program.answer.signature.with_instructions("Later.")
    assert space.defaults()["answer.instructions"] == "Later."
    assert space.bindings({}) == {}


def test_cardinality_multiplies_what_is_searched():
    program = Answer()
    k, polite = dspx.Integer("k", 1, 3, 1).bind("search.k"), dspx.Bool("polite").bind("options['polite']")
    assert dspx.Space(program, [k, polite]).cardinality == 6
    assert SPACE.cardinality == math.inf


def test_the_definition_is_json():
    definition = json.loads(json.dumps(SPACE.to_json()))
    assert definition["constraints"] == ["constraint 1"]
    kinds = {one["name"]: one["kind"] for one in definition["variables"]}
    assert kinds["style"] == "choice"
    assert kinds["centre"] == "tensor"


# ---------------------------------------------------------------- on the program


@given(st.integers(0, 2**32))
@hypothesis_settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_bound_program_asks_what_the_configured_copy_asks(seed):
    program = Answer()
    space = everything(program)
    candidate = space.candidate(space.sample(Random(seed))).with_demos(
        {"answer": [DEMO], "search.ask": [DEMO]}
    )
    candidate = candidate.with_instructions({"search.ask": "Write a query."})
    with space.using(candidate):
        asked_bound = sent(program)
    configured = space.apply(program, candidate)
    assert sent(configured) == asked_bound
    assert sent(program) == sent(Answer())


@pytest.mark.parametrize("name", [name for name in SPACE.variables if name not in ("stop", "centre")])
def test_every_kind_of_variable_changes_what_is_sent_and_binds_as_it_installs(name):
    program = Answer()
    space = everything(program)
    other = {
        "search.ask.instructions": "Write a query.",
        "search.ask.demos": [DEMO],
        "answer.instructions": None,
        "answer.demos": [DEMO],
    }
    value = other[name] if name in other else space.variables[name].mutate(space.defaults()[name], Random(2))
    if value is None:
        space, value = dspx.Space.of(program), "Answer kindly."
    with space.using({}):
        before = sent(program)
    with space.using({name: value}):
        after = sent(program)
    assert after != before
    assert sent(space.apply(program, {name: value})) == after
    installed = Answer()
    space.install(installed, {name: value})
    assert sent(installed) == after


def test_a_strategy_carries_instructions_demos_and_settings_over():
    program = dspx.ChainOfThought("question -> answer", temperature=0.3)
    program.predict.demos = [DEMO]
    wrapped = Holder(program)
    space = dspx.Space(
        wrapped,
        [
            dspx.Choice.of_modules("how", [dspx.Predict, dspx.ChainOfThought]).bind("inner"),
            dspx.Integer("n", 10, 90, 10).bind("*.config.max_tokens"),
        ],
    )
    assert space.defaults()["how"] == "ChainOfThought"
    lm = scripted()
    with dspx.context(lm=lm), space.using({"how": "Predict", "inner.predict.instructions": "Guess."}):
        said = wrapped(question="?")
    assert list(said.keys()) == ["answer"]
    assert lm.requests[0].params["temperature"] == 0.3
    assert lm.requests[0].params["max_tokens"] == 10
    prompt = str(lm.requests[0].messages)
    assert "Guess." in prompt
    assert "Lisbon" in prompt
    assert "reasoning" not in prompt


class Holder(dspx.Module):
    def __init__(self, inner):
        self.inner = inner

    def forward(self, **inputs):
        return self.inner(**inputs)


class Agent(dspx.Module):
    """Embeds the question's instructions in its own, and answers in two steps."""

    def __init__(self, signature):
        self.signature = ensure_signature(signature)
        plan = dspx.Signature("question -> plan", f"{self.signature.instructions}\n\nPlan first.")
        self.plan = dspx.Predict(plan)
        self.extract = dspx.Predict(self.signature.append("plan", dspx.InputField(), str))

    def forward(self, question):
        return self.extract(question=question, plan=self.plan(question=question).plan)


def test_leaves_of_a_replacement_are_told_which_leaf_they_stand_for():
    program = Holder(dspx.Predict("question -> answer"))
    space = dspx.Space(program, [dspx.Choice.of_modules("how", [dspx.Predict, Agent]).bind("inner")])
    lm, trace = DummyLM([{"plan": "p"}, {"answer": "a"}]), []
    with dspx.context(lm=lm, trace=trace), space.using({"how": "Agent", "inner.instructions": "Be kind."}):
        program(question="?")
    assert [space.leaf_name(leaf) for leaf, _, _ in trace] == [None, "inner"]
    assert space.leaf_name(program.inner) == "inner"
    assert space.leaf_name(dspx.Predict("a -> b")) is None
    planned, extracted = (str(entry["messages"]) for entry in lm.history)
    assert "Be kind." in planned
    assert "Plan first." in planned
    assert "Be kind." in extracted


def test_a_replacement_is_built_once_and_shared_by_all_rollouts():
    built = []

    def careful(signature):
        built.append(signature)
        return dspx.ChainOfThought(signature)

    program = Holder(dspx.Predict("question -> answer"))
    space = dspx.Space(program, [dspx.Choice.of_modules("how", {"careful": careful}).bind("inner")])
    replacements = {id(space.bindings({})[id(program.inner)].replacement) for _ in range(5)}
    assert len(built) == 1
    assert len(replacements) == 1


def test_a_replacement_writes_into_the_history_of_what_it_stands_for():
    program = Holder(dspx.Predict("question -> answer"))
    space = dspx.Space(program, [dspx.Choice.of_modules("how", [dspx.ChainOfThought]).bind("inner")])
    with dspx.context(lm=scripted()), space.using():
        program(question="?")
    assert len(program.inner.history) == 1
    assert len(program.history) == 1


def test_a_replacement_may_call_what_it_stands_for():
    program = Holder(dspx.Predict("question -> answer"))
    again = {
        "twice": lambda signature: dspx.BestOfN(
            program.inner, N=2, reward_fn=lambda _, __: 0.0, threshold=1.0
        )
    }
    space = dspx.Space(program, [dspx.Choice.of_modules("how", again).bind("inner")])
    lm = scripted()
    with dspx.context(lm=lm), space.using():
        program(question="?")
    assert len(lm.requests) == 2


def test_another_rollout_asks_a_replacement_afresh():
    program = Holder(dspx.Predict("question -> answer"))
    space = dspx.Space(program, [dspx.Choice.of_modules("how", [dspx.ChainOfThought]).bind("inner")])
    lm = scripted()
    with dspx.context(lm=lm), space.using(), bound.using(another_rollout(program, 7, temperature=1.0)):
        program(question="?")
    assert lm.requests[0].rollout_id == 7
    assert lm.requests[0].params["temperature"] == 1.0


def test_the_program_as_a_whole_may_be_replaced_for_a_call_and_in_a_copy():
    program = dspx.Predict("question -> answer")
    space = dspx.Space(
        program, [dspx.Choice.of_modules("how", [dspx.Predict, dspx.ChainOfThought]).bind("self")]
    )
    candidate = space.candidate({"how": "ChainOfThought", "self.instructions": "Think."})
    with dspx.context(lm=scripted()), space.using(candidate):
        assert program(question="?").reasoning == "REASONING"
    configured = space.apply(program, candidate)
    assert isinstance(configured, dspx.ChainOfThought)
    assert configured.predict.signature.instructions == "Think."
    with pytest.raises(UsageError, match=r"space\.apply"):
        space.install(program, candidate)


def test_users_subclasses_that_override_the_call_run_it_once():
    class Counted(Search):
        calls = 0

        def __call__(self, *args, **kwargs):
            Counted.calls += 1
            return super().__call__(*args, **kwargs)

    program = Answer()
    program.search = Counted()
    space = dspx.Space(program, [dspx.Integer("k", 1, 3, 1).bind("search.k")])
    lm = scripted()
    with dspx.context(lm=lm), space.using({"k": 3}):
        program(question="?")
    assert Counted.calls == 1
    assert str(lm.requests[-1].messages).count("QUERY 0") == 3


def test_a_module_that_is_called_from_inside_its_own_call_has_its_values_there_too():
    class Count(dspx.Module):
        def __init__(self):
            self.step = 1
            self.down = Holder(self)

        def forward(self, left):
            return self.step if left <= self.step else self.step + self.down(left=left - self.step)

    program = Count()
    space = dspx.Space(program, [dspx.Integer("step", 1, 9, 3).bind("step")])
    with space.using():
        assert program(left=9) == 9


def test_installing_is_repeatable_and_goes_back():
    program = Answer()
    space = everything(program)
    back = space.candidate()
    there = space.candidate({"strategy": "ChainOfThought", "k": 2}).with_demos({"answer": [DEMO]})
    assert isinstance(program.install(there).answer, dspx.ChainOfThought)
    assert program.answer.predict.demos == [DEMO]
    program.install(there.with_demos({"answer": []}))
    assert program.answer.predict.demos == []
    with pytest.raises(UsageError, match="make a new space"):
        space.bindings(there)
    assert isinstance(program.install(back).answer, dspx.Predict)
    assert program.search.k == 1


def test_nothing_is_changed_where_something_is_missing():
    space = everything(Answer())
    other = Answer()
    del other.shelf
    before = other.candidate()
    with pytest.raises(AttributeError):
        space.install(other, space.candidate({"k": 3}).with_instructions({"search.ask": "x"}))
    assert other.candidate() == before
    assert other.search.k == 1


def test_what_was_installed_is_saved(tmp_path):
    program = Answer()
    space = dspx.Space(program, [dspx.Float("t", 0, 1, 0.7).bind("*.lm.temperature")])
    program.install(space.candidate({"t": 0.25}))
    program.save(tmp_path / "program.json")
    again = Answer()
    again.load(tmp_path / "program.json")
    assert sent(again)[0][2]["temperature"] == 0.25
    again.save(tmp_path / "again.json")
    assert json.loads((tmp_path / "again.json").read_text())["answer"]["config"] == {"temperature": 0.25}


def test_a_candidate_of_a_space_binds_to_copies_too():
    program = Answer()
    space = everything(program)
    candidate = space.candidate({"strategy": "ChainOfThought", "k": 2})
    copied = program.deepcopy()
    with candidate.using(copied):
        through_copy = sent(copied)
    with candidate.using(program):
        assert sent(program) == through_copy
    assert space.on(program) is space
    assert space.on(copied).program is copied


def test_a_candidate_without_its_space_cannot_be_bound():
    program = Answer()
    with pytest.raises(UsageError, match="Other variables belong to"):
        program.install(Candidate({"temperature": 0.5}))


# ---------------------------------------------------------------- many at once


class Echo(dspx.BaseLM):
    def __init__(self):
        super().__init__("echo", cache=False)

    def forward(self, prompt=None, messages=None, **kwargs):
        said = f"{kwargs['temperature']:.3f} {messages[-1]['content'].count('0')}"
        return (
            "".join(f"[[ ## {name} ## ]]\n{said}\n\n" for name in ("reasoning", "answer"))
            + "[[ ## completed ## ]]"
        )


class Repeat(Holder):
    def __init__(self):
        super().__init__(dspx.Predict("question -> answer"))
        self.k = 0

    def forward(self, question):
        return self.inner(question="0" * self.k)


def _many():
    program = Repeat()
    space = dspx.Space(
        program,
        [
            dspx.Float("t", 0, 1, 0).bind("*.lm.temperature"),
            dspx.Integer("k", 0, 200, 0).bind("k"),
            dspx.Choice.of_modules("how", [dspx.Predict, dspx.ChainOfThought]).bind("inner"),
        ],
    )
    wanted = [{"t": i / 100, "k": i, "how": ("Predict", "ChainOfThought")[i % 2]} for i in range(100)]
    return program, space, wanted, [(f"{i / 100:.3f} {i}", i % 2 == 1) for i in range(100)]


def test_a_hundred_candidates_at_once_in_threads_each_have_their_own_values():
    program, space, wanted, expected = _many()
    dspx.configure(lm=Echo())

    def ask(values):
        with space.using(values):
            said = program(question="?")
        return said.answer, "reasoning" in said

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, wanted * 3)) == expected * 3
    assert program.k == 0


def test_a_hundred_candidates_at_once_in_tasks_each_have_their_own_values():
    program, space, wanted, expected = _many()
    dspx.configure(lm=Echo())

    async def ask(values):
        with space.using(values):
            await asyncio.sleep(0)
            said = await program.acall(question="?")
        return said.answer, "reasoning" in said

    async def main():
        return await asyncio.gather(*(ask(values) for values in wanted))

    assert asyncio.run(main()) == expected
