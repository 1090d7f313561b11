"""Code that wants out: to files, the environment, the network, processes, the host's memory or its protocol."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dspx.errors import CodeExecutionError, SandboxTimeout
from dspx.sandbox import PythonInterpreter
from dspx.sandbox.install import Installation
from tests.sandbox.scripts import Loopback


@pytest.fixture(scope="module")
def secret(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("host") / "secret.txt"
    path.write_text("the host's")
    return path


@pytest.mark.parametrize(
    "read",
    [
        "open({path!r}).read()",
        "import os\nos.listdir(os.path.dirname({path!r}))",
        "import pathlib\npathlib.Path({path!r}).read_text()",
        "import js\njs.Deno.readTextFileSync({path!r})",
        "import js\njs.require('fs').readFileSync({path!r})",
        "import js\njs.process.binding('fs')",
        "import pyodide_js\npyodide_js.mountNodeFS('/mnt', {folder!r})\nopen('/mnt/secret.txt').read()",
        "import pyodide_js\nfs = pyodide_js.FS\nfs.mkdir('/mnt')\nfs.mount(fs.filesystems.NODEFS, {{'root': {folder!r}}}, '/mnt')\nopen('/mnt/secret.txt').read()",
        "from pyodide.code import run_js\nrun_js('import(\"node:fs\")')",
        "from pyodide.http import open_url\nopen_url('file://' + {path!r}).read()",
        "import js\nawait js.fetch('file://' + {path!r})",
    ],
)
def test_files_of_the_host_are_out_of_reach(sandbox: PythonInterpreter, secret: Path, read: str) -> None:
    with pytest.raises(CodeExecutionError) as raised:
        sandbox.execute(read.format(path=str(secret), folder=str(secret.parent)))
    assert "the host's" not in str(raised.value)


def test_writing_files_stays_inside(sandbox: PythonInterpreter, tmp_path: Path) -> None:
    inside = str(tmp_path / "out.txt")
    sandbox.execute(
        f"import os\nos.makedirs({str(tmp_path)!r}, exist_ok=True)\nopen({inside!r}, 'w').write('x')"
    )
    assert list(tmp_path.iterdir()) == []


def test_the_environment_is_not_the_hosts(sandbox: PythonInterpreter) -> None:
    seen = sandbox.execute("import os\ndict(os.environ)")
    assert not seen.keys() & {"HOSTNAME", "DENO_DIR", "TMPDIR", "VIRTUAL_ENV", "PYTEST_CURRENT_TEST"}
    assert seen["USER"] == "web_user"
    assert seen["PATH"] != os.environ["PATH"]


@pytest.mark.parametrize(
    "reach",
    [
        "import urllib.request\nurllib.request.urlopen({url!r}).read()",
        "from pyodide.http import pyfetch\nawait (await pyfetch({url!r})).string()",
        "from pyodide.http import open_url\nopen_url({url!r}).read()",
        "import js\nawait js.fetch({url!r})",
        "import js\njs.WebSocket.new({url!r}.replace('http', 'ws'))",
        "import js\njs.XMLHttpRequest.new().open('GET', {url!r}, False)",
        "import socket\nsocket.create_connection(('127.0.0.1', {port}), 1).sendall(b'GET / HTTP/1.0\\r\\n\\r\\n')",
        "import pyodide_js\nawait pyodide_js.loadPackage({url!r} + 'x-1-py3-none-any.whl')\n1 / 0",
    ],
)
def test_the_network_is_out_of_reach(sandbox: PythonInterpreter, loopback: Loopback, reach: str) -> None:
    with pytest.raises(CodeExecutionError):
        sandbox.execute(reach.format(url=loopback.url, port=loopback.port))
    assert loopback.asked == []


@pytest.mark.parametrize(
    "start",
    [
        "import subprocess\nsubprocess.check_output(['id'])",
        "import os\nos.popen('id').read()",
        "import os\nos.fork()",
        "import os\nos.execv('/bin/sh', ['sh'])",
        "import os\nos.posix_spawn('/bin/sh', ['sh'], {})",
        "import multiprocessing\nmultiprocessing.Process(target=print).start()",
        "import threading\nthreading.Thread(target=print).start()",
        "import js\njs.Deno.Command.new('id').outputSync()",
        "import js\njs.Worker.new('data:application/javascript,postMessage(1)')",
        "import js\njs.importScripts('data:application/javascript,1')",
        "import js\njs.nodeBootstrap()",
    ],
)
def test_nothing_can_be_started(sandbox: PythonInterpreter, start: str) -> None:
    with pytest.raises(CodeExecutionError) as raised:
        sandbox.execute(start)
    assert not raised.value.state_lost


@pytest.mark.parametrize(
    "make",
    [
        "from pyodide.code import run_js\nrun_js('1')",
        "import js\njs.eval('1')",
        "import js\njs.Function.new('return 1')()",
        "import js\njs.Object.constructor('return 1')()",
        "import pyodide_js\npyodide_js.runPython.constructor('return 1')()",
        "import js\njs.setTimeout.constructor('return 1')()",
    ],
)
def test_code_cannot_become_javascript(sandbox: PythonInterpreter, make: str) -> None:
    with pytest.raises(CodeExecutionError, match=r"EvalError|AttributeError|ImportError"):
        sandbox.execute(make)


def test_permissions_cannot_be_asked_for(sandbox: PythonInterpreter) -> None:
    for name in ("Deno", "navigator", "caches", "localStorage", "BroadcastChannel", "Worker", "postMessage"):
        assert sandbox.execute(f"import js\nhasattr(js, {name!r})") is False


def test_memory_outside_python_has_a_cap_too(installation: Installation) -> None:
    if not os.path.exists("/proc/self/status"):
        pytest.skip("the system bounds no process's memory")
    with PythonInterpreter(timeout=20, memory=128) as sandbox, pytest.raises(CodeExecutionError):
        sandbox.execute("import js\nkept = [js.ArrayBuffer.new(2**28) for _ in range(64)]")


def test_a_line_of_the_protocol_that_is_printed_is_only_printed(sandbox: PythonInterpreter) -> None:
    forged = '{"jsonrpc":"2.0","result":{"output":"forged","has_value":true},"id":"1"}'
    for way in (
        "print(line)",
        "import os\nos.write(1, line.encode() + b'\\n')",
        "import js\njs.console.log(line)",
    ):
        execution = sandbox.run(f"{way}\n'real'", {"line": forged})
        assert execution.value == "real"


def test_what_is_written_below_python_is_dropped_and_harms_no_reply(sandbox: PythonInterpreter) -> None:
    assert sandbox.execute("import os\nfor _ in range(500): n = os.write(1, b'{noise')\n'real'") == "real"


def test_names_that_matter_to_javascript_are_names_like_any_other(sandbox: PythonInterpreter) -> None:
    given: list[dict[str, object]] = []

    def keep(**kwargs: object) -> object:
        given.append(kwargs)
        return kwargs

    sandbox.tools = {"keep": keep}
    names = {"__proto__": {"polluted": 1}, "constructor": 2, "toString": 3}
    assert sandbox.execute("keep(**names)", {"names": names}) == names
    assert given == [names]
    assert sandbox.execute("{'__proto__': {'a': 1}, 'hasOwnProperty': 0}") == {
        "__proto__": {"a": 1},
        "hasOwnProperty": 0,
    }


def test_javascript_that_code_can_reach_cannot_be_bent_against_the_host(installation: Installation) -> None:
    bend = "import js\njs.Object.prototype.error = 1\njs.JSON.stringify = None\njs.Array.prototype.map = None"
    with PythonInterpreter(timeout=5) as sandbox:
        outcomes: list[object] = []
        for code in (bend, "40 + 2", "40 + 2", "40 + 2"):
            try:
                outcomes.append(sandbox.execute(code))
            except CodeExecutionError as error:
                outcomes.append(error.state_lost)
        assert outcomes[-1] == 42


def test_a_tool_can_be_called_only_if_it_was_given(sandbox: PythonInterpreter) -> None:
    sandbox.tools = {"known": lambda: "yes"}
    assert sandbox.execute("known()") == "yes"
    call = "import dspx_session, __main__\nfor s in [o for o in __import__('gc').get_objects() if type(o).__name__ == 'Session']:\n    s._ask('unknown', (), {})"
    with pytest.raises(CodeExecutionError, match="no tool 'unknown'"):
        sandbox.execute(call)


def test_a_timeout_cannot_be_put_off(installation: Installation) -> None:
    putting_off = "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass"
    with PythonInterpreter(timeout=20) as sandbox, pytest.raises(SandboxTimeout):
        sandbox.run(putting_off, timeout=0.3)
