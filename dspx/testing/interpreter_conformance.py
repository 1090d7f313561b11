"""What every interpreter of code must do: subclass `InterpreterConformance` and say how one is made.

class TestMyInterpreter(InterpreterConformance):
    @pytest.fixture
    def make(self):
        return MyInterpreter

`make(tools=…, output_fields=…)` gives a new one. `stops_endless_code`, `awaits` and `keeps_errors_apart` say what
yours does not promise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from dspx.errors import CodeExecutionError, SandboxError, SandboxTimeout
from dspx.runtime.bridge import on_background_loop, run
from dspx.runtime.fanout import fan_out
from dspx.sandbox.contract import CodeInterpreter, FinalOutput

Make = Callable[..., Any]


class InterpreterConformance:
    """The promises, one test each."""

    stops_endless_code = True
    """Whether `run(code, timeout=…)` ends code that would go on for ever."""
    awaits = True
    """Whether code may `await` at its top level."""

    @pytest.fixture
    def make(self) -> Make:
        raise NotImplementedError("override this fixture: how is your interpreter made?")

    @pytest.fixture
    def interpreter(self, make: Make) -> Iterator[Any]:
        made = make()
        made.start()
        yield made
        made.shutdown()

    # ------------------------------------------------------------ values

    def test_it_is_an_interpreter(self, interpreter: Any) -> None:
        assert isinstance(interpreter, CodeInterpreter)

    def test_the_last_expression_is_the_value(self, interpreter: Any) -> None:
        assert interpreter.execute("x = 20\nx * 2 + 2") == 42

    def test_what_was_printed_is_the_value_where_there_is_no_other(self, interpreter: Any) -> None:
        assert interpreter.execute("print('seen', 1)").strip() == "seen 1"

    def test_nothing_is_none(self, interpreter: Any) -> None:
        assert not interpreter.execute("x = 1")

    @pytest.mark.parametrize(
        ("code", "value"),
        [
            ("2**100", 2**100),
            ("[1, 2.5, 'a', None, True, {'k': []}]", [1, 2.5, "a", None, True, {"k": []}]),
            ("'ünï \U0001f600 \\u2028'", "ünï \U0001f600 \u2028"),
            ("(1, 2)", [1, 2]),
            ("''", ""),
            ("0", 0),
        ],
    )
    def test_values_arrive_exactly(self, interpreter: Any, code: str, value: Any) -> None:
        given = interpreter.execute(code)
        assert (given, type(given)) == (value, type(value))

    def test_the_value_and_what_was_printed_come_side_by_side(self, interpreter: Any) -> None:
        execution = interpreter.run("print('a')\n5")
        assert (execution.value, execution.stdout) == (5, "a\n")

    # ------------------------------------------------------------ variables

    def test_variables_last(self, interpreter: Any) -> None:
        interpreter.execute("def f(n): return n + k\nk = 1")
        assert interpreter.execute("f(1)") == 2

    def test_variables_given_are_assigned(self, interpreter: Any) -> None:
        given = {"text": 'it\'s "quoted"\n', "many": [1, {"a": None}], "big": 2**70, "yes": True}
        assert interpreter.execute("[text, many, big, yes]", given) == list(given.values())

    def test_another_interpreter_has_other_variables(self, interpreter: Any, make: Make) -> None:
        interpreter.execute("only_here = 1")
        other = make()
        try:
            with pytest.raises(CodeExecutionError, match="NameError"):
                other.execute("only_here")
        finally:
            other.shutdown()

    # ------------------------------------------------------------ errors

    def test_a_syntax_error_is_one_and_the_interpreter_goes_on(self, interpreter: Any) -> None:
        with pytest.raises(SyntaxError):
            interpreter.execute("def (")
        assert interpreter.execute("1") == 1

    def test_an_exception_names_itself_and_the_interpreter_goes_on(self, interpreter: Any) -> None:
        interpreter.execute("kept = 3")
        with pytest.raises(CodeExecutionError, match="ZeroDivisionError"):
            interpreter.execute("1 / 0")
        assert interpreter.execute("kept") == 3

    def test_an_exception_comes_with_its_line(self, interpreter: Any) -> None:
        with pytest.raises(CodeExecutionError) as raised:
            interpreter.execute("a = 1\nraise ValueError('no', object())")
        assert raised.value.type == "ValueError"
        assert "line 2" in raised.value.traceback

    def test_leaving_python_is_an_error_of_the_code(self, interpreter: Any) -> None:
        with pytest.raises(CodeExecutionError, match="SystemExit"):
            interpreter.execute("raise SystemExit(3)")
        assert interpreter.execute("1") == 1

    def test_endless_code_is_stopped(self, interpreter: Any) -> None:
        if not self.stops_endless_code:
            pytest.skip("not promised")
        with pytest.raises(SandboxTimeout):
            interpreter.run("while True: pass", timeout=0.3)
        assert interpreter.execute("1 + 1") == 2

    def test_code_may_await(self, interpreter: Any) -> None:
        if not self.awaits:
            pytest.skip("not promised")
        assert interpreter.execute("import asyncio\nawait asyncio.sleep(0)\n'awake'") == "awake"

    # ------------------------------------------------------------ tools and submissions

    def test_tools_take_arguments_by_place_and_name(self, make: Make) -> None:
        made = make(tools={"join": lambda a, b="-", *, end="": f"{a}{b}{end}"})
        try:
            assert made.execute("[join('x'), join('x', 'y'), join(b='y', a='x', end='!')]") == [
                "x-",
                "xy",
                "xy!",
            ]
        finally:
            made.shutdown()

    def test_tools_may_be_given_after_the_start(self, interpreter: Any) -> None:
        interpreter.tools["count"] = lambda items: {"n": len(items)}
        assert interpreter.execute("count([1, 2])['n']") == 2

    def test_a_failing_tool_raises_in_the_code(self, interpreter: Any) -> None:
        def fail() -> None:
            raise LookupError("nothing there")

        interpreter.tools["fail"] = fail
        assert interpreter.execute("try:\n    fail()\nexcept Exception as e:\n    said = str(e)\nsaid") == (
            "LookupError: nothing there"
        )

    def test_submit_ends_the_code(self, interpreter: Any) -> None:
        assert interpreter.execute("SUBMIT({'a': 1})\n1 / 0") == FinalOutput({"output": {"a": 1}})

    def test_submit_takes_the_output_fields(self, make: Make) -> None:
        made = make(output_fields=[{"name": "answer", "type": "str"}, {"name": "n"}])
        try:
            expected = FinalOutput({"answer": "yes", "n": 2})
            assert made.execute("SUBMIT('yes', 2)") == expected
            assert made.execute("SUBMIT(n=2, answer='yes')") == expected
            with pytest.raises(CodeExecutionError, match="TypeError"):
                made.execute("SUBMIT('yes')")
        finally:
            made.shutdown()

    # ------------------------------------------------------------ sharing, starting, ending

    def test_async_code_may_use_it(self, interpreter: Any) -> None:
        assert on_background_loop(interpreter.aexecute, "1 + 1") == 2

    def test_threads_take_turns(self, interpreter: Any) -> None:
        interpreter.execute("total = 0")

        async def add(_: int) -> None:
            interpreter.execute("total += 1")

        outcomes = run(fan_out(add, range(8), workers=4))
        assert all(outcome.ok for outcome in outcomes)
        assert interpreter.execute("total") == 8

    def test_a_tool_cannot_run_code_in_the_interpreter_that_calls_it(self, interpreter: Any) -> None:
        interpreter.tools["again"] = lambda: interpreter.execute("1")
        with pytest.raises(SandboxError):
            interpreter.execute("again()")

    def test_starting_and_ending_twice_does_no_harm(self, make: Make) -> None:
        made = make()
        made.start()
        made.start()
        made.shutdown()
        made.shutdown()
