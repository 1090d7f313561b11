"""What other interpreters hang on, hide or lose: every piece of code is answered, and says what became of it."""

from __future__ import annotations

import math

import pytest

from dspx.errors import CodeExecutionError, SandboxTimeout
from dspx.sandbox import PythonInterpreter
from dspx.sandbox.install import Installation


def test_a_large_integer_comes_back_exactly(sandbox: PythonInterpreter) -> None:
    assert sandbox.execute("2**100") == 2**100


@pytest.mark.parametrize(
    "code",
    [
        "raise ValueError(object())",
        "import js\njs.Deno.readTextFileSync('/etc/passwd')",
        "from pyodide.code import run_js\nrun_js('null.x')",
        "import urllib.error\nraise urllib.error.URLError(OSError(1))",
        "class Odd(Exception):\n    def __str__(self): raise KeyError\nraise Odd",
    ],
)
def test_an_exception_of_any_kind_is_reported(sandbox: PythonInterpreter, code: str) -> None:
    with pytest.raises(CodeExecutionError) as raised:
        sandbox.execute(code)
    assert not raised.value.state_lost
    assert sandbox.execute("1 + 1") == 2


def test_an_endless_loop_is_stopped_and_the_variables_are_kept(sandbox: PythonInterpreter) -> None:
    sandbox.execute("kept = [1, 2, 3]")
    with pytest.raises(SandboxTimeout, match=r"0\.3 s") as raised:
        sandbox.run("while True: pass", timeout=0.3)
    assert not raised.value.state_lost
    assert "while True" in raised.value.traceback
    assert sandbox.execute("kept") == [1, 2, 3]


def test_code_that_catches_the_interrupt_is_interrupted_again(sandbox: PythonInterpreter) -> None:
    stubborn = (
        "for _ in range(3):\n    try:\n        while True: pass\n    except BaseException: pass\n'gave in'"
    )
    assert sandbox.run(stubborn, timeout=0.2).value == "gave in"


def test_code_that_waits_is_stopped_too(sandbox: PythonInterpreter) -> None:
    with pytest.raises(SandboxTimeout) as raised:
        sandbox.run("import asyncio\nawait asyncio.sleep(1000)", timeout=0.3)
    assert not raised.value.state_lost
    assert sandbox.execute("await asyncio.sleep(0.01)\n'awake'") == "awake"


@pytest.mark.parametrize(
    "code",
    ["sum(range(10**12))", "while True:\n    try:\n        while True: pass\n    except BaseException: pass"],
)
def test_what_cannot_be_interrupted_is_ended_and_the_next_code_starts_afresh(
    installation: Installation, code: str
) -> None:
    with PythonInterpreter(timeout=20) as sandbox:
        sandbox.execute("lost = 1")
        with pytest.raises(SandboxTimeout, match="variables are lost") as raised:
            sandbox.run(code, timeout=0.2)
        assert raised.value.state_lost
        assert sandbox.execute("'lost' in globals()") is False


@pytest.mark.parametrize(
    ("code", "what"),
    [
        ("import os\nos.system('ls')", "no processes in the sandbox"),
        ("import os\nos._exit(3)", "SystemExit: 3"),
        ("import sys\nsys.exit('done')", "SystemExit: done"),
        ("import subprocess\nsubprocess.run(['ls'])", "does not support processes"),
        ("import urllib.request\nurllib.request.urlopen('http://127.0.0.1:1')", "URLError"),
        ("import socket\nsocket.create_connection(('127.0.0.1', 1))", "Error"),
        ("input()", "EOFError"),
    ],
)
def test_leaving_the_sandbox_raises_and_does_not_end_it(
    sandbox: PythonInterpreter, code: str, what: str
) -> None:
    with pytest.raises(CodeExecutionError, match=what) as raised:
        sandbox.execute(code)
    assert not raised.value.state_lost


def test_a_syntax_error_shows_where_it_is(sandbox: PythonInterpreter) -> None:
    with pytest.raises(SyntaxError, match=r"(?s)line 2.*def \(.*invalid syntax"):
        sandbox.execute("x = 1\ndef (")


def test_an_error_has_the_traceback_of_the_codes_own_lines_and_what_was_printed(
    sandbox: PythonInterpreter,
) -> None:
    with pytest.raises(CodeExecutionError, match=r"^ZeroDivisionError: division by zero$") as raised:
        sandbox.execute("print('before')\ndef half(n):\n    return n / 0\nhalf(2)")
    error = raised.value
    assert error.type == "ZeroDivisionError"
    assert error.args_given == ["division by zero"]
    assert error.stdout == "before\n"
    assert "line 4, in <module>\n    half(2)" in error.traceback
    assert "line 3, in half\n    return n / 0" in error.traceback
    assert "dspx_session" not in error.traceback


def test_the_errors_that_led_to_an_error_are_shown(sandbox: PythonInterpreter) -> None:
    with pytest.raises(CodeExecutionError) as raised:
        sandbox.execute("try:\n    {}['k']\nexcept KeyError as e:\n    raise ValueError('bad') from e")
    assert "KeyError: 'k'" in raised.value.traceback
    assert "direct cause" in raised.value.traceback


