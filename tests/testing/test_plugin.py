from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

KEYS = (
    "OPENAI_API_KEY",
    "ANTHROPIC_API_KEY",
    "GEMINI_API_KEY",
    "GOOGLE_API_KEY",
    "OPENROUTER_API_KEY",
    "GROQ_API_KEY",
)


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*KEYS, "MISTRAL_API_KEY", "DEEPSEEK_API_KEY", "DSPX_TEST_MODE", "DSPX_TEST_LM"):
        monkeypatch.delenv(name, raising=False)


def run(pytester: pytest.Pytester, source: str, *options: str) -> pytest.RunResult:
    pytester.makepyfile(source)
    return pytester.runpytest_inprocess("-p", "no:cacheprovider", *options)


USES_THE_LM = """
import dspx

seen = []

def test_program(dspx_lm):
    seen.append(dspx_lm)
    assert dspx.settings.lm is dspx_lm
    assert dspx.Predict("question -> answer: int")(question="How many?").answer == 0

def test_afterwards():
    assert dspx.settings.lm is not seen[0]
"""

REACHES_OUT = """
import socket
import pytest

def test_reaches_out({fixture}):
    with pytest.raises({error}):
        socket.create_connection(("192.0.2.1", 9), timeout=0.01)
"""


def test_in_mock_mode_the_lm_answers_any_signature(pytester: pytest.Pytester) -> None:
    run(pytester, USES_THE_LM).assert_outcomes(passed=2)


def test_the_network_is_forbidden_to_tests_with_a_fixture(pytester: pytest.Pytester) -> None:
    source = REACHES_OUT.format(fixture="dspx_lm", error="RuntimeError, match='forbidden'")
    run(pytester, source).assert_outcomes(passed=1)


def test_other_peoples_tests_are_left_alone(pytester: pytest.Pytester) -> None:
    run(pytester, REACHES_OUT.format(fixture="", error="OSError")).assert_outcomes(passed=1)


def test_a_mode_that_was_chosen_is_for_all_tests(pytester: pytest.Pytester) -> None:
    source = REACHES_OUT.format(fixture="", error="RuntimeError, match='forbidden'")
    result = run(pytester, source, "--dspx-mode=mock")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["dspx: mock*"])


def test_the_environment_chooses_too(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DSPX_TEST_MODE", "mock")
    source = REACHES_OUT.format(fixture="", error="RuntimeError, match='forbidden'")
    run(pytester, source).assert_outcomes(passed=1)


def test_a_mode_that_does_not_exist_is_said(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DSPX_TEST_MODE", "real")
    result = run(pytester, "def test_nothing(): pass")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "none of mock, fallback, live" in "\n".join(result.errlines)


LIVE = """
import pytest

@pytest.mark.dspx_live
def test_live(dspx_lm):
    assert dspx_lm.model == "ollama/tiny"
"""


def test_live_tests_are_skipped_in_mock_mode(pytester: pytest.Pytester) -> None:
    run(pytester, LIVE).assert_outcomes(skipped=1)
    run(pytester, LIVE, "--dspx-mode=fallback").assert_outcomes(skipped=1)


def test_live_tests_fail_without_a_key_in_live_mode(pytester: pytest.Pytester) -> None:
    result = run(pytester, LIVE, "--dspx-mode=live")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*Live mode needs a key*OPENAI_API_KEY*"])


def test_the_lm_fails_without_a_key_in_live_mode(pytester: pytest.Pytester) -> None:
    result = run(pytester, "def test_it(dspx_lm): pass", "--dspx-mode=live")
    result.assert_outcomes(errors=1)


@pytest.mark.parametrize("mode", ["live", "fallback"])
def test_live_tests_run_where_a_model_is_named(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    monkeypatch.setenv("DSPX_TEST_LM", "ollama/tiny")
    run(pytester, LIVE, f"--dspx-mode={mode}").assert_outcomes(passed=1)


def test_fallback_says_which_lm_was_asked(pytester: pytest.Pytester) -> None:
    result = run(pytester, "def test_it(dspx_lm): assert dspx_lm.model == 'schema'", "--dspx-mode=fallback")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        ["dspx: fallback (no key is set: test LMs)", "dspx: tests that asked an LM: 1 with the test LM"]
    )


def test_the_server_is_there_in_every_mode(pytester: pytest.Pytester) -> None:
    source = """
    def test_it(dspx_server):
        assert dspx_server.lm("echo", cache=False)("hello") == ["hello"]
        assert dspx_server.requests[0].messages[-1]["content"] == "hello"
    """
    run(pytester, source).assert_outcomes(passed=1)
    run(pytester, source, "--dspx-mode=live").assert_outcomes(passed=1)


CASSETTE = """
import dspx
from dspx.testing import Server

def test_it(dspx_cassette):
    lm = dspx.LM("openai/echo", api_base="http://127.0.0.1:{port}/v1", api_key="none")
    assert lm("hello") == ["hello"]
"""


def test_cassettes_are_recorded_live_and_replayed_in_mock_mode(pytester: pytest.Pytester) -> None:
    from dspx.testing import Server

    with Server() as server:
        source = CASSETTE.format(port=server.port)
        missing = run(pytester, source)
        missing.assert_outcomes(failed=1)
        missing.stdout.fnmatch_lines(["*--dspx-mode=live*"])
        run(pytester, source, "--dspx-mode=live").assert_outcomes(passed=1)
        assert server.stats.requests == 1
    run(pytester, source).assert_outcomes(passed=1)
    recorded = list(Path(pytester.path).glob("cassettes/*/test_it.json"))
    assert len(recorded) == 1


def test_the_plugin_imports_nothing_heavy() -> None:
    heavy = (
        "pydantic",
        "httpx",
        "aiohttp",
        "numpy",
        "jinja2",
        "asyncio",
        "diskcache",
        "dspx.testing.server",
        "dspx.lm.lm",
    )
    code = f"import sys, dspx.testing.plugin; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
