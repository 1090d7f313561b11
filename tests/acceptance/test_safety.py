"""What importing does, what is never read back as code, and where a key never shows."""

from __future__ import annotations

import ast
import asyncio
import json
import logging
import os
import sys
import traceback
from pathlib import Path

import pytest

import dspx
from dspx.cache.configured import configure_cache
from dspx.lm.history import GLOBAL_HISTORY
from dspx.testing.server import Faults, Server
from tests.acceptance.processes import ROOT, output_of, start

CANARY = "sk-canary-4f9a1c77e2b8d03556"
HEADER = "Bearer canary-0b51e6d2a94c"
WORDS = ("canary-4f9a1c77e2b8d03556", "canary-0b51e6d2a94c")

# ---------------------------------------------------------------- import


IMPORT = """
    import sys
    before = set(sys.modules)
    events = []
    def hear(event, arguments):
        if event.startswith("socket.") or event == "open" and (
            isinstance(arguments[1], str) and set(arguments[1]) & set("wax+")
            or isinstance(arguments[2], int) and arguments[2] & 3
        ) or event in ("os.mkdir", "os.rename", "os.remove", "subprocess.Popen"):
            events.append((event, str(arguments)))
    sys.addaudithook(hear)
    sys.dont_write_bytecode = True
    import dspx
    import json
    loaded = sorted(set(sys.modules) - before)
    print(json.dumps({"loaded": loaded, "all": len(sys.modules), "events": events}))
"""


def test_importing_touches_neither_network_nor_disk_and_loads_little(tmp_path: Path) -> None:
    seen = json.loads(output_of(start(IMPORT, HOME=str(tmp_path), DSPX_CACHEDIR=str(tmp_path / "cache"))))
    assert seen["events"] == []
    assert list(tmp_path.iterdir()) == []
    assert seen["all"] <= 300
    heavy = {"pydantic", "httpx", "aiohttp", "asyncio", "numpy", "jinja2", "tenacity", "diskcache", "tqdm"}
    assert heavy.isdisjoint(seen["loaded"])
    print(f"\n{seen['all']} modules, {len(seen['loaded'])} of them by dspx")


# ---------------------------------------------------------------- no pickle, no eval


def sources() -> list[Path]:
    return sorted((ROOT / "dspx").rglob("*.py"))


def imported(tree: ast.AST) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return names


def called(tree: ast.AST) -> set[str]:
    return {
        node.func.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }


def test_nothing_imports_pickle_but_the_one_seam_for_whole_programs() -> None:
    picklers = {"pickle", "_pickle", "cPickle", "cloudpickle", "dill", "shelve", "marshal", "joblib"}
    found = {
        path.relative_to(ROOT).as_posix(): names
        for path in sources()
        if (names := imported(ast.parse(path.read_text(encoding="utf-8"))) & picklers)
    }
    assert found == {"dspx/core/whole_program.py": {"cloudpickle"}}


def test_nothing_evaluates_text_as_code() -> None:
    found = [
        path.relative_to(ROOT).as_posix()
        for path in sources()
        if called(ast.parse(path.read_text(encoding="utf-8"))) & {"eval", "exec", "compile", "__import__"}
    ]
    assert found == []


@pytest.mark.parametrize(
    "signature",
    [
        "question -> answer: antigravity.Thing",
        "question: os.system('true') -> answer",
        "question -> answer: list[this.s]",
        "question -> answer: __import__('this')",
        "question -> answer: Literal[antigravity]",
        "question -> answer: dict[str, nowhere.Such]",
    ],
)
def test_a_signature_string_never_imports_a_module(signature: str) -> None:
    before = {"this", "antigravity", "nowhere"} & set(sys.modules)
    with pytest.raises(dspx.SignatureError):
        dspx.Signature(signature)
    assert {"this", "antigravity", "nowhere"} & set(sys.modules) == before == set()


# ---------------------------------------------------------------- the key


def make(server: Server, model: str = "openai/schema", **settings: object) -> dspx.LM:
    return dspx.LM(
        model,
        api_base=server.api_base,
        api_key=CANARY,
        headers={"Authorization-Too": HEADER},
        extra_headers={"X-Secret": HEADER},
        num_retries=1,
        **settings,
    )


def assert_clean(text: str, where: str) -> None:
    for word in WORDS:
        assert word not in text, where


