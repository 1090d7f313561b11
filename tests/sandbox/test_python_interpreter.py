"""The sandbox's ordinary work: tools, submissions, variables, files, environment, network, threads and tasks."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pydantic
import pytest

import dspx
from dspx.errors import CodeExecutionError, SandboxError, SandboxStartError, SandboxTimeout, UsageError
from dspx.sandbox import FinalOutput, PythonInterpreter
from dspx.sandbox.install import Installation
from tests.sandbox.scripts import Loopback


def test_variables_last_from_one_execution_to_the_next(sandbox: PythonInterpreter) -> None:
    sandbox.execute("def double(n): return 2 * n")
    assert sandbox.execute("double(given)", {"given": 21}) == 42
    assert sandbox("given + 1") == 22


def test_variables_of_many_kinds_arrive(sandbox: PythonInterpreter) -> None:
    class Person(pydantic.BaseModel):
        name: str

    given = {
        "text": "a 'quoted'\nline \u2028 \U0001f600",
        "numbers": [1.5, 2**70, float("inf"), None, True],
        "group": {3, 1, 2},
        "pair": (1, "two"),
        "person": Person(name="Ada"),
        "day": date(2024, 1, 1),
        "keyed": {1: "one", (2, 3): "pair"},
    }
    assert sandbox.execute("[text, numbers, group, pair, person, day, keyed]", given) == [
        given["text"],
        given["numbers"],
        [1, 2, 3],
        [1, "two"],
        {"name": "Ada"},
        "2024-01-01",
        {"1": "one", "(2, 3)": "pair"},
    ]


def test_a_name_that_is_none_is_refused_before_anything_runs(sandbox: PythonInterpreter) -> None:
    with pytest.raises(UsageError, match="'not a name'"):
        sandbox.execute("1", {"not a name": 1})


@pytest.mark.parametrize(
    ("call", "given"),
    [
        ("find('a')", ("a", 3, {})),
        ("find('a', 5)", ("a", 5, {})),
        ("find(query='a', k=4)", ("a", 4, {})),
        ("find('a', lang='pt')", ("a", 3, {"lang": "pt"})),
        ("find(**{'query': 'b', 'k': None})", ("b", None, {})),
    ],
)
def test_tools_are_called_as_functions_are(
    sandbox: PythonInterpreter, call: str, given: tuple[Any, ...]
) -> None:
    def find(query: str, k: int = 3, **more: str) -> list[Any]:
        return [query, k, more]

    sandbox.tools = {"find": find}
    assert sandbox.execute(call) == list(given)


def test_a_tool_may_take_any_number_of_arguments(sandbox: PythonInterpreter) -> None:
    def add(first: int, *rest: int, scale: int = 1) -> int:
        return (first + sum(rest)) * scale

    sandbox.tools = {"add": add, "largest": max, "length": len}
    assert sandbox.execute("[add(1), add(1, 2, 3), add(1, 2, scale=10), largest(3, 7)]") == [1, 6, 30, 7]
    assert sandbox.execute("length([1, 2])") == 2


def test_what_a_tool_gives_arrives_with_its_type(sandbox: PythonInterpreter) -> None:
    values: list[Any] = ["text", None, {"a": [1, 2.5]}, (1, 2), {1, 2}, float("inf"), 2**80, date(2024, 1, 1)]
    sandbox.tools = {"value": lambda place: values[place]}
    given = sandbox.execute(f"[value(n) for n in range({len(values)})]")
    assert given == ["text", "", {"a": [1, 2.5]}, [1, 2], [1, 2], float("inf"), 2**80, "2024-01-01"]


def test_a_failing_tool_raises_in_the_code_which_may_catch_it(sandbox: PythonInterpreter) -> None:
    def fail() -> None:
        raise LookupError("nothing found")

    sandbox.tools = {"fail": fail}
    caught = "try:\n    fail()\nexcept RuntimeError as error:\n    said = str(error)\nsaid"
    assert sandbox.execute(caught) == "LookupError: nothing found"
    with pytest.raises(CodeExecutionError, match="RuntimeError: LookupError: nothing found"):
        sandbox.execute("fail()")


def test_wrong_arguments_are_a_type_error_that_names_the_tool(sandbox: PythonInterpreter) -> None:
    sandbox.tools = {"find": lambda query: query}
    with pytest.raises(
        CodeExecutionError, match=r"TypeError: find\(\): missing a required argument: 'query'"
    ):
        sandbox.execute("find()")
    with pytest.raises(CodeExecutionError, match=r"TypeError: find: query is or holds a object"):
        sandbox.execute("find([object()])")


def test_tools_may_be_async_and_callers_too(sandbox: PythonInterpreter) -> None:
    async def slowly(n: int) -> int:
        await asyncio.sleep(0)
        return n + 1

    sandbox.tools = {"slowly": slowly}
    assert sandbox.execute("slowly(1)") == 2
    assert asyncio.run(sandbox.aexecute("slowly(2)")) == 3


def test_tools_may_change_between_executions_and_code_cannot_lose_them(sandbox: PythonInterpreter) -> None:
    sandbox.tools = {"one": lambda: 1}
    sandbox.execute("one = 'overwritten'")
    assert sandbox.execute("one()") == 1
    sandbox.tools = {"two": lambda: 2}
    assert sandbox.execute("[two(), 'one' in globals()]") == [2, False]


def test_time_that_tools_take_does_not_count(sandbox: PythonInterpreter) -> None:
    waited = threading.Event()
    sandbox.tools = {"wait": lambda: waited.wait(0.6)}
    assert sandbox.run("wait()\n'done'", timeout=0.4).value == "done"


def test_a_tool_cannot_run_code_in_the_interpreter_that_calls_it(sandbox: PythonInterpreter) -> None:
    sandbox.tools = {"again": lambda: sandbox.execute("1")}
    with pytest.raises(CodeExecutionError, match="cannot run code in the interpreter whose code called it"):
        sandbox.execute("again()")


def test_submit_ends_the_code(sandbox: PythonInterpreter) -> None:
    assert sandbox.execute("SUBMIT({'a': 1})\nraise ValueError") == FinalOutput({"output": {"a": 1}})
    assert sandbox.run("print('first')\nSUBMIT(3)").stdout == "first\n"


def test_submit_takes_the_outputs_by_name_and_place(sandbox: PythonInterpreter) -> None:
    sandbox.output_fields = [{"name": "answer", "type": "str"}, {"name": "score", "type": "int"}]
    expected = FinalOutput({"answer": "yes", "score": 2})
    assert sandbox.execute("SUBMIT('yes', 2)") == expected
    assert sandbox.execute("SUBMIT(score=2, answer='yes')") == expected
    with pytest.raises(
        CodeExecutionError, match=r"SUBMIT\(answer, score\): missing a required argument: 'score'"
    ):
        sandbox.execute("SUBMIT('yes')")
    with pytest.raises(CodeExecutionError, match="SUBMIT: answer is or holds a object"):
        sandbox.execute("SUBMIT(object(), 1)")


def test_a_submission_counts_even_where_the_code_catches_everything(sandbox: PythonInterpreter) -> None:
    assert sandbox.execute("try:\n    SUBMIT(1)\nexcept BaseException:\n    pass\n2") == FinalOutput(
        {"output": 1}
    )


def test_code_may_await(sandbox: PythonInterpreter) -> None:
    code = "import asyncio\nasync def twice(n):\n    await asyncio.sleep(0)\n    return 2 * n\nawait twice(4)"
    assert sandbox.execute(code) == 8


def test_code_is_the_main_module(sandbox: PythonInterpreter) -> None:
    code = "from dataclasses import dataclass\n@dataclass\nclass Point:\n    x: 'int'\n__name__, repr(Point(1)), Point(2)"
    assert sandbox.execute(code) == ["__main__", "Point(x=1)", {"x": 2}]


def test_sandboxes_do_not_share_their_random_numbers(installation: Installation) -> None:
    numbers: list[float] = []
    for _ in range(2):
        with PythonInterpreter() as one:
            numbers.append(one.execute("import random\nrandom.random()"))
    assert numbers[0] != numbers[1]


# ---------------------------------------------------------------- files, environment, network


def test_granted_files_are_read_and_written_back(installation: Installation, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("a,b\n1,2\n")
    (tmp_path / "many").mkdir()
    (tmp_path / "many" / "one two.txt").write_text("deep")
    out = tmp_path / "made" / "out.txt"
    with PythonInterpreter(
        enable_read_paths=[tmp_path / "in.csv", tmp_path / "many"], enable_write_paths=[out]
    ) as sandbox:
        assert sandbox.execute("open('/sandbox/in.csv').read()") == "a,b\n1,2\n"
        assert sandbox.execute("open('/sandbox/many/one two.txt').read()") == "deep"
        sandbox.execute(
            "open('/sandbox/out.txt', 'w').write('written')\nopen('/sandbox/in.csv', 'w').write('x')"
        )
        assert out.read_text() == "written"
        with pytest.raises(CodeExecutionError):
            sandbox.execute("open('/sandbox/out.txt', 'w').write('half')\n1 / 0")
        assert out.read_text() == "written"
        sandbox.execute("import os\nos.remove('/sandbox/out.txt')")
        assert out.read_text() == "written"
    assert (tmp_path / "in.csv").read_text() == "a,b\n1,2\n"


def test_files_can_be_kept_from_being_written_back(installation: Installation, tmp_path: Path) -> None:
    out = tmp_path / "out.txt"
    out.write_text("before")
    with PythonInterpreter(enable_write_paths=[out], sync_files=False) as sandbox:
        assert sandbox.execute("f = open('/sandbox/out.txt', 'r+')\nf.read()") == "before"
        sandbox.execute("f.write('after')\nf.close()")
    assert out.read_text() == "before"


def test_a_fresh_start_mounts_the_files_again(installation: Installation, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("still here")
    with PythonInterpreter(enable_read_paths=[tmp_path / "in.txt"], timeout=20) as sandbox:
        with pytest.raises(SandboxTimeout):
            sandbox.run("sum(range(10**12))", timeout=0.1)
        assert sandbox.execute("open('/sandbox/in.txt').read()") == "still here"


@pytest.mark.parametrize("argument", ["enable_read_paths", "enable_write_paths"])
def test_paths_that_cannot_be_granted_are_named(
    installation: Installation, tmp_path: Path, argument: str
) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    for folder in ("a", "b"):
        (tmp_path / folder / "same.txt").write_text(folder)
    same = [tmp_path / "a" / "same.txt", tmp_path / "b" / "same.txt"]
    with pytest.raises(UsageError, match=r"same\.txt"):
        PythonInterpreter(**{argument: same}).start()
    (tmp_path / "one,two.txt").touch()
    with pytest.raises(UsageError, match="comma"):
        PythonInterpreter(**{argument: [tmp_path / "one,two.txt"]}).start()
    wrong = tmp_path / "missing" if argument == "enable_read_paths" else tmp_path / "a"
    with pytest.raises(UsageError, match=str(wrong.name)):
        PythonInterpreter(**{argument: [wrong]}).start()


def test_only_granted_variables_of_the_environment_are_seen(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRANTED_REGION", "north")
    monkeypatch.setenv("SECRET_REGION", "south")
    with PythonInterpreter(enable_env_vars=["GRANTED_REGION", "UNSET_REGION"]) as sandbox:
        assert sandbox.execute("import os\nos.environ['GRANTED_REGION']") == "north"
        assert sandbox.execute("[k for k in os.environ if 'REGION' in k]") == ["GRANTED_REGION"]


def test_only_granted_hosts_are_reached(installation: Installation, loopback: Loopback) -> None:
    fetch = "from pyodide.http import pyfetch\nawait (await pyfetch(url)).string()"
    with PythonInterpreter(enable_network_access=[f"127.0.0.1:{loopback.port}"]) as sandbox:
        assert sandbox.execute(fetch, {"url": loopback.url}) == "hello"
        with pytest.raises(CodeExecutionError):
            sandbox.execute(fetch, {"url": f"http://127.0.0.1:{loopback.port + 1}/"})
        with pytest.raises(CodeExecutionError):
            sandbox.execute("import js\nawait js.fetch('file:///etc/hosts')")


# ---------------------------------------------------------------- lives and owners


def test_threads_take_turns(sandbox: PythonInterpreter) -> None:
    sandbox.execute("total = 0")

    def add() -> None:
        for _ in range(10):
            sandbox.execute("total += 1")

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sandbox.execute("total") == 40


def test_tasks_take_turns_and_do_not_block_the_loop(sandbox: PythonInterpreter) -> None:
    async def main() -> list[Any]:
        beats = 0

        async def beat() -> None:
            nonlocal beats
            while True:
                await asyncio.sleep(0.005)
                beats += 1

        beating = asyncio.ensure_future(beat())
        code = "import time\nend = time.monotonic() + 0.1\nwhile time.monotonic() < end: pass\nn"
        values = await asyncio.gather(*(sandbox.aexecute(code, {"n": n}) for n in range(3)))
        beating.cancel()
        return [values, beats > 10]

    assert asyncio.run(main()) == [[0, 1, 2], True]


def test_a_cancelled_task_leaves_an_interpreter_that_works(installation: Installation) -> None:
    async def main() -> Any:
        async with PythonInterpreter() as sandbox:
            task = asyncio.ensure_future(sandbox.aexecute("while True: pass"))
            await asyncio.sleep(0.2)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            return await sandbox.aexecute("1 + 1")

    assert asyncio.run(main()) == 2


def test_interrupt_ends_the_code_from_another_thread(sandbox: PythonInterpreter) -> None:
    sandbox.execute("kept = 1")
    sandbox.tools = {"running": lambda: threading.Timer(0.1, sandbox.interrupt).start()}
    with pytest.raises(CodeExecutionError, match="KeyboardInterrupt") as raised:
        sandbox.execute("running()\nwhile True: pass")
    assert not isinstance(raised.value, SandboxTimeout)
    assert sandbox.execute("kept") == 1


def test_it_starts_with_the_first_code_and_again_after_a_shutdown(installation: Installation) -> None:
    sandbox = PythonInterpreter()
    assert sandbox.execute("x = 1\nx") == 1
    sandbox.shutdown()
    sandbox.shutdown()
    assert sandbox.execute("'x' in globals()") is False
    sandbox.shutdown()


def test_callbacks_hear_of_starts_code_tools_and_ends(installation: Installation) -> None:
    heard: list[tuple[str, Any]] = []

    class Listener(dspx.BaseCallback):
        pass

    def hook(name: str) -> Callable[..., None]:
        return lambda self, **what: heard.append((name, what.get("inputs", what.get("outputs"))))

    for part in ("startup", "execute", "tool_call", "shutdown"):
        for when in ("start", "end"):
            setattr(Listener, f"on_interpreter_{part}_{when}", hook(f"{part} {when}"))
    with PythonInterpreter(tools={"find": lambda q: [q]}, callbacks=[Listener()]) as sandbox:
        sandbox.execute("find('a')", {"n": 1})
    assert heard == [
        ("startup start", {}),
        ("startup end", None),
        ("execute start", {"code": "find('a')", "variables": {"n": 1}}),
        ("tool_call start", {"tool_name": "find", "args": [], "kwargs": {"q": "a"}}),
        ("tool_call end", '["a"]'),
        ("execute end", ["a"]),
        ("shutdown start", {}),
        ("shutdown end", None),
    ]


def test_a_sandbox_without_deno_says_how_to_get_it() -> None:
    with pytest.raises(SandboxStartError, match="Deno could not be run"):
        PythonInterpreter(deno_command=["/nowhere/deno"]).start()


def test_too_little_memory_is_refused() -> None:
    with pytest.raises(UsageError, match="64"):
        PythonInterpreter(memory=10)


def test_the_errors_are_dspys() -> None:
    assert dspx.CodeInterpreterError is SandboxError
    assert issubclass(dspx.CodeExecutionError, dspx.CodeInterpreterError)
    assert issubclass(dspx.CodeInterpreterError, RuntimeError)
