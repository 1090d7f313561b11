"""The guest's protocol, spoken line by line, as somebody else's host would."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from dspx.runtime.bridge import run
from dspx.sandbox import PythonInterpreter
from dspx.sandbox.guest import Guest
from dspx.sandbox.install import Installation


class Line:
    """A guest, and what is said to it and by it."""

    def __init__(self, guest: Guest) -> None:
        self.guest = guest

    def say(self, message: Any) -> None:
        text = message if isinstance(message, str) else json.dumps(message)
        run(self.guest._process.send(text.encode(), 10))

    def hear(self) -> Any:
        while (line := run(self.guest._process.receive(30))) == b"":
            pass
        return None if line is None else json.loads(line)

    def ask(self, message: Any) -> Any:
        self.say(message)
        return self.hear()


@pytest.fixture
def line(installation: Installation) -> Iterator[Line]:
    guest = run(PythonInterpreter()._launch())
    run(guest.ready(60))
    yield Line(guest)
    guest.kill()


def request(method: str, number: int = 1, **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "method": method, "params": params, "id": number}


def test_requests_of_the_third_generation(line: Line) -> None:
    reply = line.ask(request("execute", code="1 + 1"))
    assert (reply["jsonrpc"], reply["id"], reply["result"]["output"]) == ("2.0", 1, 2)
    assert line.ask(request("execute", code="print('a')"))["result"]["output"] == "a\n"
    assert line.ask(request("execute", code="SUBMIT(5)"))["result"]["final"] == {"output": 5}
    error = line.ask(request("execute", code="{}['k']"))["error"]
    assert (error["code"], error["data"]["type"], error["data"]["args"]) == (-32006, "KeyError", ["k"])
    assert line.ask(request("execute", code="def ("))["error"]["code"] == -32000


def test_tools_of_the_third_generation(line: Line) -> None:
    tools = [
        {"name": "find", "parameters": [{"name": "q", "type": "str"}, {"name": "k", "default": 3}]},
        "bare",
    ]
    registered = line.ask(request("register", tools=tools, outputs=[{"name": "answer", "type": "str"}]))
    assert registered["result"] == {"tools": ["find", "bare"], "outputs": ["answer"]}
    call = line.ask(request("execute", number=7, code="find('a')"))
    assert (call["method"], call["params"]) == ("tool_call", {"name": "find", "kwargs": {"q": "a"}})
    assert call["id"].startswith("tc_")
    answer = {"jsonrpc": "2.0", "result": {"value": "[1, 2]", "type": "json"}, "id": call["id"]}
    assert line.ask(answer)["result"]["output"] == [1, 2]
    call = line.ask(request("execute", number=8, code="bare(1, b=2)"))
    assert call["params"] == {"name": "bare", "args": [1], "kwargs": {"b": 2}}
    failed = {
        "jsonrpc": "2.0",
        "error": {"code": -1, "message": "no", "data": {"type": "KeyError"}},
        "id": call["id"],
    }
    assert line.ask(failed)["error"]["message"] == "KeyError: no"


def test_large_variables_of_the_third_generation(line: Line) -> None:
    assert line.ask(request("inject_var", name="big", value='{"a": 1}'))["result"] == {"injected": "big"}
    code = "import json\njson.load(open('/tmp/dspy_vars/big.json'))"
    assert line.ask(request("execute", code=code))["result"]["output"] == {"a": 1}
    assert "error" in line.ask(request("inject_var", name="../../etc", value="1"))


def test_lines_of_the_first_generation(line: Line) -> None:
    assert line.ask({"code": "2**70"}) == {"output": 2**70}
    assert line.ask({"code": "print('a')"}) == {"output": "a\n"}
    assert line.ask({"code": "1 / 0"}) == {
        "error": "division by zero",
        "errorType": "ZeroDivisionError",
        "errorArgs": ["division by zero"],
    }
    assert line.ask({"code": "SUBMIT(1)"}) == {"error": "", "errorType": "FinalAnswer", "errorArgs": [1]}
    assert line.ask({"code": "float('nan')"})["errorType"] == "ValueError"
    line.say({"shutdown": True})
    assert line.hear() is None


@pytest.mark.parametrize(
    ("nonsense", "code"),
    [
        ("not json", -32700),
        ({"jsonrpc": "2.0", "id": 3}, -32600),
        ({"jsonrpc": "2.0", "method": "launch", "id": 3}, -32601),
        ({"jsonrpc": "2.0", "method": "constructor", "id": 3}, -32601),
        ({"jsonrpc": "2.0", "method": "execute", "params": {"code": 5}, "id": 3}, -32602),
        ({"jsonrpc": "2.0", "method": "execute", "id": 3}, -32602),
        (
            {
                "jsonrpc": "2.0",
                "method": "mount_file",
                "params": {"host_path": "/etc/passwd", "virtual_path": "/p"},
                "id": 3,
            },
            -32007,
        ),
        (
            {
                "jsonrpc": "2.0",
                "method": "sync_file",
                "params": {"host_path": "/tmp/x", "virtual_path": "/nowhere"},
                "id": 3,
            },
            None,
        ),
    ],
)
def test_every_request_is_answered(line: Line, nonsense: Any, code: int | None) -> None:
    reply = line.ask(nonsense)
    assert reply.get("error", {}).get("code") == code
    assert line.ask(request("execute", code="1"))["result"]["output"] == 1


def test_requests_sent_at_once_are_answered_in_turn(line: Line) -> None:
    for number in range(5):
        line.say(request("execute", number=number, code=f"{number} * 10"))
    assert [line.hear()["result"]["output"] for _ in range(5)] == [0, 10, 20, 30, 40]


def test_code_that_cannot_be_stopped_is_answered_before_the_guest_ends(line: Line) -> None:
    reply = line.ask(request("execute", code="sum(range(10**12))", timeout=0.1))
    assert (reply["error"]["code"], reply["timed_out"]) == (-32010, True)
    assert line.hear() is None


def test_an_interrupt_ends_the_code(line: Line) -> None:
    line.say(request("register", tools=["here"], outputs=[]))
    line.hear()
    call = line.ask(request("execute", number=2, code="here()\nwhile True: pass"))
    line.say({"jsonrpc": "2.0", "result": {"value": "", "type": "string"}, "id": call["id"]})
    line.say({"jsonrpc": "2.0", "method": "interrupt"})
    reply = line.hear()
    assert reply["error"]["data"]["type"] == "KeyboardInterrupt"
    assert "timed_out" not in reply