def everything_about(lm: dspx.LM, program: dspx.Module, folder: Path) -> dict[str, str]:
    program.save(folder / "program.json")
    shown = folder / "history.txt"
    with shown.open("w") as file:
        dspx.inspect_history(50, file=file)
        lm.inspect_history(50, file=file)
    return {
        "repr": repr(lm) + str(lm) + repr(program) + repr(dspx.settings) + repr(lm.copy(temperature=1.0)),
        "endpoint": repr(lm.endpoint),
        "history": repr(list(lm.history)) + repr(list(GLOBAL_HISTORY)[-50:]),
        "state": json.dumps(lm.dump_state(), default=str) + json.dumps(program.dump_state(), default=str),
    }


def files_hold_no_key(folder: Path) -> int:
    files = [path for path in folder.rglob("*") if path.is_file()]
    for path in files:
        content = path.read_bytes()
        for word in WORDS:
            assert word.encode() not in content, path
    return len(files)


def test_the_key_is_in_nothing_that_is_kept_or_shown(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    with Server(model="schema") as server:
        lm = make(server)
        program = dspx.ChainOfThought("question -> answer: int")
        program.set_lm(lm)
        with dspx.context(lm=lm, track_usage=True):
            for i in range(3):
                assert_clean(repr(program(question=f"{i}")), "prediction")
            assert_clean(repr(asyncio.run(program.acall(question="async"))), "prediction")
            for where, text in everything_about(lm, program, tmp_path).items():
                assert_clean(text, where)
        assert CANARY in server.requests[-1].raw_head.decode()  # it did go where it belongs
    configure_cache()
    assert files_hold_no_key(tmp_path) >= 3
    assert_clean(caplog.text, "logs")
    assert_clean("".join(capfd.readouterr()), "output")


FAILING: dict[str, object] = {
    "rate_limit": Faults(rate_limit=1.0, retry_after=0.01),
    "malformed": Faults(malformed=1.0),
    "reset": Faults(reset=1.0),
    "truncated": Faults(truncated=1.0),
    "timeout": Faults(timeout=1.0),
    "401": [401] * 9,
    "400": [400] * 9,
}


@pytest.mark.parametrize("faults", FAILING.values(), ids=FAILING)
def test_the_key_is_in_no_error(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str], faults: object
) -> None:
    caplog.set_level(logging.DEBUG)
    with Server(model="schema", faults=faults, log_size=5) as server:
        lm = make(server, timeout=0.2, deadline=1.0)
        program = dspx.Predict("question -> answer: int")
        program.set_lm(lm)

        async def async_call() -> None:
            await program.acall(question="2")

        for ask in (lambda: program(question="1"), lambda: asyncio.run(async_call())):
            with pytest.raises(dspx.LMError) as raised:
                ask()
            error = raised.value
            assert_clean(
                "".join(traceback.format_exception(type(error), error, error.__traceback__)), "traceback"
            )
            assert_clean(repr(error) + repr(vars(error)), "error")
            chain: BaseException | None = error
            while chain is not None:
                assert_clean(repr(chain) + str(chain) + repr(chain.args), "cause")
                chain = chain.__cause__ or chain.__context__
        devset = [dspx.Example(question=f"{i}").with_inputs("question") for i in range(2)]
        result = dspx.Evaluate(
            devset=devset, metric=lambda e, p, t=None: 1.0, max_errors=100, provide_traceback=True
        )(program)
        result.save_as_json(tmp_path / "rows.json")
        result.save_as_csv(tmp_path / "rows.csv")
        assert_clean(repr(result) + repr(result.error_rows), "result")
    configure_cache()
    files_hold_no_key(tmp_path)
    assert_clean(caplog.text, "logs")
    assert_clean("".join(capfd.readouterr()), "output")


def test_a_key_that_the_provider_repeats_is_struck_out_of_the_error() -> None:
    def refuse(request: object) -> object:
        raise RuntimeError(f"Incorrect API key provided: {CANARY}, {HEADER}")

    with Server(model=refuse) as server:
        lm = make(server, "openai/any")
        with pytest.raises(dspx.LMError) as raised:
            lm("hello")
    error = raised.value
    assert_clean("".join(traceback.format_exception(type(error), error, error.__traceback__)), "message")
    assert "Incorrect API key provided" in str(error)


def test_the_environment_s_key_is_kept_as_secret_as_a_given_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", CANARY)
    assert os.environ["OPENAI_API_KEY"] == CANARY
    with Server(model="echo") as server:
        lm = dspx.LM("openai/echo", api_base=server.api_base)
        lm("hello")
        assert CANARY in server.requests[-1].raw_head.decode()
        assert_clean(
            repr(lm.endpoint) + repr(lm) + repr(list(lm.history)) + json.dumps(lm.dump_state()), "lm"
        )