@pytest.mark.parametrize(
    ("code", "value", "shown"),
    [
        ("{3, 1, 2}", [1, 2, 3], "{1, 2, 3}"),
        ("import datetime\ndatetime.date(2024, 1, 1)", "2024-01-01", "datetime.date(2024, 1, 1)"),
        ("b'abc'", "YWJj", "b'abc'"),
        ("(1, (2,))", [1, [2]], "(1, (2,))"),
        ("{1: 'a', None: 'b'}", {"1": "a", "None": "b"}, "{1: 'a', None: 'b'}"),
        ("{1: 'a', '1': 'b'}", [[1, "a"], ["1", "b"]], "{1: 'a', '1': 'b'}"),
        ("from decimal import Decimal\nDecimal('0.10')", "0.10", "Decimal('0.10')"),
        ("3 + 4j", "(3+4j)", "(3+4j)"),
        ("l = []\nl.append(l)\nl", ["[[...]]"], "[[...]]"),
        ("range(3)", [0, 1, 2], "range(0, 3)"),
        ("'\\ud800'", "\ud800", None),
        ("[True, None, 1.5, 'x', {'a': []}]", [True, None, 1.5, "x", {"a": []}], None),
    ],
)
def test_values_keep_their_meaning_and_say_where_json_could_not(
    sandbox: PythonInterpreter, code: str, value: object, shown: str | None
) -> None:
    execution = sandbox.run(code)
    assert (execution.value, execution.shown) == (value, shown)


def test_an_object_without_a_plain_form_is_shown(sandbox: PythonInterpreter) -> None:
    assert sandbox.execute("object()").startswith("<object object at")
    assert sandbox.execute("class Mute:\n    def __repr__(self): 1 / 0\nMute()") == (
        "<Mute whose repr raised ZeroDivisionError>"
    )


def test_numbers_that_json_lacks_come_back(sandbox: PythonInterpreter) -> None:
    not_a_number, infinite = sandbox.execute("[float('nan'), float('-inf')]")
    assert math.isnan(not_a_number)
    assert infinite == -math.inf


def test_a_number_of_many_digits_comes_back_in_hexadecimal(sandbox: PythonInterpreter) -> None:
    assert sandbox.execute("10**5000") == hex(10**5000)


def test_what_was_printed_comes_beside_the_value(sandbox: PythonInterpreter) -> None:
    execution = sandbox.run("import sys\nprint('out')\nprint('err', file=sys.stderr)\n5")
    assert (execution.value, execution.stdout) == (5, "out\nerr\n")
    assert sandbox.execute("print('only this')") == "only this\n"
    assert sandbox.execute("x = 1") is None


def test_endless_output_is_cut(sandbox: PythonInterpreter) -> None:
    execution = sandbox.run("print('x' * 3_000_000)")
    assert len(execution.stdout) < 1_100_000
    assert "2000001 more bytes" in execution.stdout


def test_a_value_too_large_to_send_says_so(sandbox: PythonInterpreter) -> None:
    with pytest.raises(CodeExecutionError, match="keep it in a variable"):
        sandbox.execute("'x' * 20_000_000")


def test_a_missing_package_is_an_error_like_any_other(sandbox: PythonInterpreter) -> None:
    with pytest.raises(CodeExecutionError, match="No module named 'numpy'"):
        sandbox.execute("import numpy")


def test_memory_ends_at_the_cap(sandbox: PythonInterpreter) -> None:
    with pytest.raises(CodeExecutionError, match="MemoryError"):
        sandbox.execute("bytearray(10**9)")
    assert sandbox.execute("len(bytearray(10**7))") == 10**7


def test_endless_recursion_is_an_error_like_any_other(sandbox: PythonInterpreter) -> None:
    with pytest.raises(CodeExecutionError, match="RecursionError") as raised:
        sandbox.execute("def down(): down()\ndown()")
    assert not raised.value.state_lost
    assert len(raised.value.traceback) < 5000


def test_printing_to_a_closed_stream_harms_nobody_after(sandbox: PythonInterpreter) -> None:
    with pytest.raises(CodeExecutionError, match="closed file"):
        sandbox.execute("import sys\nsys.stdout.close()\nprint('gone')")
    assert sandbox.execute("print('back')") == "back\n"


@pytest.mark.parametrize(
    "code",
    [
        "import json\njson.dumps = None",
        "import json\njson.loads('[' * 200_000)",
        "import ctypes\nctypes.string_at(2**31 - 1)",
        "import builtins\nbuiltins.str = builtins.type = builtins.isinstance = None",
    ],
)
def test_code_that_breaks_the_interpreter_itself_is_answered(installation: Installation, code: str) -> None:
    with PythonInterpreter(timeout=10) as sandbox:
        lost = 0
        for _ in range(3):
            try:
                sandbox.execute(code)
            except CodeExecutionError as error:
                lost += error.state_lost
        assert lost > 0
        sandbox.shutdown()
        assert sandbox.execute("1 + 1") == 2
